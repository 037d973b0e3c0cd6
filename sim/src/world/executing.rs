//! The executor's side: one order after the other, each with a drawn delay, and its report back to the core.

use std::time::Duration;

use quorate::ReplicaId;
use quorate::batch::CommittedBatch;
use quorate::core::{Event as CoreEvent, Order, Report};
use quorate::execution::{ReplicatedState, Replies};
use quorate::messages::CheckpointCertificate;
use quorate::storage::Storage;

use super::failing::CrashPoint;
use super::node::Work;
use super::queue::{Event, Life};
use super::transferring::hold;
use super::world::World;
use crate::counters::Counter;

impl World {
    /// Starts the executor on its next order, if it rests and there is one.
    pub(super) fn work(&mut self, id: ReplicaId) {
        let node = self.node_mut(id);
        let life = node.life();
        let Some(running) = &mut node.running else { return };
        if running.is_working || running.work.is_empty() {
            return;
        }
        running.is_working = true;
        let takes_time = match running.work.front() {
            Some(Work::Order(Order::Resend { .. } | Order::Stable(_) | Order::CatchUpTo(_)) | Work::ReportMissing) => {
                false
            }
            Some(Work::Install | Work::Replay(_) | Work::Order(Order::Apply(_))) | None => true,
        };
        let delay = if takes_time { self.draw(self.options.machine.execution) } else { Duration::ZERO };
        self.after(delay, Event::Worked(life));
    }

    pub(super) fn on_worked(&mut self, life: Life) {
        if !self.is_alive(life) {
            return;
        }
        let id = life.node;
        let Some(running) = &mut self.node_mut(id).running else { return };
        running.is_working = false;
        match running.work.pop_front() {
            Some(Work::Install) => self.install(id),
            Some(Work::Replay(batch)) => self.apply(id, &batch, Replies::Withhold),
            Some(Work::Order(Order::Apply(batch))) => self.apply(id, &batch, Replies::Send),
            Some(Work::Order(Order::Resend { to, id: request })) => {
                let reply = running.executor.resend(&request);
                if let Some(reply) = reply {
                    self.counters.add(Counter::CachedReplies);
                    self.checks.on_reply(id, to, &reply);
                    self.send_to_client(id, to, reply);
                }
            }
            Some(Work::Order(Order::Stable(certificate))) => self.on_stable(id, certificate),
            Some(Work::Order(Order::CatchUpTo(goal))) => self.catch_up_to(id, goal),
            Some(Work::ReportMissing) => self.step(id, CoreEvent::Executor(Report::StateMissing)),
            None => {}
        }
        self.work(id);
    }

    fn install(&mut self, id: ReplicaId) {
        let certificate = self.node(id).state.newest().and_then(|(_, certificate)| certificate.clone());
        self.report_installed(id, certificate);
        self.hand_over_certificate(id);
    }

    /// After a start the core does not order again what became stable before it.
    fn hand_over_certificate(&mut self, id: ReplicaId) {
        let Some(running) = &mut self.node_mut(id).running else { return };
        let executed = running.executor.executed();
        if let Some(certificate) = running.pending_stable.take_if(|stable| stable.seq() <= executed) {
            running.executor.stable(certificate);
            self.serve_certified(id);
        }
    }

    /// The last certified state may be fetched by others.
    fn serve_certified(&mut self, id: ReplicaId) {
        let world = self.now;
        let node = self.node_mut(id);
        let now = node.now(world).monotonic;
        let Some(running) = &mut node.running else { return };
        if let Some((_, snapshot)) = running.executor.certified() {
            let state = snapshot.replicated();
            hold(running, state, now);
        }
    }

    fn apply(&mut self, id: ReplicaId, batch: &CommittedBatch, replies: Replies) {
        let Some(running) = &mut self.node_mut(id).running else { return };
        // The core goes on without the state that it ordered last...
        running.fetch = None;
        // ...or that is here already: it hears of it when it comes to where it ends, at the latest.
        self.finish_installing(id, |installed| installed <= batch.seq);
        let Some(running) = &mut self.node_mut(id).running else { return };
        if batch.seq <= running.executor.executed() {
            return; // That, or the one that was loaded, has this batch in it.
        }
        self.checks.on_apply(id, batch.seq);
        if self.checks.violation().is_some() {
            return;
        }
        let Some(running) = &mut self.node_mut(id).running else { return };
        let applied = running.executor.apply(batch, replies);
        let reached = applied.report.root.map(|root| (root, running.executor.snapshot().replicated()));
        self.checks.on_executed(id, batch, &applied.report);
        if let Some((root, state)) = reached {
            self.checks.on_state(id, &state, root);
        }
        if self.crashes_at(id, CrashPoint::AfterApply) {
            return;
        }
        let skipped = applied.report.requests.iter().filter(|request| !request.executed).count();
        self.counters.add_many(Counter::Skipped, skipped as u64);
        for (client, reply) in applied.replies {
            self.checks.on_reply(id, client, &reply);
            self.send_to_client(id, client, reply);
        }
        self.step(id, CoreEvent::Executor(Report::Executed(applied.report)));
        self.hand_over_certificate(id);
    }

    fn on_stable(&mut self, id: ReplicaId, certificate: CheckpointCertificate) {
        let writes = self.choices.chance(self.options.machine.snapshots);
        let delay = self.draw(self.options.machine.sync) * 2;
        let node = self.node_mut(id);
        let life = node.life();
        let Some(running) = &mut node.running else { return };
        running.executor.stable(certificate);
        self.serve_certified(id);
        let Some(running) = &mut self.node_mut(id).running else { return };
        let Some((certificate, snapshot)) = running.executor.certified().filter(|_| writes) else { return };
        let (seq, state) = (certificate.seq(), snapshot.replicated());
        self.after(delay, Event::SnapshotWritten { life, seq, state: Box::new(state) });
    }

    pub(super) fn on_snapshot_written(&mut self, life: Life, state: ReplicatedState) {
        let (id, seq) = (life.node, state.position.seq);
        if !self.is_alive(life) || !self.node_mut(id).state.commit(state) {
            return;
        }
        if self.crashes_at(id, CrashPoint::AfterSnapshot) {
            return;
        }
        let Some(running) = &mut self.node_mut(id).running else { return };
        if let Err(error) = running.persister.journal().snapshot_durable(seq) {
            return self.on_storage_failure(id, &error);
        }
        self.step(life.node, CoreEvent::Executor(Report::SnapshotDurable(seq)));
    }
}
