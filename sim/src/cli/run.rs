//! `run`: many seeds.

use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use clap::Args;
use quorate_sim::campaign::{Summary, run_checked, run_in_order};
use quorate_sim::chart::wrapped;
use quorate_sim::violation::Violation;

use super::table::{self, Pace};

/// How often whoever waits is told how far it is.
const PROGRESS_EVERY: Duration = Duration::from_secs(5);
/// A failure is told in at most so many lines.
const FAILURE_LINES: usize = 3;

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// How many.
    #[arg(long)]
    seeds: u64,
    /// The first.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// In how many threads; as many as there are cores if it is left out.
    #[arg(long)]
    jobs: Option<usize>,
    /// The size of the committee, instead of a drawn one.
    #[arg(long, value_parser = clap::value_parser!(u16).range(4..=64))]
    members: Option<u16>,
}

impl RunArguments {
    pub(crate) fn carry_out(&self) -> u8 {
        let jobs = self.jobs.unwrap_or_else(cores).max(1);
        let (started, mut printed) = (Instant::now(), Instant::now());
        let mut summary = Summary::default();
        let run = |seed| run_checked(seed, self.members);
        run_in_order(self.from..self.from.saturating_add(self.seeds), jobs, run, |seed, result| {
            let before = summary.failures.len();
            summary.add(seed, result);
            if let Some((seed, violation)) = summary.failures.get(before) {
                self.print_failure(*seed, violation);
            }
            if printed.elapsed() > PROGRESS_EVERY {
                printed = Instant::now();
                let pace = Pace { elapsed: started.elapsed(), jobs };
                eprintln!("{}", pace.progress(&summary, self.seeds));
            }
        });
        table::print(&summary, Pace { elapsed: started.elapsed(), jobs });
        self.print_failures(&summary);
        if let Some(commit) = option_env!("QUORATE_COMMIT") {
            println!("  commit {commit}");
        }
        summary.exit_code()
    }

    fn print_failures(&self, summary: &Summary) {
        for (seed, violation) in &summary.failures {
            self.print_failure(*seed, violation);
        }
    }

    /// What was found, and how it is seen again.
    fn print_failure(&self, seed: u64, violation: &Violation) {
        let members = self.members.map(|members| format!(" --members {members}")).unwrap_or_default();
        println!("seed {seed}: {}", wrapped(&violation.to_string(), FAILURE_LINES).join("\n    "));
        println!("    quorate-sim replay {seed}{members}");
        println!("    quorate-sim shrink {seed}{members}");
    }
}

pub(super) fn cores() -> usize {
    available_parallelism().map_or(1, std::num::NonZero::get)
}
