//! What a campaign found.

use std::time::Duration;

use crate::counters::{Counter, Counters};
use crate::signatures::fingerprint;
use crate::violation::{Class, Violation};
use crate::world::Ended;

/// From so many seeds on, everything that is counted must have happened.
const MEANINGFUL_SEEDS: u64 = 1000;
/// The exit code of a campaign that found nothing, and in which something never happened.
pub const PROVES_NOTHING: u8 = 4;

/// What a campaign found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// How many seeds ran.
    pub seeds: u64,
    /// How many events that were.
    pub events: u64,
    /// How much virtual time passed in them.
    pub simulated: Duration,
    /// How many views later than the first their clusters were in at their ends.
    pub views: u64,
    /// How many seeds had f Byzantine replicas.
    pub with_most_byzantine: u64,
    /// How many had any.
    pub with_byzantine: u64,
    /// A hash of everything that happened in all of them, in the order of the seeds: equal for equal seeds, on every machine
    /// and however it was compiled.
    pub trace: u64,
    /// What happened.
    pub counters: Counters,
    /// The seeds that broke a rule.
    pub failures: Vec<(u64, Violation)>,
}

impl Summary {
    /// Adds what became of a seed.
    pub fn add(&mut self, seed: u64, result: Result<Ended, Violation>) {
        self.seeds += 1;
        match result {
            Ok(ended) => {
                let byzantine = ended.options.byzantine.len() as u64;
                self.events += ended.events;
                self.simulated += ended.lasted;
                self.views += ended.view.0;
                self.trace = fingerprint(self.trace, &ended.trace.to_le_bytes());
                self.with_byzantine += u64::from(byzantine > 0);
                self.with_most_byzantine += u64::from(byzantine >= ended.options.faulty_max());
                self.counters.merge(&ended.counters);
                self.failures.extend(ended.violation.map(|violation| (seed, violation)));
            }
            Err(violation) => self.failures.push((seed, violation)),
        }
    }

    /// What never happened, in a campaign that is long enough to prove something.
    #[must_use]
    pub fn missing(&self) -> Vec<Counter> {
        if self.seeds < MEANINGFUL_SEEDS { Vec::new() } else { self.counters.missing() }
    }

    /// The exit code: 0, that of the worst failure, or [`PROVES_NOTHING`].
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let proves = if self.missing().is_empty() { 0 } else { PROVES_NOTHING };
        self.failures.iter().map(|(_, violation)| violation.class).max().map_or(proves, Class::exit_code)
    }
}
