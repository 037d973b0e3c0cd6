//! Which world is meant: that of a seed, or of a seed and a broken engine.

use std::fmt;

use clap::Args;
#[cfg(feature = "mutants")]
use quorate::mutants::Mutant;
#[cfg(feature = "mutants")]
use quorate_sim::mutants::all_cases;
use quorate_sim::shrink::{Failure, Subject};

#[derive(Debug, Args)]
pub(crate) struct SeedArguments {
    /// The seed.
    seed: Option<u64>,
    /// The size of the committee, instead of a drawn one.
    #[arg(long, value_parser = clap::value_parser!(u16).range(4..=64))]
    members: Option<u16>,
    /// The number of a mutant: the engine is broken, and the seed means what it means for `mutants`.
    #[cfg(feature = "mutants")]
    #[arg(long, value_parser = super::mutants::mutant, conflicts_with = "members")]
    mutant: Option<Mutant>,
}

impl SeedArguments {
    /// The world.
    pub(super) fn subject(&self) -> Subject {
        let seed = self.seed.unwrap_or_default();
        #[cfg(feature = "mutants")]
        if let Some(case) = all_cases().iter().find(|case| Some(case.mutant) == self.mutant) {
            return case.subject(seed);
        }
        Subject::of_seed(seed, self.members)
    }

    /// Breaks the engine, if that was asked for, until what is returned is dropped.
    #[cfg(feature = "mutants")]
    pub(super) fn break_engine(&self) -> Option<impl Drop + use<>> {
        self.mutant.map(Mutant::awake)
    }

    /// There is nothing to break.
    #[cfg(not(feature = "mutants"))]
    pub(super) fn break_engine(&self) -> Option<()> {
        None
    }

    /// The argument that breaks the engine in the same way.
    #[cfg(feature = "mutants")]
    pub(super) fn engine(&self) -> String {
        self.mutant.map(|mutant| format!(" --mutant {}", mutant.number())).unwrap_or_default()
    }

    /// There is nothing to break.
    #[cfg(not(feature = "mutants"))]
    pub(super) fn engine(&self) -> &'static str {
        ""
    }

    /// How a world fails within so many events: with the broken engine and not without.
    #[cfg(feature = "mutants")]
    pub(super) fn fail(&self, subject: &Subject, events_max: u64) -> Option<Failure> {
        let failure = {
            let _broken = self.break_engine();
            subject.fail(events_max)?
        };
        let fails_alike = |other: Failure| other.violation.is_like(&failure.violation);
        let fails_anyway = self.mutant.is_some() && subject.fail(events_max).is_some_and(fails_alike);
        (!fails_anyway).then_some(failure)
    }

    /// How a world fails within so many events.
    #[cfg(not(feature = "mutants"))]
    pub(super) fn fail(&self, subject: &Subject, events_max: u64) -> Option<Failure> {
        subject.fail(events_max)
    }
}

impl fmt::Display for SeedArguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.seed.unwrap_or_default().fmt(f)
    }
}
