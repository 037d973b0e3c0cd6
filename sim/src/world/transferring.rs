//! State transfer: what replicas serve to each other, and how one fetches a state instead of executing a log.

use quorate::core::{Event as CoreEvent, Report};
use quorate::execution::ReplicatedState;
use quorate::execution::state_fetch::{FetchNotice, FetchOutput, FetchScope, Fetched, StateFetch};
use quorate::messages::{CheckpointCertificate, Message};
use quorate::storage::Storage;
use quorate::{Instant, ReplicaId, SeqNum};

use super::failing::CrashPoint;
use super::node::Running;
use super::queue::{Event, Life};
use super::world::World;
use crate::chart::{Note, Topic};
use crate::counters::Counter;
use crate::violation::Class;

impl World {
    /// The core orders a certified state: a fetch begins, or learns that there is a newer one.
    pub(super) fn catch_up_to(&mut self, id: ReplicaId, goal: CheckpointCertificate) {
        let world = self.now;
        let node = self.node_mut(id);
        let now = node.now(world).monotonic;
        let (scope, staged) = (FetchScope::new(&node.identity.genesis, id), node.state.staged());
        // The state that is being made durable ends the order.
        let Some(running) = node.running.as_mut().filter(|running| running.installing.is_none()) else { return };
        match &mut running.fetch {
            Some(fetch) => fetch.aim(goal, now),
            None => {
                let base = running.executor.snapshot().replicated();
                running.fetch = Some(StateFetch::begin(scope, &base, Some(staged), goal, now));
            }
        }
        self.go_on_fetching(id);
    }

    /// What of a message concerns a state transfer is no business of the core. Says whether it did.
    pub(super) fn deliver_transfer(&mut self, from: ReplicaId, to: ReplicaId, message: &Message) -> bool {
        let world = self.now;
        let node = self.node_mut(to);
        let now = node.now(world).monotonic;
        let Some(running) = &mut node.running else { return false };
        #[expect(clippy::wildcard_enum_match_arm, reason = "everything else is for the core")]
        match message {
            Message::FetchState { seq } => {
                let head = running.server.head(*seq, now);
                self.send_to_members(to, &[from], Message::StateHead(head));
            }
            Message::FetchNodes(question) => {
                running.server.ask(from, question.clone());
                self.serve_state(to);
            }
            Message::StateHead(head) => {
                if let Some(fetch) = &mut running.fetch {
                    fetch.on_head(from, head, now);
                }
                self.go_on_fetching(to);
            }
            Message::Nodes(nodes) => {
                if let Some(fetch) = &mut running.fetch {
                    fetch.on_nodes(from, nodes, now);
                }
                self.go_on_fetching(to);
            }
            _ => return false,
        }
        true
    }

    pub(super) fn on_transfer_timer(&mut self, life: Life) {
        if !self.is_alive(life) {
            return;
        }
        let world = self.now;
        let node = self.node_mut(life.node);
        let now = node.now(world).monotonic;
        let Some(running) = &mut node.running else { return };
        if running.transfer_timer != Some(world) {
            return;
        }
        running.transfer_timer = None;
        if let Some(fetch) = running.fetch.as_mut().filter(|fetch| fetch.deadline().is_some_and(|at| at <= now)) {
            fetch.on_deadline(now);
        }
        self.serve_state(life.node);
        self.go_on_fetching(life.node);
    }

    fn serve_state(&mut self, id: ReplicaId) {
        let world = self.now;
        let node = self.node_mut(id);
        let now = node.now(world).monotonic;
        let Some(running) = &mut node.running else { return };
        let answers: Vec<_> = std::iter::from_fn(|| running.server.answer(now)).collect();
        for (to, nodes) in answers {
            self.counters.add(Counter::NodesServed);
            self.send_to_members(id, &[to], Message::Nodes(nodes));
        }
        self.set_transfer_timer(id);
    }

    fn go_on_fetching(&mut self, id: ReplicaId) {
        let Some(fetch) = self.node_mut(id).running.as_mut().and_then(|running| running.fetch.as_mut()) else { return };
        let FetchOutput { send, stage, notices } = fetch.take_output();
        let fetched = fetch.take_fetched();
        self.node_mut(id).state.stage(stage);
        for notice in notices {
            self.on_fetch_notice(id, &notice);
        }
        if self.crashes_at(id, CrashPoint::InTransfer) {
            return;
        }
        for (to, message) in send {
            self.send_to_members(id, &[to], message);
        }
        if let Some(fetched) = fetched {
            self.install_fetched(id, fetched);
        }
        self.set_transfer_timer(id);
    }

