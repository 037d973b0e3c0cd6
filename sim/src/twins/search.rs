//! Plays scenarios: all of a kind, or a sample. Scenarios that begin alike are played together up to where they part.

use std::ops::Range;

use super::canonical::{Moves, Symmetries, casts};
use super::cast::Cast;
use super::interest::Interests;
use super::scenario::{Round, Scenario};
use super::world::TwinWorld;
use crate::campaign::{run_caught, run_in_order};
use crate::choices::Choices;
use crate::violation::Violation;

/// How many violations are kept. One is enough to fail.
const FAILURES_KEPT: usize = 20;
/// How many rounds an attack of a sample has at most.
const ROUNDS_DRAWN_MAX: u64 = 3;

/// What an exploration found.
#[derive(Clone, Debug, Default)]
pub struct Exploration {
    /// How many scenarios were played to their end.
    pub scenarios: u64,
    /// How many there are before those that differ in names only are left out.
    pub all: u64,
    /// How many events the cores handled.
    pub steps: u64,
    /// The most virtual time that a scenario took, in milliseconds.
    pub longest_ms: u128,
    /// The highest view that a correct replica entered.
    pub view: u64,
    /// In how many scenarios the interesting things happened.
    pub interests: Interests,
    /// The scenarios that broke a rule.
    pub failures: Vec<(Scenario, Violation)>,
}

/// Which scenarios are enumerated.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// n.
    pub members: u8,
    /// How many of them run twice.
    pub twins: usize,
    /// How many rounds the attack has.
    pub rounds: usize,
    /// Which rounds there are.
    pub moves: Moves,
}

impl Exploration {
    /// Adds a scenario that was played to its end.
    fn add(&mut self, scenario: &Scenario, played: Result<TwinWorld, Violation>) {
        self.scenarios += 1;
        match played {
            Ok(world) => {
                self.steps += world.steps();
                self.longest_ms = self.longest_ms.max(world.lasted().as_millis());
                self.view = self.view.max(world.watch().view.0);
                self.interests.add(&world.watch().interests);
                if let Some(violation) = world.violation() {
                    self.fail(scenario, violation.clone());
                }
            }
            Err(violation) => self.fail(scenario, violation),
        }
    }

    fn fail(&mut self, scenario: &Scenario, violation: Violation) {
        self.failures.push((scenario.clone(), violation));
        self.failures.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.failures.truncate(FAILURES_KEPT);
    }

    /// Adds another exploration.
    pub fn merge(&mut self, other: Exploration) {
        self.scenarios += other.scenarios;
        self.all += other.all;
        self.steps += other.steps;
        self.longest_ms = self.longest_ms.max(other.longest_ms);
        self.view = self.view.max(other.view);
        self.interests.merge(&other.interests);
        for (scenario, violation) in other.failures {
            self.fail(&scenario, violation);
        }
    }
}

impl Kind {
    /// How many scenarios there are, those that differ in names only included.
    #[must_use]
    pub fn count(self) -> u64 {
        let power = u32::try_from(self.rounds).unwrap_or(u32::MAX);
        let of_cast = |cast: &Cast| (self.moves.rounds(cast).len() as u64).saturating_pow(power);
        casts(self.members, self.twins).iter().map(of_cast).sum()
    }

    /// Hands every canonical scenario to `visit`.
    pub fn visit(self, visit: &mut impl FnMut(&Scenario)) {
        let symmetries = Symmetries::of(self.members, self.twins, self.rounds);
        for cast in casts(self.members, self.twins) {
            let moves = self.moves.rounds(&cast);
            self.visit_from(&symmetries, &moves, Scenario { cast, rounds: Vec::new() }, visit);
        }
    }

    fn visit_from(
        self,
        symmetries: &Symmetries,
        moves: &[Round],
        scenario: Scenario,
        visit: &mut impl FnMut(&Scenario),
    ) {
        if !symmetries.is_canonical(&scenario) {
            return;
        }
        if scenario.rounds.len() == self.rounds {
            return visit(&scenario);
        }
        for round in moves {
            let mut longer = scenario.clone();
            longer.rounds.push(round.clone());
            self.visit_from(symmetries, moves, longer, visit);
        }
    }

