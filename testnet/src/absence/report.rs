//! [`CaseReport`]: what a case has shown, and which claims do not hold.

use std::fmt;
use std::time::Duration;

use quorate::ReplicaId;
use serde::Serialize;

use super::case::Case;
use super::comeback::Comeback;
use super::course::Measured;
use super::timeline::Row;
use crate::audit::LedgerSummary;

/// The claim: it executes at the head again within this time from its new start.
const CATCH_UP_MAX: Duration = Duration::from_secs(30);
/// The claim: the others keep this part of their goodput meanwhile.
const GOODPUT_MIN: f64 = 0.9;
/// An open loop that offered less of its rate has measured something else.
const OFFERED_MIN: f64 = 0.9;

const MEBIBYTE: f64 = 1_048_576.0;

/// What a case has shown.
#[derive(Clone, Debug)]
pub(super) struct CaseReport {
    pub(super) case: Case,
    pub(super) replicas: usize,
    pub(super) clients: usize,
    /// How long it took to open the accounts.
    pub(super) opened: Option<Duration>,
    pub(super) absent: ReplicaId,
    /// Operations that passed before the rate was lowered.
    pub(super) missed: u64,
    pub(super) peak: Measured,
    /// Payments offered per second from then on.
    pub(super) rate: f64,
    pub(super) before: Measured,
    pub(super) catch_up: Measured,
    pub(super) comeback: Comeback,
    pub(super) fetched: Fetched,
    /// Whether a source of state was to be killed.
    pub(super) wants_killed_source: bool,
    /// Whether a source of state was to damage what it sends.
    pub(super) wants_damage: bool,
    /// What went wrong with payments and ledgers.
    pub(super) problems: Vec<String>,
    pub(super) ledgers: Vec<Option<LedgerSummary>>,
    pub(super) timeline: Vec<Row>,
}

/// What the replica fetched of a state when it came back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Fetched {
    /// Nodes that were what was asked for.
    pub(super) nodes: u64,
    /// Their bytes.
    pub(super) bytes: u64,
    /// Answers that were refused.
    pub(super) rejected: u64,
}

/// The same, as JSON.
#[derive(Debug, Serialize)]
pub(super) struct CaseJson<'a> {
    case: u8,
    title: String,
    ok: bool,
    problems: Vec<String>,
    replicas: usize,
    clients: usize,
    opened_seconds: Option<f64>,
    absent: ReplicaId,
    missed_operations: u64,
    peak: Measured,
    rate_per_second: f64,
    before: Measured,
    catch_up: Measured,
    goodput: f64,
    at_head_seconds: Option<f64>,
    votes_seconds: Option<f64>,
    killed_source: Option<ReplicaId>,
    fetched: Fetched,
    ledgers: &'a [Option<LedgerSummary>],
    timeline: &'a [Row],
}

impl CaseReport {
    /// The part of their goodput that the others kept during the catch-up.
    fn goodput(&self) -> f64 {
        if self.before.per_second > 0.0 { self.catch_up.per_second / self.before.per_second } else { 0.0 }
    }

    /// What does not hold, a sentence each.
    pub(super) fn broken(&self) -> Vec<String> {
        let Comeback { at_head, votes, lag, killed, .. } = self.comeback;
        let mut broken = self.problems.clone();
        let limit = CATCH_UP_MAX.as_secs();
        match at_head {
            Some(took) if took <= CATCH_UP_MAX => {}
            Some(took) => {
                broken.push(format!("it executed at the head only after {}, not within {limit} s", seconds(took)))
            }
            None => {
                let lag =
                    lag.map_or_else(|| "it does not answer".into(), |lag| format!("{lag} slots behind in the end"));
                broken.push(format!("it did not execute at the head within {limit} s: {lag}"));
            }
        }
        if matches!(self.case, Case::Emptied { .. }) && self.fetched.nodes == 0 {
            broken.push("it fetched no state, so that nothing is shown about that".into());
        }
        if self.wants_damage && self.fetched.rejected == 0 {
            broken.push("it refused nothing, so nobody served damaged state".into());
        }
        if self.wants_killed_source && killed.is_none() {
            broken.push("no source of state was killed: no state was fetched".into());
        }
        if votes.is_none() {
            broken.push("it did not vote again".into());
        }
        if self.goodput() < GOODPUT_MIN {
            broken.push(format!(
                "the others kept {:.0} % of their goodput, not {:.0} %",
                100.0 * self.goodput(),
                100.0 * GOODPUT_MIN
            ));
        }
        if self.before.per_second < OFFERED_MIN * self.rate {
            broken.push(format!(
                "of {:.0} payments offered per second only {:.0} were done before the catch-up: the rate is too high",
                self.rate, self.before.per_second
            ));
        }
        let number = self.case.number();
        broken.into_iter().map(|what| format!("case {number}: {what}")).collect()
    }

