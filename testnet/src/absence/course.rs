//! [`Course`]: the replicas of one case under load, looked at ten times a second.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use quorate::ReplicaId;
use serde::Serialize;
use tokio::time::{Interval, MissedTickBehavior};

use super::drive::{Drive, Pace};
use super::look::Look;
use super::timeline::{DIGITS, LATENCY_MICROS_MAX, Phase, Row, Timeline};
use crate::cluster::Cluster;
use crate::error::TestnetError;
use crate::faults::too_late;
use crate::load::Paid;
use crate::run::is_settled;
use crate::tally::Tally;

/// How often the replicas are looked at.
const LOOKS: Duration = Duration::from_millis(100);
/// How long the last answers, and then the same slot on all replicas, may take.
const SETTLE_PATIENCE: Duration = Duration::from_secs(30);
/// The replicas of one case under load.
pub(super) struct Course<'a> {
    cluster: &'a mut Cluster,
    drive: Drive,
    absent: ReplicaId,
    timeline: Timeline,
    tally: Tally,
    answers: Vec<Answer>,
    looks: Interval,
}

/// An acknowledged payment.
#[derive(Clone, Copy, Debug)]
struct Answer {
    at: Instant,
    latency: Duration,
}

/// How things are at one look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment<'a> {
    /// How the replicas were found.
    pub(super) look: &'a Look,
    /// Payments that were acknowledged so far.
    pub(super) acknowledged: u64,
    /// Payments that have no answer yet.
    pub(super) under_way: u64,
    /// The time since this stretch of the course began.
    pub(super) elapsed: Duration,
}

/// A stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: Instant,
    pub(super) to: Instant,
}

/// What the clients got in a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Measured {
    /// How long it was.
    pub(super) seconds: f64,
    /// Acknowledged payments per second.
    pub(super) per_second: f64,
    /// Half of them were acknowledged within so many milliseconds.
    pub(super) p50_ms: f64,
    /// 99 of 100 of them were.
    pub(super) p99_ms: f64,
}

impl<'a> Course<'a> {
    /// Begins with nothing offered yet.
    pub(super) fn begin(cluster: &'a mut Cluster, drive: Drive, absent: ReplicaId) -> Self {
        let mut looks = tokio::time::interval(LOOKS);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let timeline = Timeline::begin(absent, drive.offered());
        Course { cluster, drive, absent, timeline, tally: Tally::new(Instant::now()), answers: Vec::new(), looks }
    }

    /// The processes.
    pub(super) fn cluster(&mut self) -> &mut Cluster {
        self.cluster
    }

    /// Changes how fast payments are offered.
    pub(super) fn set(&self, pace: Pace) {
        self.drive.set(pace);
    }

    /// Payments that were acknowledged so far.
    pub(super) fn acknowledged(&self) -> u64 {
        self.tally.acknowledged()
    }

    /// Goes on until `is_over` says so.
    ///
    /// # Errors
    /// [`TestnetError`] when a replica has ended by itself.
    pub(super) async fn go_on(
        &mut self,
        phase: Phase,
        mut is_over: impl FnMut(Moment<'_>) -> bool,
    ) -> Result<Span, TestnetError> {
        let from = Instant::now();
        loop {
            tokio::select! {
                paid = self.drive.next() => if let Some(paid) = paid { self.count(&paid) },
                _ = self.looks.tick() => {
                    self.cluster.check()?;
                    let look = Look::new(&self.cluster.observe().await, self.absent);
                    self.timeline.look(phase, self.drive.offered(), &look);
                    let (acknowledged, elapsed) = (self.tally.acknowledged(), from.elapsed());
                    let under_way = self.drive.offered().saturating_sub(self.tally.answered());
                    if is_over(Moment { look: &look, acknowledged, under_way, elapsed }) {
                        return Ok(Span { from, to: Instant::now() });
                    }
                }
            }
        }
    }

    fn count(&mut self, paid: &Paid) {
        self.tally.count(paid);
        self.timeline.count(paid);
        if paid.result.is_ok() {
            self.answers.push(Answer { at: paid.answered, latency: paid.latency() });
        }
    }

    /// What the clients got in a stretch of time.
    pub(super) fn measure(&self, span: Span) -> Measured {
        let latencies = Histogram::<u64>::new_with_max(LATENCY_MICROS_MAX, DIGITS);
        let mut latencies = latencies.expect("both are within its range");
        let answers = self.answers.iter().filter(|answer| span.from <= answer.at && answer.at < span.to);
        for answer in answers {
            latencies.saturating_record(u64::try_from(answer.latency.as_micros()).unwrap_or(u64::MAX));
        }
        let seconds = span.to.duration_since(span.from).as_secs_f64();
        let quantile = |quantile| latencies.value_at_quantile(quantile) as f64 / 1_000.0;
        let per_second = if seconds > 0.0 { latencies.len() as f64 / seconds } else { 0.0 };
        Measured { seconds, per_second, p50_ms: quantile(0.5), p99_ms: quantile(0.99) }
    }

    /// Offers nothing any more, and waits until all is answered and all replicas vote at the same slot. Says what is so
    /// instead when that does not happen.
    ///
    /// # Errors
    /// [`TestnetError`] when a replica has ended by itself.
    pub(super) async fn settle(&mut self) -> Result<Option<String>, TestnetError> {
        self.set(Pace::Pause);
        let started = Instant::now();
        loop {
            tokio::select! {
                paid = self.drive.next() => if let Some(paid) = paid { self.count(&paid) },
                _ = self.looks.tick() => {
                    self.cluster.check()?;
                    let observations = self.cluster.observe().await;
                    if self.tally.answered() == self.drive.offered() && is_settled(&observations) {
                        return Ok(None);
                    }
                    if started.elapsed() > SETTLE_PATIENCE {
                        let state = too_late("the same slot on all replicas", SETTLE_PATIENCE, &observations);
                        return Ok(Some(state.to_string()));
                    }
                }
            }
        }
    }

    /// What the clients were told, and the lines of the timeline.
    pub(super) fn end(self) -> (Tally, Vec<Row>) {
        (self.tally, self.timeline.into_rows())
    }
}