    /// Plays every canonical scenario on `jobs` threads. `progress` hears how many were played.
    #[must_use]
    pub fn explore(self, jobs: usize, progress: &(dyn Fn(u64) + Sync)) -> Exploration {
        let symmetries = Symmetries::of(self.members, self.twins, self.rounds);
        let mut branches = Vec::new();
        for cast in casts(self.members, self.twins) {
            let moves = self.moves.rounds(&cast);
            branches.extend(moves.into_iter().map(|round| Scenario { cast: cast.clone(), rounds: vec![round] }));
        }
        branches.retain(|branch| symmetries.is_canonical(branch));
        let explore = |number: u64| {
            let mut found = Exploration::default();
            if let Some(branch) = usize::try_from(number).ok().and_then(|number| branches.get(number)) {
                let moves = self.moves.rounds(&branch.cast);
                let search = Search { kind: self, symmetries: &symmetries, moves: &moves };
                search.descend(&TwinWorld::new(&branch.cast), branch.clone(), &mut found);
            }
            progress(found.scenarios);
            found
        };
        let mut all = Exploration::default();
        run_in_order(0..branches.len() as u64, jobs, explore, |_, found| all.merge(found));
        Exploration { all: self.count(), ..all }
    }
}

/// One walk through the scenarios of a cast.
struct Search<'a> {
    kind: Kind,
    symmetries: &'a Symmetries,
    moves: &'a [Round],
}

impl Search<'_> {
    /// Plays the last round of `scenario` on `world`, and everything that may follow it.
    fn descend(&self, world: &TwinWorld, scenario: Scenario, found: &mut Exploration) {
        if !self.symmetries.is_canonical(&scenario) {
            return;
        }
        let Some(round) = scenario.rounds.last() else { return };
        let is_last = scenario.rounds.len() == self.kind.rounds;
        let played = run_caught(|| {
            let mut world = world.clone();
            world.play(round);
            if is_last {
                world.heal();
            }
            world
        });
        let world = match played {
            Ok(world) if !is_last && world.violation().is_none() => world,
            other => return found.add(&scenario, other),
        };
        for round in self.moves {
            let mut longer = scenario.clone();
            longer.rounds.push(round.clone());
            self.descend(&world, longer, found);
        }
    }
}

/// Plays one scenario to its end.
///
/// # Errors
/// A [`Violation`] when something panicked; one that a checker found is in the world.
pub fn play(mut world: TwinWorld, scenario: &Scenario) -> Result<TwinWorld, Violation> {
    run_caught(|| {
        for round in &scenario.rounds {
            world.play(round);
        }
        world.heal();
        world
    })
}

/// The scenario of a seed.
#[must_use]
pub fn scenario_of(seed: u64, members: u8, twins: usize, rounds_max: u64) -> Scenario {
    let mut choices = Choices::from_seed(seed);
    let all: Vec<_> = (0..u16::from(members)).map(quorate::ReplicaId).collect();
    let cast = Cast::new(members, choices.subset(&all, twins));
    Scenario::draw(&mut choices, &cast, rounds_max)
}

/// Plays the scenarios of these seeds on `jobs` threads, with as many twins as a committee of `members` bears.
#[must_use]
pub fn sample(members: u8, seeds: Range<u64>, jobs: usize, progress: &(dyn Fn(u64) + Sync)) -> Exploration {
    let twins = usize::from(members.saturating_sub(1) / 3);
    let play_seed = |seed| {
        let mut found = Exploration::default();
        let scenario = scenario_of(seed, members, twins, ROUNDS_DRAWN_MAX);
        found.add(&scenario, play(TwinWorld::new(&scenario.cast), &scenario));
        progress(1);
        found
    };
    let mut all = Exploration::default();
    run_in_order(seeds, jobs, play_seed, |_, found| all.merge(found));
    Exploration { all: all.scenarios, ..all }
}
