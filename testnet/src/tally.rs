//! [`Tally`]: what the clients have measured and been told.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use quorate::SeqNum;

use crate::load::Paid;

/// Problems that are kept in words; further ones are counted.
const PROBLEMS_MAX: usize = 20;
/// Significant digits of latencies.
const DIGITS: u8 = 3;
/// The longest latency that is told apart from longer ones: far beyond the time-out of a call.
const LATENCY_MICROS_MAX: u64 = 600_000_000;

/// What the clients have measured and been told.
#[derive(Debug)]
pub struct Tally {
    started: Instant,
    last: Option<Instant>,
    answered: u64,
    acknowledged: u64,
    latencies: Histogram<u64>,
    places: BTreeSet<(SeqNum, u32)>,
    problems_found: u64,
    problems: Vec<String>,
    pauses: Vec<Pause>,
}

/// What a kill cost the clients: the longest time, from the kill on and until the next kill, in which no client got any
/// acknowledgement. The kill itself is where the first such time begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pause {
    quiet_since: Instant,
    longest: Duration,
}

impl Tally {
    /// Begins to count, and to measure the time.
    #[must_use]
    pub fn new(started: Instant) -> Self {
        Tally {
            started,
            last: None,
            answered: 0,
            acknowledged: 0,
            latencies: Histogram::new_with_max(LATENCY_MICROS_MAX, DIGITS).expect("both are within its range"),
            places: BTreeSet::new(),
            problems_found: 0,
            problems: Vec::new(),
            pauses: Vec::new(),
        }
    }

    /// Counts one payment.
    pub fn count(&mut self, paid: &Paid) {
        self.answered += 1;
        let posted = match &paid.result {
            Ok(posted) => posted,
            Err(error) => return self.complain(format!("payment {}: {error}", paid.payment)),
        };
        self.acknowledged += 1;
        self.last = self.last.max(Some(paid.answered));
        let micros = u64::try_from(paid.latency().as_micros()).unwrap_or(u64::MAX);
        self.latencies.saturating_record(micros);
        if let Some(pause) = self.pauses.last_mut() {
            pause.acknowledged(paid.answered);
        }
        if !self.places.insert((posted.seq, posted.index)) {
            let problem = format!("two payments are told to stand at place {} of slot {}", posted.index, posted.seq);
            self.complain(problem);
        }
    }

    fn complain(&mut self, problem: String) {
        self.problems_found += 1;
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem);
        }
    }

    /// A primary is killed now.
    pub fn killed(&mut self, now: Instant) {
        self.pauses.push(Pause { quiet_since: now, longest: Duration::ZERO });
    }

    /// Payments that were acknowledged.
    #[must_use]
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// Payments that have a result, good or bad.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.answered
    }

    /// What went wrong, in words; after the first few only how much more.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let more = self.problems_found.saturating_sub(PROBLEMS_MAX as u64);
        let rest = (more > 0).then(|| format!("and {more} more problems with payments"));
        self.problems.iter().cloned().chain(rest).collect()
    }

    /// From the start to the last acknowledgement.
    #[must_use]
    pub fn took(&self) -> Duration {
        self.last.map_or(Duration::ZERO, |last| last.duration_since(self.started))
    }

    /// Acknowledged payments per second.
    #[must_use]
    pub fn throughput(&self) -> f64 {
        let seconds = self.took().as_secs_f64();
        if seconds > 0.0 { self.acknowledged as f64 / seconds } else { 0.0 }
    }

    /// The latency within which this part of the payments was acknowledged.
    #[must_use]
    pub fn latency(&self, quantile: f64) -> Duration {
        Duration::from_micros(self.latencies.value_at_quantile(quantile))
    }

    /// The pause after each kill.
    #[must_use]
    pub fn pauses(&self) -> Vec<Duration> {
        self.pauses.iter().map(|pause| pause.longest).collect()
    }
}

impl Pause {
    fn acknowledged(&mut self, at: Instant) {
        // An acknowledgement from before the kill may be counted after it.
        if let Some(quiet) = at.checked_duration_since(self.quiet_since) {
            self.longest = self.longest.max(quiet);
            self.quiet_since = at;
        }
    }
}

#[cfg(test)]
mod tests {
    use quorate_node::LedgerError;
    use quorate_node::ledger_client::Posted;

    use super::*;

    fn paid(start: Instant, answered_ms: u64, place: (u64, u32)) -> Paid {
        Paid {
            payment: 0,
            submitted: start,
            answered: start + Duration::from_millis(answered_ms),
            result: Ok(Posted { seq: SeqNum(place.0), index: place.1 }),
        }
    }

    #[test]
    fn the_pause_is_the_longest_quiet_time_from_the_kill_to_the_next_kill() {
        let start = Instant::now();
        let mut tally = Tally::new(start);
        tally.count(&paid(start, 900, (1, 0)));
        tally.killed(start + Duration::from_millis(1000));
        for (at, index) in [(990, 1), (1010, 2), (1700, 3), (1750, 4)] {
            tally.count(&paid(start, at, (1, index)));
        }
        tally.killed(start + Duration::from_millis(5000));
        tally.count(&paid(start, 5300, (2, 0)));
        assert_eq!(tally.pauses(), [Duration::from_millis(690), Duration::from_millis(300)]);
        assert_eq!(tally.acknowledged(), 6);
        assert_eq!(tally.took(), Duration::from_millis(5300));
        assert_eq!(tally.latency(1.0).as_millis(), 5300);
    }

    #[test]
    fn a_place_that_is_named_twice_and_a_failed_payment_are_problems() {
        let start = Instant::now();
        let mut tally = Tally::new(start);
        tally.count(&paid(start, 1, (7, 3)));
        tally.count(&paid(start, 2, (7, 3)));
        tally.count(&Paid { result: Err(LedgerError::OverLimit("any")), ..paid(start, 3, (7, 4)) });
        let expected =
            ["two payments are told to stand at place 3 of slot 7", "payment 0: beyond a limit of the network: any"];
        assert_eq!(tally.problems(), expected);
    }
}
