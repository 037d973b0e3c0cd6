//! `mutants`: breaks the engine in every known way; each time a checker must say so.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use quorate::mutants::Mutant;
use quorate_sim::campaign::run_in_order;
use quorate_sim::mutants::{Case, Hunt, all_cases, hunt, run_unbroken};

/// The exit code when a mutant was not noticed.
const SURVIVED: u8 = 4;
/// How long a mutant may live. Processor time.
const LIMIT: Duration = Duration::from_secs(60);
const TEXT_CHARACTERS: usize = 110;

#[derive(Debug, Args)]
pub(crate) struct MutantsArguments {
    /// Only the mutants with these numbers.
    #[arg(long, value_delimiter = ',', value_parser = mutant)]
    only: Vec<Mutant>,
    /// Only those that take little time.
    #[arg(long)]
    quick: bool,
    /// How many threads search.
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// Runs so many seeds of each mutant's worlds with the engine as it is: they must pass.
    #[arg(long)]
    unbroken: Option<u64>,
}

pub(super) fn mutant(text: &str) -> Result<Mutant, String> {
    let number = text.parse().map_err(|_| format!("{text} is no number"))?;
    Mutant::of_number(number).ok_or_else(|| format!("the mutants have the numbers 1 to {}", Mutant::ALL.len()))
}

impl MutantsArguments {
    pub(crate) fn carry_out(&self) -> u8 {
        let cases: Vec<_> = all_cases().into_iter().filter(|case| self.wants(case)).collect();
        if let Some(seeds) = self.unbroken {
            return self.run_unbroken(&cases, seeds);
        }
        println!("{:>2}  {:<32} {:<20} {:>6} {:>9} {:>7}", "", "mutant", "caught by", "seed", "events", "time");
        let mut caught = 0;
        let search = |place| case_at(&cases, place).map(|case| hunt(case, LIMIT));
        run_in_order(0..cases.len() as u64, self.jobs, search, |_, hunt| {
            if let Some(hunt) = hunt {
                caught += usize::from(hunt.is_caught());
                print(&hunt);
            }
        });
        println!("{caught} of {} caught; quorate-sim shrink SEED --mutant NUMBER draws one", cases.len());
        if caught == cases.len() { 0 } else { SURVIVED }
    }

    fn run_unbroken(&self, cases: &[Case], seeds: u64) -> u8 {
        let mut failed = 0;
        let run = |place| Some((case_at(cases, place)?.mutant, run_unbroken(case_at(cases, place)?, seeds)));
        run_in_order(0..cases.len() as u64, self.jobs, run, |_, result| {
            let Some((mutant, failures)) = result else { return };
            println!("{:>2}  {:<32} {} of {seeds} seeds fail", mutant.number(), mutant.name(), failures.len());
            for (seed, violation) in failures {
                failed = violation.class.exit_code().max(failed);
                println!("      seed {seed}: {}", shortened(&violation.to_string()));
            }
        });
        failed
    }

    fn wants(&self, case: &Case) -> bool {
        (self.only.is_empty() || self.only.contains(&case.mutant)) && (case.is_quick || !self.quick)
    }
}

fn case_at(cases: &[Case], place: u64) -> Option<&Case> {
    cases.get(usize::try_from(place).ok()?)
}

fn print(hunt: &Hunt) {
    let (checker, seed) = match &hunt.catch {
        Some(catch) => (catch.violation.checker, catch.seed.to_string()),
        None => ("SURVIVED", format!("<{}", hunt.seeds)),
    };
    let (number, name) = (hunt.mutant.number(), hunt.mutant.name());
    let seconds = hunt.took.as_secs_f64();
    println!("{number:>2}  {name:<32} {checker:<20} {seed:>6} {:>9} {seconds:>6.2}s", hunt.events);
    if let Some(catch) = &hunt.catch {
        println!("      {}", shortened(&catch.violation.text));
        if let Some(without) = &catch.without {
            println!("      WORTH NOTHING: without the mutant the same seed finds {}", shortened(&without.to_string()));
        }
    }
    if !hunt.others.is_empty() {
        println!("      seeds that others ended: {}", listed(&hunt.others));
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(TEXT_CHARACTERS).collect()
}

fn listed(counts: &BTreeMap<&'static str, u64>) -> String {
    counts.iter().map(|(checker, count)| format!("{checker} {count}")).collect::<Vec<_>>().join(", ")
}
