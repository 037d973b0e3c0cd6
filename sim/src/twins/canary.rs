//! More twins than the protocol bears: the checkers must see the fork that this makes possible, or they see nothing.

use super::cast::Cast;
use super::scenario::Scenario;
use super::search::{play, scenario_of};
use super::world::TwinWorld;
use crate::violation::Violation;

/// The committee of the canary, with f+1 twins.
const MEMBERS: u8 = 4;
const TWINS: usize = 2;
const ROUNDS_MAX: u64 = 3;

/// A fork that the checkers reported.
#[derive(Debug)]
pub struct Found {
    /// The seed.
    pub seed: u64,
    /// Its scenario.
    pub scenario: Scenario,
    /// The world as the fork left it.
    pub world: TwinWorld,
    /// What the checkers said.
    pub violation: Violation,
}

/// Looks for a fork; `None` when none of the first `seeds` seeds shows one.
#[must_use]
pub fn find_fork(seeds: u64) -> Option<Found> {
    (0..seeds).find_map(|seed| {
        let scenario = scenario_of(seed, MEMBERS, TWINS, ROUNDS_MAX);
        let world = play(witness(&scenario.cast), &scenario).ok()?;
        let violation = world.violation().filter(|violation| violation.checker == "agreement")?.clone();
        world.watch().fork()?;
        Some(Found { seed, scenario, world, violation })
    })
}

/// A world that goes on after the first violation, so that both sides of a fork are executed.
fn witness(cast: &Cast) -> TwinWorld {
    let mut world = TwinWorld::new(cast);
    world.outlives_violations = true;
    world
}
