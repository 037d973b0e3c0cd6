//! [`Faults`]: kills primaries one after the other, spread over the run, and brings each back.

use std::time::{Duration, Instant};

use quorate::ReplicaId;

use crate::cluster::Cluster;
use crate::error::TestnetError;
use crate::replica_status::{Observation, common_view, table};
use crate::tally::Tally;

/// How long the others go on without a killed replica before it is started again.
const MOMENT: Duration = Duration::from_millis(500);
/// How long the next view, and the catching up of a killed replica, may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A primary that was killed, and what followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kill {
    /// The primary.
    pub replica: ReplicaId,
    /// Its view.
    pub view: u64,
    /// Payments that were acknowledged before.
    pub acknowledged: u64,
    /// The view in which the others went on.
    pub next_view: u64,
    /// From the kill to the new start.
    pub down: Duration,
    /// From the new start until it voted and had executed what the others had at the new start.
    pub catch_up: Duration,
}

/// What shall be killed and when.
#[derive(Debug)]
pub struct Faults {
    payments: u64,
    kills: u32,
    quorum: usize,
    done: Vec<Kill>,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    /// All replicas run.
    Whole,
    /// A primary is down.
    Down { kill: Kill, since: Instant, goes_on: Option<GoesOn> },
    /// It was started again, and the others had executed so much then.
    CatchingUp { kill: Kill, since: Instant, goal: u64 },
}

/// The next view goes on.
#[derive(Clone, Copy, Debug)]
struct GoesOn {
    view: u64,
    since: Instant,
    /// Payments that were acknowledged when it was seen.
    acknowledged: u64,
}

impl Faults {
    /// Plans `kills` for a run with so many payments, in a network that needs `quorum` replicas.
    #[must_use]
    pub fn new(kills: u32, payments: u64, quorum: usize) -> Self {
        Faults { payments, kills, quorum, done: Vec::new(), phase: Phase::Whole }
    }

    /// What was done.
    #[must_use]
    pub fn done(&self) -> &[Kill] {
        &self.done
    }

    /// How many kills are still to come.
    #[must_use]
    pub fn missing(&self) -> usize {
        (self.kills as usize).saturating_sub(self.done.len())
    }

    /// Whether all replicas run and have caught up.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        matches!(self.phase, Phase::Whole)
    }

    /// Whether the next primary is to be killed now.
    #[must_use]
    pub fn is_due(&self, tally: &Tally) -> bool {
        let next = self.done.len() as u64 + 1;
        let parts = u64::from(self.kills) + 1;
        let moment = u128::from(self.payments) * u128::from(next) / u128::from(parts);
        self.is_whole() && self.missing() > 0 && u128::from(tally.acknowledged()) >= moment
    }

    /// Does what is to be done now; what it did, in words.
    ///
    /// # Errors
    /// [`TestnetError`] when a process cannot be killed or started, or something takes too long.
    pub async fn step(
        &mut self,
        cluster: &mut Cluster,
        observations: &[Observation],
        tally: &mut Tally,
    ) -> Result<Option<String>, TestnetError> {
        match &self.phase {
            Phase::Whole if self.is_due(tally) => self.kill(cluster, observations, tally).await,
            Phase::Whole => Ok(None),
            Phase::Down { .. } => self.wait_for_next_view(cluster, observations, tally),
            Phase::CatchingUp { .. } => self.wait_for_catch_up(observations),
        }
    }

    async fn kill(
        &mut self,
        cluster: &mut Cluster,
        observations: &[Observation],
        tally: &mut Tally,
    ) -> Result<Option<String>, TestnetError> {
        let Some(status) = common_view(observations, self.quorum) else { return Ok(None) };
        let (replica, view) = (ReplicaId(status.primary), status.view);
        let since = Instant::now();
        cluster.kill(replica).await?;
        tally.killed(since);
        let acknowledged = tally.acknowledged();
        let kill =
            Kill { replica, view, acknowledged, next_view: view, down: Duration::ZERO, catch_up: Duration::ZERO };
        self.phase = Phase::Down { kill, since, goes_on: None };
        Ok(Some(format!("killed replica {replica}, the primary of view {view}, after {acknowledged} payments")))
    }

    fn wait_for_next_view(
        &mut self,
        cluster: &mut Cluster,
        observations: &[Observation],
        tally: &Tally,
    ) -> Result<Option<String>, TestnetError> {
        let Phase::Down { kill, since, goes_on } = &mut self.phase else { return Ok(None) };
        let acknowledged = tally.acknowledged();
        let Some(seen) = goes_on else {
            let next = common_view(observations, self.quorum).filter(|status| status.view > kill.view);
            *goes_on = next.map(|status| GoesOn { view: status.view, since: Instant::now(), acknowledged });
            return in_time(*since, "the next view", observations).map(|()| None);
        };
        let pays = acknowledged > seen.acknowledged || tally.answered() == self.payments;
        if !pays || seen.since.elapsed() < MOMENT {
            return in_time(*since, "a payment in the next view", observations).map(|()| None);
        }
        let goal = observations.iter().filter_map(Observation::status).map(|status| status.executed).max();
        let kill = Kill { next_view: seen.view, down: since.elapsed(), ..*kill };
        cluster.restart(kill.replica)?;
        self.phase = Phase::CatchingUp { kill, since: Instant::now(), goal: goal.unwrap_or_default() };
        Ok(Some(format!("view {} goes on; started replica {} again", kill.next_view, kill.replica)))
    }

    fn wait_for_catch_up(&mut self, observations: &[Observation]) -> Result<Option<String>, TestnetError> {
        let Phase::CatchingUp { kill, since, goal } = &mut self.phase else { return Ok(None) };
        let has_caught_up = observations.get(kill.replica.index()).is_some_and(|found| match found {
            Observation::Answers(status) => status.voting && status.executed >= *goal,
            Observation::Lies { answers, .. } => *answers,
            Observation::Silent(_) | Observation::Killed => false,
        });
        if !has_caught_up {
            let what = format!("the catching up of replica {}", kill.replica);
            return in_time(*since, &what, observations).map(|()| None);
        }
        let kill = Kill { catch_up: since.elapsed(), ..*kill };
        self.done.push(kill);
        self.phase = Phase::Whole;
        let seconds = kill.catch_up.as_secs_f64();
        Ok(Some(format!("replica {} has caught up, {seconds:.1} s after its new start", kill.replica)))
    }
}

fn in_time(since: Instant, what: &str, observations: &[Observation]) -> Result<(), TestnetError> {
    if since.elapsed() < PATIENCE { Ok(()) } else { Err(too_late(what, PATIENCE, observations)) }
}

/// What there is to say when something did not happen in time.
pub(crate) fn too_late(what: &str, patience: Duration, observations: &[Observation]) -> TestnetError {
    TestnetError::TooLate { what: what.to_owned(), seconds: patience.as_secs(), state: table(observations) }
}
