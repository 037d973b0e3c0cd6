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
        let delay = match running.work.front() {
            Some(Work::Order(Order::Resend { .. } | Order::Stable(_) | Order::CatchUpTo(_))) => Duration::ZERO,
            Some(Work::Install | Work::Replay(_) | Work::Order(Order::Apply(_))) | None => {
                self.draw(self.options.machine.execution)
            }
        };
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
            Some(Work::Order(Order::CatchUpTo(_))) | None => {}
        }
        self.work(id);
    }

    fn install(&mut self, id: ReplicaId) {
        let Some(running) = &self.node(id).running else { return };
        let report = running.executor.installed();
        self.checks.on_installed(id, &report);
        self.step(id, CoreEvent::Executor(report));
    }

    fn apply(&mut self, id: ReplicaId, batch: &CommittedBatch, replies: Replies) {
        let Some(running) = &mut self.node_mut(id).running else { return };
        if batch.seq <= running.executor.executed() {
            return; // The snapshot that was loaded is ahead of the journal's committed prefix.
        }
        let applied = running.executor.apply(batch, replies);
        self.checks.on_executed(id, batch, &applied.report);
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
    }

    fn on_stable(&mut self, id: ReplicaId, certificate: CheckpointCertificate) {
        let writes = self.choices.chance(self.options.machine.snapshots);
        let delay = self.draw(self.options.machine.sync) * 2;
        let node = self.node_mut(id);
        let life = node.life();
        let Some(running) = &mut node.running else { return };
        running.executor.stable(certificate);
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
