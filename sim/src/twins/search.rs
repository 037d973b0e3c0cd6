//! Plays scenarios: all of a kind, or a sample. Scenarios that begin alike are played together up to where they part.

use std::ops::Range;

use super::canonical::{Moves, RoundChoices, Symmetries, casts};
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
    /// In how many scenarios a rule was broken.
    pub broken: u64,
    /// The first of them.
    pub failures: Vec<(Scenario, Violation)>,
}

/// One of so many equal parts of an enumeration, by the first rounds, so that several machines can share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which, from 0.
    pub number: usize,
    /// Of how many.
    pub of: usize,
}

impl Part {
    /// All of it.
    pub const WHOLE: Part = Part { number: 0, of: 1 };
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
                    self.broken += 1;
                    self.keep(scenario, violation.clone());
                }
            }
            Err(violation) => {
                self.broken += 1;
                self.keep(scenario, violation);
            }
        }
    }

    fn keep(&mut self, scenario: &Scenario, violation: Violation) {
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
        self.broken += other.broken;
        for (scenario, violation) in other.failures {
            self.keep(&scenario, violation);
        }
    }
}

impl Kind {
    /// How many scenarios there are, those that differ in names only included.
    #[must_use]
    pub fn count(self) -> u64 {
        let of_cast = |cast: &Cast| {
            let choices = self.moves.rounds(cast);
            (0..self.rounds).map(|played| choices.after(played).len() as u64).product::<u64>()
        };
        casts(self.members, self.twins).iter().map(of_cast).sum()
    }

    /// Hands every canonical scenario to `visit`.
    pub fn visit(self, visit: &mut impl FnMut(&Scenario)) {
        let symmetries = Symmetries::of(self.members, self.twins, self.rounds);
        for cast in casts(self.members, self.twins) {
            let choices = self.moves.rounds(&cast);
            self.visit_from((&symmetries, &choices), Scenario { cast, rounds: Vec::new() }, visit);
        }
    }

    fn visit_from(
        self,
        (symmetries, choices): (&Symmetries, &RoundChoices),
        scenario: Scenario,
        visit: &mut impl FnMut(&Scenario),
    ) {
        if !symmetries.is_canonical(&scenario) {
            return;
        }
        if scenario.rounds.len() == self.rounds {
            return visit(&scenario);
        }
        for round in choices.after(scenario.rounds.len()) {
            let mut longer = scenario.clone();
            longer.rounds.push(round.clone());
            self.visit_from((symmetries, choices), longer, visit);
        }
    }

    /// Plays a part of the canonical scenarios on `jobs` threads. `progress` hears how many were played.
    #[must_use]
    pub fn explore(self, part: Part, jobs: usize, progress: &(dyn Fn(u64) + Sync)) -> Exploration {
        let symmetries = Symmetries::of(self.members, self.twins, self.rounds);
        let mut branches = Vec::new();
        for cast in casts(self.members, self.twins) {
            let choices = self.moves.rounds(&cast);
            let branch = |round: &Round| Scenario { cast: cast.clone(), rounds: vec![round.clone()] };
            branches.extend(choices.after(0).iter().map(branch));
        }
        branches.retain(|branch| symmetries.is_canonical(branch));
        let branches: Vec<_> = branches.into_iter().skip(part.number).step_by(part.of.max(1)).collect();
        let explore = |number: u64| {
            let mut found = Exploration::default();
            if let Some(branch) = usize::try_from(number).ok().and_then(|number| branches.get(number)) {
                let choices = self.moves.rounds(&branch.cast);
                let search = Search { kind: self, symmetries: &symmetries, choices: &choices };
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
    choices: &'a RoundChoices,
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
        for round in self.choices.after(scenario.rounds.len()) {
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