    /// The report as JSON.
    pub(super) fn json(&self) -> CaseJson<'_> {
        let problems = self.broken();
        let in_seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
        CaseJson {
            case: self.case.number(),
            title: self.case.title(),
            ok: problems.is_empty(),
            problems,
            replicas: self.replicas,
            clients: self.clients,
            opened_seconds: in_seconds(self.opened),
            absent: self.absent,
            missed_operations: self.missed,
            peak: self.peak,
            rate_per_second: self.rate,
            before: self.before,
            catch_up: self.catch_up,
            goodput: self.goodput(),
            at_head_seconds: in_seconds(self.comeback.at_head),
            votes_seconds: in_seconds(self.comeback.votes),
            killed_source: self.comeback.killed.map(|(replica, _)| replica),
            fetched: self.fetched,
            ledgers: &self.ledgers,
            timeline: &self.timeline,
        }
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

impl fmt::Display for CaseReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CaseReport { case, replicas, clients, absent, missed, peak, rate, .. } = self;
        let after =
            |time: Option<Duration>| time.map_or_else(|| "not".into(), |time| format!("after {}", seconds(time)));
        writeln!(f, "case {}: {}", case.number(), case.title())?;
        if let Some(opened) = self.opened {
            writeln!(f, "  accounts opened    in {}, through the log", seconds(opened))?;
        }
        writeln!(
            f,
            "  peak               {peak}; {replicas} replicas, {clients} clients, as fast as they were answered"
        )?;
        writeln!(f, "  offered since      {rate:.0} per second, in an open loop")?;
        if *missed > 0 {
            writeln!(f, "  missed             {missed} operations before that")?;
        }
        writeln!(f, "  before the start   {}", self.before)?;
        writeln!(f, "  in the catch-up    {}", self.catch_up)?;
        if let Some((source, at)) = self.comeback.killed {
            writeln!(f, "  source killed      replica {source}, {} after the start", seconds(at))?;
        }
        writeln!(f, "  replica {absent}")?;
        let (at_head, limit) = (after(self.comeback.at_head), CATCH_UP_MAX.as_secs());
        writeln!(f, "    at the head      {at_head} (at most {limit} s)")?;
        writeln!(f, "    votes again      {}", after(self.comeback.votes))?;
        writeln!(f, "    came back by     {}", self.fetched)?;
        let (kept, least) = (100.0 * self.goodput(), 100.0 * GOODPUT_MIN);
        writeln!(f, "  goodput kept       {kept:.0} % (at least {least:.0} %)")?;
        if let Some(LedgerSummary { seq, accounts, transfers, root, .. }) = self.ledgers.iter().flatten().next() {
            writeln!(f, "  ledger             {accounts} accounts, {transfers} transfers, slot {seq}, root {root}")?;
        }
        let broken = self.broken();
        if broken.is_empty() {
            return writeln!(f, "  ok                 all replicas hold the same ledger; all claims hold");
        }
        broken.iter().try_for_each(|what| writeln!(f, "  WRONG              {what}"))
    }
}

impl fmt::Display for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fetched { nodes, bytes, rejected } = *self;
        if nodes == 0 {
            return f.write_str("the log alone");
        }
        write!(f, "a state of {:.1} MiB in {nodes} nodes, and the log after it", bytes as f64 / MEBIBYTE)?;
        if rejected > 0 {
            write!(f, "; {rejected} answers were damaged and refused")?;
        }
        Ok(())
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Measured { seconds, per_second, p50_ms, p99_ms } = self;
        write!(f, "{per_second:.0} per second for {seconds:.1} s, p50 {p50_ms:.1} ms, p99 {p99_ms:.1} ms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(per_second: f64, comeback: Comeback) -> CaseReport {
        let measured = |per_second| Measured { seconds: 10.0, per_second, p50_ms: 20.0, p99_ms: 50.0 };
        CaseReport {
            case: Case::Missed { operations: 100 },
            replicas: 4,
            clients: 8,
            opened: None,
            absent: ReplicaId(3),
            missed: 100,
            peak: measured(2000.0),
            rate: 1000.0,
            before: measured(1000.0),
            catch_up: measured(per_second),
            comeback,
            fetched: Fetched::default(),
            wants_killed_source: false,
            wants_damage: false,
            problems: Vec::new(),
            ledgers: Vec::new(),
            timeline: Vec::new(),
        }
    }

    fn back_after(seconds: u64) -> Comeback {
        let took = Some(Duration::from_secs(seconds));
        Comeback { at_head: took, votes: took, lag: Some(0), ..Comeback::default() }
    }

    #[test]
    fn all_claims_hold_up_to_their_limits() {
        assert_eq!(report(900.0, back_after(30)).broken(), [""; 0]);
        assert!(report(1000.0, back_after(1)).to_string().ends_with("all claims hold\n"));
    }

    #[test]
    fn each_broken_claim_is_named() {
        assert_eq!(report(890.0, back_after(30)).broken(), ["case 1: the others kept 89 % of their goodput, not 90 %"]);
        let late = "case 1: it executed at the head only after 31.0 s, not within 30 s";
        assert_eq!(report(1000.0, back_after(31)).broken(), [late]);
        let never = Comeback { lag: Some(700), ..Comeback::default() };
        let expected = [
            "case 1: it did not execute at the head within 30 s: 700 slots behind in the end",
            "case 1: it did not vote again",
        ];
        assert_eq!(report(1000.0, never).broken(), expected);
        let overloaded = CaseReport { rate: 1200.0, ..report(1000.0, back_after(1)) };
        assert!(overloaded.broken()[0].contains("the rate is too high"));
    }
}
