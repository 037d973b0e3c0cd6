//! Warnings that somebody outside can cause, at a bounded rate.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The shortest time between two lines of one source. What comes in between is counted.
const INTERVAL: Duration = Duration::from_secs(1);

/// Logs at most one line per [`INTERVAL`], with the number of those left out.
#[derive(Debug, Default)]
pub(crate) struct QuietLog {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    last: Option<Instant>,
    left_out: u64,
}

impl QuietLog {
    pub(crate) fn warn(&self, message: fmt::Arguments<'_>) {
        if let Some(left_out) = self.may_log(Instant::now()) {
            tracing::warn!(left_out, "{message}");
        }
    }

    /// How many lines were left out since the last one, if another may be written.
    fn may_log(&self, now: Instant) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.last.is_some_and(|last| now.duration_since(last) < INTERVAL) {
            state.left_out += 1;
            return None;
        }
        state.last = Some(now);
        Some(std::mem::take(&mut state.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_one_line_per_interval_and_a_count() {
        let log = QuietLog::default();
        let start = Instant::now();
        assert_eq!(log.may_log(start), Some(0));
        assert!((0..1_000).all(|_| log.may_log(start + INTERVAL / 2).is_none()));
        assert_eq!(log.may_log(start + INTERVAL), Some(1_000));
    }
}
