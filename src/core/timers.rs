//! The moments that time-outs count from. A deadline is computed from the state whenever it is asked for, so that a
//! timer that was cancelled cannot fire late.

use std::time::Duration;

use crate::mutants::Mutant;
use crate::types::Instant;

/// Invariant: `timeout` lies between the configured base and cap.
#[derive(Clone, Debug)]
pub struct Timers {
    base: Duration,
    cap: Duration,
    /// T: doubled for each fruitless view, the base again as soon as a new request executes.
    timeout: Duration,
    /// When this view, or the change to the next one, began.
    pub phase_since: Instant,
    /// Since when requests wait without any being executed; `None` while nothing waits.
    pub waiting_since: Option<Instant>,
    /// Since when Q members ask for the own target or a later one.
    pub new_view_since: Option<Instant>,
    /// When the next Status is due.
    pub status_due: Instant,
    /// When a slot last became executed or committed here.
    pub progress_at: Instant,
    /// Whether a new request was executed in this view.
    pub is_fruitful: bool,
}

impl Timers {
    /// Timers that start now.
    #[must_use]
    pub fn new(base: Duration, cap: Duration, now: Instant) -> Self {
        Timers {
            base,
            cap,
            timeout: base,
            phase_since: now,
            waiting_since: None,
            new_view_since: None,
            status_due: now,
            progress_at: now,
            is_fruitful: true,
        }
    }

    /// T.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The cap of T.
    #[must_use]
    pub fn cap(&self) -> Duration {
        self.cap
    }

    /// A view was fruitless: T doubles, up to its cap.
    pub fn back_off(&mut self) {
        if !Mutant::NoBackOff.lives() {
            self.timeout = self.timeout.saturating_mul(2).min(self.cap);
        }
    }

    /// A new request was executed: the view is fruitful and T is the base again.
    pub fn on_new_execution(&mut self, now: Instant) {
        self.timeout = self.base;
        self.is_fruitful = true;
        self.waiting_since = self.waiting_since.map(|_| now);
    }
}