    /// The executor goes on from the fetched state. The core hears of it when it is durable.
    fn install_fetched(&mut self, id: ReplicaId, fetched: Fetched) {
        let Fetched { state, certificate } = fetched;
        let (world, node) = (self.now, self.node_mut(id));
        let (now, life) = (node.now(world).monotonic, node.life());
        let Some(running) = &mut node.running else { return };
        if let Err(error) = running.executor.install(state.clone(), Some(certificate.clone())) {
            let text = format!("{id} has fetched what is not the certified state: {error}");
            return self.checks.report(Class::Safety, "transfer", text);
        }
        hold(running, state.clone(), now);
        (running.fetch, running.installing) = (None, Some(certificate.clone()));
        let delay = self.draw(self.options.machine.sync) * 2;
        self.after(delay, Event::StateDurable { life, state: Box::new(state), certificate: Box::new(certificate) });
        self.crashes_at(id, CrashPoint::InTransfer);
    }

    pub(super) fn on_state_durable(&mut self, life: Life, state: ReplicatedState, certificate: CheckpointCertificate) {
        if !self.is_alive(life) {
            return;
        }
        let (id, seq) = (life.node, state.position.seq);
        self.node_mut(id).state.put(state, Some(certificate));
        if self.crashes_at(id, CrashPoint::AfterSnapshot) {
            return;
        }
        let Some(running) = &mut self.node_mut(id).running else { return };
        if let Err(error) = running.persister.journal().snapshot_durable(seq) {
            return self.on_storage_failure(id, &error);
        }
        self.finish_installing(id, |installed| installed == seq);
        self.work(id);
    }

    /// Reports the installed state, once, if it is one that may be reported now.
    pub(super) fn finish_installing(&mut self, id: ReplicaId, may_report: impl FnOnce(SeqNum) -> bool) {
        let Some(running) = &mut self.node_mut(id).running else { return };
        if let Some(certificate) = running.installing.take_if(|certificate| may_report(certificate.seq())) {
            self.report_installed(id, Some(certificate));
        }
    }

    pub(super) fn report_installed(&mut self, id: ReplicaId, proof: Option<CheckpointCertificate>) {
        let Some(running) = &self.node(id).running else { return };
        let mut report = running.executor.installed();
        let state = running.executor.snapshot().replicated();
        if let Report::Installed { certificate, root, .. } = &mut report {
            *certificate = proof;
            self.checks.on_state(id, &state, *root);
        }
        self.checks.on_installed(id, &report);
        if self.checks.violation().is_some() {
            return; // The core asserts what is broken here.
        }
        self.step(id, CoreEvent::Executor(report));
    }

    fn on_fetch_notice(&mut self, id: ReplicaId, notice: &FetchNotice) {
        self.mark(id, || Note::new(Topic::CatchUp, format!("fetching: {notice:?}")));
        let counter = match notice {
            FetchNotice::NodeRejected { .. } => Counter::NodesRejected,
            FetchNotice::SourceSwitched { .. } => Counter::SourcesSwitched,
            FetchNotice::GoalMoved { .. } => Counter::GoalsMoved,
            FetchNotice::Done(_) => Counter::StatesFetched,
            FetchNotice::Started { .. } | FetchNotice::GoalUnusable { .. } | FetchNotice::Progressed(_) => return,
        };
        self.counters.add(counter);
    }

    fn set_transfer_timer(&mut self, id: ReplicaId) {
        let now = self.now;
        let node = self.node_mut(id);
        let (started, life) = (node.started, node.life());
        let Some(running) = &mut node.running else { return };
        let fetch = running.fetch.as_ref().and_then(StateFetch::deadline);
        let Some(Instant(deadline)) = fetch.into_iter().chain(running.server.deadline()).min() else { return };
        let at = started.saturating_add(deadline).max(now + 1);
        if running.transfer_timer.is_none_or(|timer| at < timer) {
            running.transfer_timer = Some(at);
            self.at(at, Event::Transfer(life));
        }
    }
}

/// The state is served from now on, and so is what follows the oldest one that is.
pub(super) fn hold(running: &mut Running, state: ReplicatedState, now: Instant) {
    running.server.hold(state, now);
    if let Some(oldest) = running.server.held().next() {
        running.persister.journal().state_served(oldest);
    }
}
