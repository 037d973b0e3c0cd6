//! The world of a seed, and how it is run.

use crate::choices::Choices;
use crate::counters::Counter;
use crate::options::Options;
use crate::panics::caught;
use crate::transcript::Transcript;
use crate::violation::{Class, Violation};
use crate::world::{Ended, World};

/// One seed of so many is run twice.
const TWICE_EVERY: u64 = 100;
/// How many entries the second run keeps: being watched must change nothing.
const WATCHED_ENTRIES: usize = 100;

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
    run_caught(|| world_of(seed, members, transcript).run())
}

/// Runs a seed, and one of a hundred twice: its second run must be the same, event by event.
///
/// # Errors
/// A [`Violation`] of class [`Class::Panic`] when a replica or the world panicked.
pub fn run_checked(seed: u64, members: Option<u16>) -> Result<Ended, Violation> {
    let mut ended = run_seed(seed, members, Transcript::default())?;
    if seed % TWICE_EVERY == TWICE_EVERY - 1 {
        let again = run_seed(seed, members, Transcript::keeping(WATCHED_ENTRIES))?;
        let is_same = (ended.trace, ended.events, &ended.counters) == (again.trace, again.events, &again.counters);
        ended.counters.add(Counter::SeedsRunTwice);
        if !is_same {
            let text = format!("two runs differ: trace {:016x} and {:016x}", ended.trace, again.trace);
            ended.violation = Some(Violation { class: Class::Safety, checker: "determinism", text });
        }
    }
    Ok(ended)
}

/// Runs something that makes and runs a world.
///
/// # Errors
/// A [`Violation`] of class [`Class::Panic`] when it panics where no world catches it.
pub fn run_caught<T>(run: impl FnOnce() -> T) -> Result<T, Violation> {
    caught(run).map_err(|text| Violation { class: Class::Panic, checker: "panic", text })
}
