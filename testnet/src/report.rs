//! [`Report`]: what a run has shown.

use std::fmt;
use std::time::Duration;

use quorate::ReplicaId;
use serde::Serialize;

use crate::audit::{Audit, LedgerSummary};
use crate::byzantine::{BehaviourName, Liars};
use crate::faults::Kill;
use crate::tally::Tally;

/// What a run has shown.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Whether all is as it must be.
    pub ok: bool,
    /// What is not.
    pub problems: Vec<String>,
    /// How many clients paid.
    pub clients: usize,
    /// How many payments there were.
    pub payments: u64,
    /// How many were acknowledged.
    pub acknowledged: u64,
    /// From the first submission to the last acknowledgement.
    pub seconds: f64,
    /// Acknowledged payments per second.
    pub throughput: f64,
    /// Latencies as the clients saw them.
    pub latency_ms: Latency,
    /// The primaries that were killed.
    pub kills: Vec<KillReport>,
    /// The replicas that lied.
    pub liars: Vec<LiarReport>,
    /// The ledger of each replica that did not lie.
    pub ledgers: Vec<Option<LedgerSummary>>,
}

/// A replica that lied.
#[derive(Clone, Debug, Serialize)]
pub struct LiarReport {
    /// The replica.
    pub replica: u16,
    /// How.
    pub behaviour: String,
}

/// Latencies in milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Latency {
    /// Of half of the payments.
    pub p50: f64,
    /// Of 99 of 100.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

/// A primary that was killed.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct KillReport {
    /// The primary.
    pub replica: u16,
    /// Its view.
    pub view: u64,
    /// The view in which the others went on.
    pub next_view: u64,
    /// The longest time, from the kill to the next kill or the end, in which no client got an acknowledgement.
    pub pause_ms: f64,
    /// From the kill to the new start.
    pub down_ms: f64,
    /// From the new start until it had caught up.
    pub catch_up_ms: f64,
}

impl Report {
    /// Puts together what was measured and found.
    #[must_use]
    pub fn new((payments, clients): (u64, usize), tally: &Tally, kills: &[Kill], audit: Audit) -> Self {
        let mut problems = tally.problems();
        if tally.acknowledged() != payments {
            problems.push(format!("{} payments were acknowledged instead of {payments}", tally.acknowledged()));
        }
        problems.extend(audit.problems);
        let latency = |quantile| ms(tally.latency(quantile));
        Report {
            ok: problems.is_empty(),
            problems,
            clients,
            payments,
            acknowledged: tally.acknowledged(),
            seconds: tally.took().as_secs_f64(),
            throughput: tally.throughput(),
            latency_ms: Latency { p50: latency(0.5), p99: latency(0.99), max: latency(1.0) },
            kills: kills.iter().zip(tally.pauses()).map(|(kill, pause)| KillReport::new(kill, pause)).collect(),
            liars: Vec::new(),
            ledgers: audit.ledgers,
        }
    }

    /// Names those who lied.
    #[must_use]
    pub fn with_liars(self, liars: &Liars) -> Self {
        let one =
            |(replica, how): (&ReplicaId, &BehaviourName)| LiarReport { replica: replica.0, behaviour: how.name() };
        Report { liars: liars.iter().map(one).collect(), ..self }
    }

    fn lie_of(&self, replica: usize) -> Option<&LiarReport> {
        self.liars.iter().find(|liar| usize::from(liar.replica) == replica)
    }

    /// Adds something that is not as it must be.
    pub fn complain(&mut self, problem: String) {
        self.ok = false;
        self.problems.push(problem);
    }
}

impl KillReport {
    fn new(kill: &Kill, pause: Duration) -> Self {
        KillReport {
            replica: kill.replica.0,
            view: kill.view,
            next_view: kill.next_view,
            pause_ms: ms(pause),
            down_ms: ms(kill.down),
            catch_up_ms: ms(kill.catch_up),
        }
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { payments, acknowledged, clients, seconds, throughput, .. } = self;
        let Latency { p50, p99, max } = self.latency_ms;
        writeln!(f, "payments     {acknowledged} of {payments} acknowledged to {clients} clients in {seconds:.1} s")?;
        writeln!(f, "throughput   {throughput:.0} per second")?;
        writeln!(f, "latency      p50 {p50:.1} ms, p99 {p99:.1} ms, longest {max:.1} ms, seen by the clients")?;
        for kill in &self.kills {
            let KillReport { replica, view, next_view, pause_ms, down_ms, catch_up_ms } = kill;
            writeln!(f, "kill         replica {replica}, primary of view {view}; view {next_view} went on")?;
            writeln!(f, "  pause      {pause_ms:.0} ms: the longest time after the kill without any acknowledgement")?;
            writeln!(f, "  restart    after {down_ms:.0} ms, caught up within {catch_up_ms:.0} ms")?;
        }
        for (replica, ledger) in self.ledgers.iter().enumerate() {
            match ledger {
                Some(LedgerSummary { seq, root, accounts, transfers, .. }) => {
                    writeln!(
                        f,
                        "replica {replica}    {transfers} transfers, {accounts} accounts, slot {seq}, root {root}"
                    )?;
                }
                None => match self.lie_of(replica) {
                    Some(liar) => {
                        writeln!(f, "replica {replica}    lied ({}); its ledger does not count", liar.behaviour)?
                    }
                    None => writeln!(f, "replica {replica}    its ledger cannot be read")?,
                },
            }
        }
        if self.ok {
            let who = if self.liars.is_empty() { "all" } else { "all correct" };
            return writeln!(f, "ok           {who} replicas hold the same ledger; every payment was executed once");
        }
        self.problems.iter().try_for_each(|problem| writeln!(f, "WRONG        {problem}"))
    }
}
