//! `replay`: one seed or schedule again, with its chart.

use std::error::Error;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{ArgGroup, Args};
use quorate::{SeqNum, View};
use quorate_sim::campaign::run_caught;
use quorate_sim::chart::{Chart, Filter, wrapped};
use quorate_sim::shrink::{FILE_BYTES_MAX, ScheduleFile, Subject};
use quorate_sim::transcript::Transcript;
use quorate_sim::violation::Violation;
use quorate_sim::world::Ended;

use super::arguments::WRONG_ARGUMENTS;
use super::subjects::SeedArguments;

/// How much of a world is remembered for its chart.
const ENTRIES_MAX: usize = 1 << 19;
/// How many rows are drawn when nobody says how many.
const LINES: usize = 200;
/// No violation is longer.
const VIOLATION_LINES: usize = 40;

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("world").required(true).args(["seed", "schedule"]))]
pub(crate) struct ReplayArguments {
    #[command(flatten)]
    seed: SeedArguments,
    /// A file that `shrink` wrote, instead of a seed.
    #[arg(long, conflicts_with = "members")]
    schedule: Option<PathBuf>,
    /// Prints what was drawn, too.
    #[arg(long)]
    options: bool,
    #[command(flatten)]
    view: ChartArguments,
}

/// Which part of a chart is wanted.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct ChartArguments {
    /// The last so many rows; 0 for all of them.
    #[arg(long, default_value_t = LINES)]
    lines: usize,
    /// From this moment on, in milliseconds of virtual time.
    #[arg(long)]
    from: Option<u64>,
    /// Until this moment, in milliseconds.
    #[arg(long)]
    to: Option<u64>,
    /// What is about this slot, with view changes and faults.
    #[arg(long)]
    slot: Option<u64>,
    /// What is about this view, with faults.
    #[arg(long)]
    view: Option<u64>,
    /// Heartbeats, duplicates and other noise, too.
    #[arg(long)]
    noise: bool,
}

impl ChartArguments {
    fn filter(&self) -> Filter {
        Filter {
            from: self.from.map(Duration::from_millis),
            to: self.to.map(Duration::from_millis),
            slot: self.slot.map(SeqNum),
            view: self.view.map(View),
            noise: self.noise,
            lines: (self.lines > 0).then_some(self.lines),
        }
    }
}

impl ReplayArguments {
    pub(crate) fn carry_out(&self) -> u8 {
        let subject = match &self.schedule {
            Some(path) => match read(path) {
                Ok(subject) => subject,
                Err(error) => {
                    eprintln!("{}: {error}", path.display());
                    return WRONG_ARGUMENTS;
                }
            },
            None => self.seed.subject(),
        };
        if self.options {
            println!("{:#?}", subject.options);
        }
        let _broken = self.seed.break_engine();
        show(&subject, self.view)
    }
}

/// Reads a schedule. A file that is too large is not read to its end.
fn read(path: &Path) -> Result<Subject, Box<dyn Error>> {
    let mut text = String::new();
    File::open(path)?.take(FILE_BYTES_MAX as u64 + 1).read_to_string(&mut text)?;
    Ok(ScheduleFile::parse(&text)?.to_subject()?)
}

/// Runs a world, draws it, and says how it ended.
fn show(subject: &Subject, view: ChartArguments) -> u8 {
    let transcript = Transcript::keeping(ENTRIES_MAX);
    let result = run_caught(|| subject.world(transcript.clone()).run());
    let chart = Chart::new(&subject.options, transcript.entries()).filtered(&view.filter());
    for line in chart.lines() {
        println!("{line}");
    }
    if transcript.forgotten() > 0 {
        println!("{} older entries are forgotten", transcript.forgotten());
    }
    let violation = match result {
        Ok(ended) => conclude(ended),
        Err(violation) => Some(violation),
    };
    match &violation {
        None => println!("nothing was broken"),
        Some(violation) => {
            wrapped(&violation.to_string(), VIOLATION_LINES).iter().for_each(|line| println!("{line}"));
        }
    }
    violation.map_or(0, |violation| violation.class.exit_code())
}

fn conclude(ended: Ended) -> Option<Violation> {
    println!("{}", ended.counters);
    println!("trace {:016x}, {} events, {:?} of virtual time", ended.trace, ended.events, ended.lasted);
    ended.violation
}
