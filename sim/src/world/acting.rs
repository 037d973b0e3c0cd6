//! What becomes of a core's actions: what is persisted comes before what is sent, and that before what is executed.

use std::rc::Rc;

use quorate::ReplicaId;
use quorate::core::{Actions, Event as CoreEvent, Outgoing, Recipients};
use quorate::messages::Message;

use super::node::{Held, Work};
use super::queue::{Envelope, Event, Life};
use super::world::World;
use crate::counters::Counter;
use crate::signatures::fingerprint;
use crate::violation::Class;

/// A deadline that is reached this often at one moment does not move.
const SPINS_MAX: u32 = 100;
/// Why the journal of a world does not fail.
pub(super) const MEMORY: &str = "a journal in memory reads what it wrote";

impl World {
    /// Hands an event to a running replica and does what it wants.
    pub(super) fn step(&mut self, id: ReplicaId, event: CoreEvent) {
        let world = self.now;
        let node = self.node_mut(id);
        let now = node.now(world);
        let Some(running) = &mut node.running else { return };
        running.replica.step(now, event);
        running.replica.check_all_invariants();
        let actions = running.replica.take_actions();
        self.act(id, actions);
        self.set_timer(id);
    }

    fn act(&mut self, id: ReplicaId, actions: Actions) {
        let Actions { persist, send, execute, notices } = actions;
        for notice in &notices {
            self.on_notice(id, notice);
        }
        for record in &persist {
            self.checks.on_record(id, record);
        }
        let node = self.node_mut(id);
        node.disk.write(persist).expect(MEMORY);
        let needs = node.disk.binding();
        let Some(running) = &mut node.running else { return };
        if !send.is_empty() || !execute.is_empty() {
            running.outbox.push_back(Held { needs, send, execute });
        }
        self.sync_if_needed(id);
        self.release(id);
    }

    fn sync_if_needed(&mut self, id: ReplicaId) {
        let node = self.node_mut(id);
        let life = node.life();
        if !node.disk.begin_sync() {
            return;
        }
        let delay = self.draw(self.options.machine.sync);
        if !self.is_calm() && self.choices.chance(self.options.faults.crash_in_sync) {
            let moment = self.draw((std::time::Duration::ZERO, delay));
            self.after(moment, Event::CrashInSync(life));
        }
        self.after(delay, Event::Synced(life));
    }

    pub(super) fn on_synced(&mut self, life: Life) {
        if !self.is_alive(life) {
            return;
        }
        let synced = self.node_mut(life.node).disk.end_sync().expect(MEMORY);
        self.checks.on_durable(life.node, &synced);
        self.sync_if_needed(life.node);
        self.release(life.node);
    }

    /// Lets go what no longer waits for the disk, in order.
    fn release(&mut self, id: ReplicaId) {
        loop {
            let node = self.node_mut(id);
            let durable = node.disk.durable();
            let Some(running) = &mut node.running else { return };
            if running.outbox.front().is_none_or(|held| held.needs > durable) {
                break;
            }
            let Some(held) = running.outbox.pop_front() else { break };
            running.work.extend(held.execute.into_iter().map(Work::Order));
            for outgoing in held.send {
                self.send(id, outgoing);
            }
        }
        self.work(id);
    }

    fn send(&mut self, from: ReplicaId, outgoing: Outgoing) {
        match outgoing {
            Outgoing::Replica { to: Recipients::One(to), message } => self.send_to_members(from, &[to], message),
            Outgoing::Replica { to: Recipients::Others, message } => {
                let others: Vec<_> = self.ids().into_iter().filter(|id| *id != from).collect();
                self.send_to_members(from, &others, message);
            }
            Outgoing::Client { to, message } => self.send_to_client(from, to, message),
            Outgoing::History { to, after, through } => {
                let slots = self.node(from).disk.history(after, through, self.options.machine.history_slots);
                let slots = slots.expect(MEMORY);
                if !slots.is_empty() {
                    self.send_to_members(from, &[to], Message::Committed(slots));
                }
            }
        }
    }

    fn send_to_members(&mut self, from: ReplicaId, to: &[ReplicaId], message: Message) {
        match self.nodes[from.index()].puppet.clone() {
            None => {
                self.checks.on_send(from, &message);
                self.transmit(from, to, message);
            }
            Some(puppet) => {
                for (to, message) in self.attack.rewrite(&puppet, to, &message, &mut self.choices) {
                    self.transmit(from, &[to], message);
                }
            }
        }
    }

    /// Puts a message on the network. It is verified here, once for all who receive it.
    fn transmit(&mut self, from: ReplicaId, to: &[ReplicaId], message: Message) {
        let frame = message.encode();
        let message = if self.choices.chance(self.options.network.encoded) {
            Message::decode(&frame).expect("what was encoded is decoded")
        } else {
            message
        };
        let kind = message.kind();
        let verified = match self.verifier.message(message) {
            Ok(verified) => verified,
            Err(reason) => {
                if self.node(from).is_correct() {
                    let text = format!("correct replica {from} sent an invalid {kind}: {reason}");
                    self.checks.report(Class::Safety, "verify", text);
                }
                return;
            }
        };
        let envelope = Rc::new(Envelope { message: verified, fingerprint: fingerprint(0, &frame) });
        for to in to {
            for at in self.network.between_members(&mut self.choices, self.now, (from, *to)) {
                self.at(at, Event::Deliver { from, to: *to, envelope: Rc::clone(&envelope) });
            }
        }
    }

    /// Sees to it that the replica is called at its deadline. A timer that is early asks again.
    fn set_timer(&mut self, id: ReplicaId) {
        let now = self.now;
        let node = self.node_mut(id);
        let (started, life) = (node.started, node.life());
        let Some(running) = &mut node.running else { return };
        let deadline = started.saturating_add(running.replica.next_deadline().0).max(now);
        if running.timer.is_none_or(|timer| deadline < timer) {
            running.timer = Some(deadline);
            self.at(deadline, Event::Timer(life));
        }
    }

    pub(super) fn on_timer(&mut self, life: Life) {
        if !self.is_alive(life) {
            return;
        }
        let now = self.now;
        let node = self.node_mut(life.node);
        let started = node.started;
        let Some(running) = node.running.as_mut().filter(|running| running.timer == Some(now)) else { return };
        running.timer = None;
        if started.saturating_add(running.replica.next_deadline().0) > now {
            self.set_timer(life.node);
            return;
        }
        running.spins = if running.spins.0 == now { (now, running.spins.1 + 1) } else { (now, 0) };
        if running.spins.1 > SPINS_MAX {
            let text = format!("the deadline of replica {} does not move", life.node);
            self.checks.report(Class::Liveness, "deadline", text);
            return;
        }
        self.step(life.node, CoreEvent::DeadlineReached);
    }

    /// Hands a message to its receiver, if that is running.
    pub(super) fn deliver(&mut self, from: ReplicaId, to: ReplicaId, envelope: &Envelope) {
        let ordered = |world: &World| world.node(to).running.as_ref().map(|running| running.replica.execution().0);
        let before = ordered(self);
        self.step(to, CoreEvent::Message { from, message: envelope.message.clone() });
        if let (Some(before), Some(after), Message::Committed(_)) = (before, ordered(self), envelope.message.get()) {
            self.counters.add_many(Counter::SlotsAdopted, after.since(before));
        }
    }
}
