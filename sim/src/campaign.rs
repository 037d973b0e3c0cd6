//! Many seeds, one after the other.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::choices::Choices;
use crate::counters::{Counter, Counters};
use crate::options::Options;
use crate::transcript::Transcript;
use crate::violation::{Class, Violation};
use crate::world::{Ended, World};

/// From so many seeds on, everything that is counted must have happened.
const MEANINGFUL_SEEDS: u64 = 1000;
/// The exit code of a campaign that found nothing, and in which something never happened.
pub const PROVES_NOTHING: u8 = 4;

/// What a campaign found.
#[derive(Debug, Default)]
pub struct Summary {
    /// How many seeds ran.
    pub seeds: u64,
    /// How many events that were.
    pub events: u64,
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
                self.events += ended.events;
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

/// The world of a seed. `members` fixes the size of the committee.
#[must_use]
pub fn world_of(seed: u64, members: Option<u16>, transcript: Transcript) -> World {
    let mut choices = Choices::from_seed(seed);
    let options = Options::draw(&mut choices, members);
    World::new(options, choices, transcript)
}

/// The world of a seed after its drawn options were changed: for one rule or one fault.
#[must_use]
pub fn world_with(seed: u64, members: Option<u16>, change: impl FnOnce(&mut Options)) -> World {
    let mut choices = Choices::from_seed(seed);
    let mut options = Options::draw(&mut choices, members);
    change(&mut options);
    World::new(options, choices, Transcript::default())
}

/// Runs a seed to its end.
///
/// # Errors
/// A [`Violation`] of class [`Class::Panic`] when a replica or the world panicked.
pub fn run_seed(seed: u64, members: Option<u16>, transcript: Transcript) -> Result<Ended, Violation> {
    let world = world_of(seed, members, transcript);
    catch_unwind(AssertUnwindSafe(|| world.run())).map_err(|cause| {
        let text = cause.downcast_ref::<String>().cloned();
        let text = text.or_else(|| cause.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default();
        Violation { class: Class::Panic, checker: "panic", text }
    })
}
