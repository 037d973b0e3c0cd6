//! A world that can be run again and again.

use crate::campaign::run_caught;
use crate::choices::Choices;
use crate::options::Options;
use crate::transcript::Transcript;
use crate::violation::Violation;
use crate::world::World;

/// Options, and where the answers come from: all that makes a world.
#[derive(Clone, Debug)]
pub struct Subject {
    /// What is drawn once.
    pub options: Options,
    /// What is drawn in the world.
    pub choices: Choices,
}

/// How a world failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What was broken.
    pub violation: Violation,
    /// After how many events.
    pub events: u64,
    /// How many faults were planned in advance.
    pub planned: u64,
    /// The answers that were given.
    pub schedule: Vec<u64>,
}

impl Subject {
    /// The world of a seed. `members` fixes the size of the committee.
    #[must_use]
    pub fn of_seed(seed: u64, members: Option<u16>) -> Self {
        Subject::of_seed_with(seed, members, |_| {})
    }

    /// The world of a seed after its drawn options were changed.
    #[must_use]
    pub fn of_seed_with(seed: u64, members: Option<u16>, change: impl FnOnce(&mut Options)) -> Self {
        let mut choices = Choices::from_seed(seed);
        let mut options = Options::draw(&mut choices, members);
        change(&mut options);
        Subject { options, choices }
    }

    /// The world.
    #[must_use]
    pub fn world(&self, transcript: Transcript) -> World {
        World::new(self.options.clone(), self.choices.clone(), transcript)
    }

    /// Runs the world for at most so many events; how it failed, if it did.
    #[must_use]
    pub fn fail(&self, events_max: u64) -> Option<Failure> {
        let choices = self.choices.clone().recording();
        let build = || World::new(self.options.clone(), choices, Transcript::default()).with_events_max(events_max);
        // Options that make no world fail in no way worth keeping.
        let ended = run_caught(|| build().run()).ok()?;
        let (events, planned, schedule) = (ended.events, ended.planned, ended.schedule);
        ended.violation.map(|violation| Failure { violation, events, planned, schedule })
    }
}
