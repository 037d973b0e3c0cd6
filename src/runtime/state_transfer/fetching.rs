//! The executor thread's part in fetching a state: it carries what [`StateFetch`] gives out, and says in plain words how
//! it goes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::execution::ReplicatedState;
use crate::execution::state_fetch::{Doubt, FetchNotice, FetchScope, Fetched, Progress, StateFetch};
use crate::messages::{CheckpointCertificate, Nodes, StateHead};
use crate::runtime::metrics::Metrics;
use crate::runtime::rate_limit::RateLimit;
use crate::runtime::transport::Transport;
use crate::types::{Instant, ReplicaId};

use super::gate::TransferGate;
use super::staging::Staging;

/// How far a transfer is, for whoever asks from another thread.
#[derive(Clone, Debug, Default)]
pub(in crate::runtime) struct TransferWatch(Arc<Mutex<Option<Progress>>>);

/// At most one fetch, and what it needs.
pub(in crate::runtime) struct Fetching {
    pub(in crate::runtime) scope: FetchScope,
    pub(in crate::runtime) gate: TransferGate,
    pub(in crate::runtime) transport: Arc<dyn Transport>,
    pub(in crate::runtime) clock: Arc<dyn Clock>,
    pub(in crate::runtime) metrics: Arc<Metrics>,
    pub(in crate::runtime) watch: TransferWatch,
    pub(in crate::runtime) staging: Staging,
    pub(in crate::runtime) fetch: Option<StateFetch>,
    pub(in crate::runtime) rate_limit: RateLimit,
}

impl TransferWatch {
    /// How far it is; `None` while nothing is fetched.
    pub(in crate::runtime) fn progress(&self) -> Option<Progress> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, progress: Option<Progress>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = progress;
    }
}

impl Fetching {
    /// How long nothing has to be done if nothing arrives.
    pub(in crate::runtime) fn wait(&self) -> Option<Duration> {
        let deadline = self.fetch.as_ref().and_then(StateFetch::deadline)?;
        Some(deadline.since(self.now()))
    }

    /// The core names a certified state. Returns it as soon as it is there, as all the following do.
    pub(in crate::runtime) fn catch_up_to(
        &mut self,
        goal: CheckpointCertificate,
        base: impl FnOnce() -> ReplicatedState,
    ) -> Option<Fetched> {
        let now = self.now();
        match &mut self.fetch {
            Some(fetch) => fetch.aim(goal, now),
            None => {
                let staged = Some(self.staging.staged());
                self.fetch = Some(StateFetch::begin(self.scope.clone(), &base(), staged, goal, now));
            }
        }
        self.carry()
    }

    pub(in crate::runtime) fn on_head(&mut self, from: ReplicaId, head: &StateHead) -> Option<Fetched> {
        let now = self.now();
        self.fetch.as_mut()?.on_head(from, head, now);
        self.carry()
    }

    pub(in crate::runtime) fn on_nodes(&mut self, from: ReplicaId, nodes: &Nodes) -> Option<Fetched> {
        let now = self.now();
        self.fetch.as_mut()?.on_nodes(from, nodes, now);
        self.carry()
    }

    /// Looks at the clock.
    pub(in crate::runtime) fn on_time(&mut self) -> Option<Fetched> {
        let now = self.now();
        let fetch = self.fetch.as_mut()?;
        if fetch.deadline().is_none_or(|deadline| deadline > now) {
            return None;
        }
        fetch.on_deadline(now);
        self.carry()
    }

    /// The core goes on without the state.
    pub(in crate::runtime) fn abandon(&mut self) {
        if self.fetch.take().is_some() {
            tracing::info!("the state is not needed any more: the log goes on");
            self.end();
            self.staging.discard();
        }
    }

    /// Deletes the nodes of earlier fetches, unless one is under way that may need them.
    pub(in crate::runtime) fn discard_staged(&mut self) {
        if self.fetch.is_none() {
            self.staging.discard();
        }
    }

    fn carry(&mut self) -> Option<Fetched> {
        let fetch = self.fetch.as_mut()?;
        let output = fetch.take_output();
        let progress = fetch.progress();
        let fetched = fetch.take_fetched();
        let before = self.watch.progress();
        let since = |count: fn(&Progress) -> u64| count(&progress) - before.as_ref().map_or(0, count);
        self.metrics.transfer_nodes.inc_by(since(|progress| progress.nodes));
        self.metrics.transfer_bytes.inc_by(since(|progress| progress.bytes));
        self.watch.set(Some(progress));
        for (to, message) in output.send {
            self.gate.expect_answer(to, &message);
            self.transport.to_replica(to, message.is_bulk(), message.encode());
        }
        self.staging.add(output.stage);
        let now = self.now();
        for notice in &output.notices {
            self.observe(notice, now);
        }
        if fetched.is_some() {
            self.fetch = None;
            self.end();
        }
        fetched
    }

    fn end(&mut self) {
        self.gate.close();
        self.staging.clear();
        self.watch.set(None);
    }

    fn observe(&mut self, notice: &FetchNotice, now: Instant) {
        let peer = match notice {
            FetchNotice::NodeRejected { from, .. } => {
                self.metrics.transfer_rejected.inc();
                from.0
            }
            FetchNotice::SourceSwitched { from, .. } => {
                self.metrics.transfer_switched.inc();
                from.0
            }
            FetchNotice::Started { .. }
            | FetchNotice::GoalMoved { .. }
            | FetchNotice::GoalUnusable { .. }
            | FetchNotice::Progressed(_)
            | FetchNotice::Done(_) => u16::MAX,
        };
        if self.rate_limit.admit("transfer", peer, now).is_some() {
            write_line(notice);
        }
    }

    fn now(&self) -> Instant {
        self.clock.now().monotonic
    }
}

fn write_line(notice: &FetchNotice) {
    match notice {
        FetchNotice::Started { goal } => tracing::debug!(%goal, "asks the others for the state"),
        FetchNotice::NodeRejected { from, reason } => {
            tracing::warn!(%from, "sent a part of the state that is not the certified one: {reason}");
        }
        FetchNotice::SourceSwitched { from, doubt } => {
            let why = match doubt {
                Doubt::Silent => "does not answer in time",
                Doubt::Lied => "sent something else than was asked for",
                Doubt::Lacks => "does not hold that state any more",
            };
            tracing::info!(%from, "{why}: the others are asked for its part of the state");
        }
        FetchNotice::GoalMoved { from, to } => {
            tracing::info!(%from, %to, "too few hold that state any more: fetches a newer one, and keeps what still fits");
        }
        FetchNotice::GoalUnusable { seq, reason } => {
            tracing::error!(%seq, "the certified state is none: {reason}. More than f members must be faulty");
        }
        FetchNotice::Progressed(Progress { nodes, bytes, sources, .. }) => {
            tracing::info!(nodes, mebibytes = bytes >> 20, sources, "fetches the state");
        }
        FetchNotice::Done(Progress { goal, nodes, bytes, .. }) => {
            tracing::info!(%goal, nodes, bytes, "the state is complete: makes it durable");
        }
    }
}
