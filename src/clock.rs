//! The one place of the engine that reads clocks. Everything else is handed a [`Now`].

use std::fmt::Debug;

use crate::types::{Instant, Now, WallTime};

/// Tells the time to those parts that wait in real time: the runtime and the client.
pub trait Clock: Send + Sync + Debug {
    /// Both clocks at this moment. The monotonic one never goes backwards.
    fn now(&self) -> Now;
}

/// The machine's clocks.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    origin: std::time::Instant,
}

impl SystemClock {
    /// Clocks whose monotonic time starts now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place of the engine that reads clocks")]
    pub fn new() -> Self {
        SystemClock { origin: std::time::Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place of the engine that reads clocks")]
    fn now(&self) -> Now {
        let monotonic = std::time::Instant::now().saturating_duration_since(self.origin);
        // A clock set before 1970 proposes the earliest time; agreement corrects it and safety does not rest on it.
        let wall = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Now { monotonic: Instant(0).plus(monotonic), wall: WallTime(0).plus(wall) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn monotonic_time_never_goes_backwards_and_wall_time_is_of_this_century() {
        let clock = SystemClock::new();
        let (first, second) = (clock.now(), clock.now());
        assert!(first.monotonic <= second.monotonic);
        assert!(first.wall > WallTime(946_684_800_000_000_000));
    }
}
