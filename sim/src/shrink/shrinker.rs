//! The smallest failing world so far, and attempts to replace it.

use super::subject::{Failure, Subject};

/// What is going on, for whoever waits.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// What is tried at the moment.
    pub stage: &'static str,
    /// How many worlds were run.
    pub attempts: u64,
    /// The length of the smallest one that fails.
    pub events: u64,
}

/// The smallest failing world so far.
pub(super) struct Shrinker<'a> {
    pub subject: Subject,
    pub failure: Failure,
    pub attempts: u64,
    fails: Fails<'a>,
    stage: (&'static str, f64),
    used: &'a mut dyn FnMut(&Progress) -> f64,
}

/// How a world fails, if it does, within so many events.
pub(super) type Fails<'a> = &'a dyn Fn(&Subject, u64) -> Option<Failure>;

impl<'a> Shrinker<'a> {
    /// The world as it is, if it fails. `used` is asked before each attempt which share of the time is used up.
    pub(super) fn new(subject: Subject, fails: Fails<'a>, used: &'a mut dyn FnMut(&Progress) -> f64) -> Option<Self> {
        let failure = fails(&subject, u64::MAX)?;
        Some(Shrinker { subject, failure, attempts: 0, fails, stage: ("", 1.0), used })
    }

    /// Begins a stage that may last until this share of the time is used.
    pub(super) fn begin(&mut self, name: &'static str, until: f64) {
        self.stage = (name, until);
    }

    /// Whether the stage may go on.
    pub(super) fn has_time(&mut self) -> bool {
        let progress = Progress { stage: self.stage.0, attempts: self.attempts, events: self.failure.events };
        (self.used)(&progress) < self.stage.1
    }

    /// Takes a world in place of the smallest one if it fails in the same way within so many events.
    pub(super) fn attempt(&mut self, subject: Subject, events_max: u64) -> bool {
        if !self.has_time() {
            return false;
        }
        self.attempts += 1;
        let Some(failure) = (self.fails)(&subject, events_max) else { return false };
        if !failure.violation.is_like(&self.failure.violation) {
            return false;
        }
        (self.subject, self.failure) = (subject, failure);
        true
    }
}
