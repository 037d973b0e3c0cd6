//! Ending together with the process that started this one, so that a test network never leaves replicas behind.

use std::io;

use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};

/// Has the kernel kill this process when the thread that started it ends.
///
/// # Errors
/// When the parent is not `parent` any more: it ended before this could be asked for.
pub(crate) fn exit_with_parent(parent: u32) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let now = getppid().map(Pid::as_raw_pid);
    if now == i32::try_from(parent).ok() {
        Ok(())
    } else {
        Err(io::Error::other(format!("the process {parent}, which should be the parent, has ended")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_whose_parent_is_gone_is_told_so() {
        // The greatest number is no process: Linux has at most 2^22.
        assert!(exit_with_parent(u32::MAX).is_err());
        set_parent_process_death_signal(None).unwrap();
    }
}
