//! The search for a seed that shows a mutant.

use std::collections::BTreeMap;
use std::time::Duration;

use quorate::mutants::Mutant;

use super::case::Case;
use super::clock::worked;
use crate::campaign::run_caught;
use crate::violation::Violation;

/// What became of a search.
#[derive(Clone, Debug)]
pub struct Hunt {
    /// What was searched for.
    pub mutant: Mutant,
    /// How many seeds ran.
    pub seeds: u64,
    /// How many events that were.
    pub events: u64,
    /// The processor time that it took.
    pub took: Duration,
    /// Who noticed it; `None` when nobody did in time.
    pub catch: Option<Catch>,
    /// How many seeds were ended by a checker that is not expected to notice this mutant.
    pub others: BTreeMap<&'static str, u64>,
}

/// A seed in which a mutant was noticed.
#[derive(Clone, Debug)]
pub struct Catch {
    /// The seed.
    pub seed: u64,
    /// What the checker said.
    pub violation: Violation,
    /// What the same seed finds without the mutant: nothing, or the catch is worth nothing.
    pub without: Option<Violation>,
}

impl Hunt {
    /// Whether the mutant was noticed, and by what is silent without it.
    #[must_use]
    pub fn is_caught(&self) -> bool {
        self.catch.as_ref().is_some_and(|catch| catch.without.is_none())
    }
}

/// Runs seeds from 0 on until an expected checker notices the mutant, for at most so much processor time.
#[must_use]
pub fn hunt(case: &Case, limit: Duration) -> Hunt {
    let started = worked();
    let mut hunt =
        Hunt { mutant: case.mutant, seeds: 0, events: 0, took: Duration::ZERO, catch: None, others: BTreeMap::new() };
    while hunt.catch.is_none() && hunt.took < limit {
        let seed = hunt.seeds;
        let violation = {
            let _awake = case.mutant.awake();
            run(case, seed, &mut hunt.events)
        };
        hunt.seeds += 1;
        hunt.took = worked().saturating_sub(started);
        match violation {
            Some(violation) if case.checkers.contains(&violation.checker) => {
                let without = run(case, seed, &mut 0);
                hunt.catch = Some(Catch { seed, violation, without });
            }
            Some(violation) => *hunt.others.entry(violation.checker).or_default() += 1,
            None => {}
        }
    }
    hunt
}

/// Runs so many seeds of a case with the engine as it is; those that fail, which none should.
#[must_use]
pub fn run_unbroken(case: &Case, seeds: u64) -> Vec<(u64, Violation)> {
    (0..seeds).filter_map(|seed| run(case, seed, &mut 0).map(|violation| (seed, violation))).collect()
}

fn run(case: &Case, seed: u64, events: &mut u64) -> Option<Violation> {
    match run_caught(|| case.world(seed).run()) {
        Ok(ended) => {
            *events += ended.events;
            ended.violation
        }
        Err(violation) => Some(violation),
    }
}
