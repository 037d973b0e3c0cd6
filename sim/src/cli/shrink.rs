//! `shrink`: a failing seed made small enough for a person.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{ArgGroup, Args};
use quorate_sim::shrink::{Progress, Shrunk, Subject, shrink_as};

use super::arguments::WRONG_ARGUMENTS;
use super::subjects::SeedArguments;

/// A chart is no longer.
pub(super) const CHART_LINES: usize = 60;
/// How often whoever waits is told how far it is.
const PROGRESS_EVERY: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("world").required(true).args(["seed"]))]
pub(crate) struct ShrinkArguments {
    #[command(flatten)]
    seed: SeedArguments,
    /// How long it may take, in seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Where the small world is kept, for `replay --schedule`.
    #[arg(long)]
    out: Option<PathBuf>,
}

impl ShrinkArguments {
    pub(crate) fn carry_out(&self) -> u8 {
        let time = Duration::from_secs(self.seconds);
        let fails = |subject: &Subject, events_max| self.seed.fail(subject, events_max);
        let Some(shrunk) = shrink_as(self.seed.subject(), &fails, &mut clock(time)) else {
            println!("seed {} breaks no rule", self.seed);
            return 0;
        };
        let _broken = self.seed.break_engine();
        print(&shrunk);
        if let Some(path) = &self.out {
            if let Err(error) = std::fs::write(path, shrunk.to_file().to_text()) {
                eprintln!("{}: {error}", path.display());
                return WRONG_ARGUMENTS;
            }
            println!("\nquorate-sim replay --schedule {}{}", path.display(), self.seed.engine());
        }
        shrunk.failure.violation.class.exit_code()
    }
}

/// Says which share of this time is used up, and tells whoever waits now and then.
pub(super) fn clock(time: Duration) -> impl FnMut(&Progress) -> f64 {
    let (started, mut printed) = (Instant::now(), Instant::now());
    move |progress| {
        if printed.elapsed() > PROGRESS_EVERY {
            printed = Instant::now();
            let Progress { stage, attempts, events } = progress;
            eprintln!("{stage}: {attempts} worlds tried, the smallest fails after {events} events");
        }
        started.elapsed().as_secs_f64() / time.as_secs_f64().max(f64::EPSILON)
    }
}

/// What is left, as a chart.
pub(super) fn print(shrunk: &Shrunk) {
    for line in shrunk.chart(CHART_LINES) {
        println!("{line}");
    }
}
