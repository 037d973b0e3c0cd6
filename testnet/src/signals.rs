//! Being asked to end.

use std::fmt;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::TestnetError;

/// The signal that ended a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interrupt {
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

impl Interrupt {
    /// What a shell would say of a process that the signal ended.
    pub(crate) const fn exit_code(self) -> u8 {
        match self {
            Interrupt::Interrupt => 130,
            Interrupt::Terminate => 143,
        }
    }
}

impl fmt::Display for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Interrupt::Interrupt => "interrupted",
            Interrupt::Terminate => "terminated",
        })
    }
}

/// The signals that ask this process to end.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub(crate) fn catch() -> Result<Self, TestnetError> {
        let catch = |kind| signal(kind).map_err(|source| TestnetError::System { doing: "catch signals", source });
        Ok(Signals { interrupt: catch(SignalKind::interrupt())?, terminate: catch(SignalKind::terminate())? })
    }

    pub(crate) async fn next(&mut self) -> Interrupt {
        tokio::select! {
            _ = self.interrupt.recv() => Interrupt::Interrupt,
            _ = self.terminate.recv() => Interrupt::Terminate,
        }
    }

    /// What `work` results in, unless a signal comes first.
    pub(crate) async fn or<T>(
        &mut self,
        work: impl Future<Output = Result<T, TestnetError>>,
    ) -> Result<T, TestnetError> {
        tokio::select! {
            result = work => result,
            interrupt = self.next() => Err(TestnetError::Interrupted(interrupt)),
        }
    }
}
