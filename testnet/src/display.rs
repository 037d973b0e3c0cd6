//! What is shown while a run goes on, on stderr: a bar and a table on a terminal, a line now and then elsewhere.

use std::fmt;
use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};

use crate::replica_status::{Observation, table};
use crate::tally::Tally;

/// The time between two lines where there is no terminal.
const LINES: Duration = Duration::from_secs(2);

/// What is shown while a run goes on.
#[derive(Debug)]
pub enum Display {
    /// On a terminal.
    Live {
        /// Keeps the bar and the table below other output.
        screen: MultiProgress,
        /// Payments.
        bar: ProgressBar,
        /// Replicas.
        table: ProgressBar,
    },
    /// Elsewhere.
    Plain {
        /// How many payments there are.
        payments: u64,
        /// When the last line was written.
        last: Instant,
    },
}

impl Display {
    /// Shows a run with so many payments.
    #[must_use]
    pub fn new(payments: u64) -> Self {
        if !stderr().is_terminal() {
            return Display::Plain { payments, last: Instant::now() };
        }
        let screen = MultiProgress::new();
        let style = |template| ProgressStyle::with_template(template).expect("the template is well formed");
        let bar = screen.add(ProgressBar::new(payments));
        let rate = |state: &ProgressState, text: &mut dyn fmt::Write| {
            // A bar that cannot be drawn is no reason to stop.
            let _ = write!(text, "{:.0}", state.per_sec());
        };
        let payments_style = style("{bar:40} {human_pos}/{human_len} payments  {rate} per second  {elapsed}");
        bar.set_style(payments_style.with_key("rate", rate));
        let table = screen.add(ProgressBar::new(0));
        table.set_style(style("{msg}"));
        Display::Live { screen, bar, table }
    }

    /// Says that something has happened.
    pub fn say(&self, what: &str) {
        match self {
            // A terminal that is gone does not want to know.
            Display::Live { screen, .. } => drop(screen.println(what)),
            Display::Plain { .. } => write_line(what),
        }
    }

    /// Shows how far the run is.
    pub fn update(&mut self, tally: &Tally, observations: &[Observation]) {
        match self {
            Display::Live { bar, table: rows, .. } => {
                bar.set_position(tally.answered());
                rows.set_message(table(observations));
            }
            Display::Plain { payments, last } if last.elapsed() >= LINES => {
                *last = Instant::now();
                write_line(&format!("{} of {payments} payments; {}", tally.answered(), in_a_line(observations)));
            }
            Display::Plain { .. } => {}
        }
    }

    /// Leaves the last state of the replicas on the screen and ends.
    pub fn finish(self) {
        if let Display::Live { bar, table, .. } = self {
            bar.finish_and_clear();
            let last = table.message();
            table.finish_and_clear();
            write_line(&format!("{last}\n"));
        }
    }
}

fn in_a_line(observations: &[Observation]) -> String {
    let one = |(index, found): (usize, &Observation)| match found.status() {
        Some(status) => format!("replica {index}: view {}, slot {}", status.view, status.executed),
        None => format!("replica {index}: {}", found.state()),
    };
    observations.iter().enumerate().map(one).collect::<Vec<_>>().join("; ")
}

/// Whoever closed stderr does not want to know, and the run shall end in order all the same.
pub(crate) fn write_line(line: &str) {
    let _ = writeln!(stderr(), "{line}");
}
