//! The time that a thread has worked: what a search is bounded by, however busy the machine is.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The processor time of this thread.
pub(super) fn worked() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let (seconds, nanoseconds) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(seconds.unwrap_or_default(), nanoseconds.unwrap_or_default())
}
