//! [`Timeline`]: a line each second of what is offered and done, and of how the absent replica is.

use std::fmt;
use std::io::{Write, stdout};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use quorate::ReplicaId;
use serde::Serialize;

use super::look::Look;
use crate::load::Paid;

/// The time that a line stands for.
const SECOND: Duration = Duration::from_secs(1);
/// Significant digits of latencies.
pub(super) const DIGITS: u8 = 3;
/// The longest latency that is told apart from longer ones.
pub(super) const LATENCY_MICROS_MAX: u64 = 600_000_000;

/// The parts of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Phase {
    /// All replicas are there, and the clients pay as fast as they are answered.
    Peak,
    /// One is away, and operations pass as fast as they are answered.
    Away,
    /// It is still away; payments come at the rate that the claims are about.
    Before,
    /// It was started again; payments come at that rate.
    CatchUp,
    /// It executes at the head again.
    After,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Phase::Peak => "peak",
            Phase::Away => "away",
            Phase::Before => "before",
            Phase::CatchUp => "catch-up",
            Phase::After => "after",
        })
    }
}

/// One second.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Row {
    second: u64,
    phase: Phase,
    offered: u64,
    done: u64,
    p50_ms: Option<f64>,
    p99_ms: Option<f64>,
    slot: Option<u64>,
    lag: Option<u64>,
    state: String,
}

/// A line each second, written as it passes, and kept.
#[derive(Debug)]
pub(super) struct Timeline {
    started: Instant,
    /// When the second under way ends.
    ends: Instant,
    latencies: Histogram<u64>,
    done: u64,
    offered_before: u64,
    rows: Vec<Row>,
}

impl Timeline {
    /// Begins, with the headings. So many payments were offered before.
    pub(super) fn begin(absent: ReplicaId, offered: u64) -> Self {
        let started = Instant::now();
        write(&format!(
            "{:>4}  {:<8}  {:>7}  {:>7}  {:>7}  {:>7}  {:>9}  {:>7}  replica {absent}",
            "sec",
            "phase",
            "offered",
            "done/s",
            "p50 ms",
            "p99 ms",
            format!("slot of {absent}"),
            "lag"
        ));
        Timeline {
            started,
            ends: started + SECOND,
            latencies: Histogram::new_with_max(LATENCY_MICROS_MAX, DIGITS).expect("both are within its range"),
            done: 0,
            offered_before: offered,
            rows: Vec::new(),
        }
    }

    /// Counts a payment.
    pub(super) fn count(&mut self, paid: &Paid) {
        if paid.result.is_ok() {
            self.done += 1;
            self.latencies.saturating_record(u64::try_from(paid.latency().as_micros()).unwrap_or(u64::MAX));
        }
    }

    /// Writes a line if a second is over.
    pub(super) fn look(&mut self, phase: Phase, offered: u64, look: &Look) {
        let now = Instant::now();
        if now < self.ends {
            return;
        }
        let quantile = |quantile| self.latencies.value_at_quantile(quantile) as f64 / 1_000.0;
        let row = Row {
            second: (now - self.started).as_secs(),
            phase,
            offered: offered.saturating_sub(self.offered_before),
            done: self.done,
            p50_ms: (self.done > 0).then(|| quantile(0.5)),
            p99_ms: (self.done > 0).then(|| quantile(0.99)),
            slot: look.slot(),
            lag: look.lag(),
            state: look.state(),
        };
        write(&row.to_string());
        self.rows.push(row);
        self.latencies.reset();
        (self.done, self.offered_before) = (0, offered);
        // A look that comes late makes one long line, not several empty ones.
        while self.ends <= now {
            self.ends += SECOND;
        }
    }

    /// All lines.
    pub(super) fn into_rows(self) -> Vec<Row> {
        self.rows
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Row { second, phase, offered, done, .. } = self;
        let number = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
        let millis = |millis: Option<f64>| millis.map_or_else(|| "-".to_owned(), |millis| format!("{millis:.1}"));
        let (p50, p99) = (millis(self.p50_ms), millis(self.p99_ms));
        let (slot, lag) = (number(self.slot), number(self.lag));
        write!(
            f,
            "{second:>4}  {phase:<8}  {offered:>7}  {done:>7}  {p50:>7}  {p99:>7}  {slot:>9}  {lag:>7}  {}",
            self.state
        )
    }
}

/// Whoever closed stdout reads the exit code.
pub(super) fn write(line: &str) {
    let _ = writeln!(stdout(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_was_done_and_how_the_absent_replica_is() {
        let row = Row {
            second: 12,
            phase: Phase::CatchUp,
            offered: 1216,
            done: 1209,
            p50_ms: Some(31.25),
            p99_ms: Some(88.0),
            slot: Some(512),
            lag: Some(1801),
            state: "applying the log".into(),
        };
        let expected = "  12  catch-up     1216     1209     31.2     88.0        512     1801  applying the log";
        assert_eq!(row.to_string(), expected);
        let away = Row { p50_ms: None, p99_ms: None, slot: None, lag: None, state: "away".into(), ..row };
        assert_eq!(away.to_string(), "  12  catch-up     1216     1209        -        -          -        -  away");
    }
}
