//! What becomes of a core's actions: what is persisted comes before what is sent, and that before what is executed.

use std::rc::Rc;
use std::time::Duration;

use quorate::core::{Actions, Event as CoreEvent, Outgoing, Recipients};
use quorate::messages::Message;
use quorate::storage::{Storage, StorageError};
use quorate::{ReplicaId, SeqNum};

use super::failing::CrashPoint;
use super::network::Passage;
use super::node::{Held, Work};
use super::queue::{Envelope, Event, Life};
use super::world::World;
use crate::byzantine::{Parcel, Worth};
use crate::chart::{Happening, Note, Statement, Topic};
use crate::checkers::{Posture, Turn};
use crate::counters::Counter;
use crate::signatures::fingerprint;
use crate::violation::Class;

/// A deadline that is reached this often at one moment does not move.
const SPINS_MAX: u32 = 100;
/// How many times as long a slow sync takes.
const SLOW_SYNC: u32 = 100;
/// How often a replica looks how much room there is. Nanoseconds.
const SPACE_PERIOD: u64 = 50_000_000;

impl World {
    /// Hands an event to a running replica and does what it wants. Where a rule is broken already, the replica would go on
    /// from what must not be, and might end in a panic that hides the rule.
    pub(super) fn step(&mut self, id: ReplicaId, event: CoreEvent) {
        if self.checks.violation().is_some() {
            return;
        }
        let world = self.now;
        let node = self.node_mut(id);
        let now = node.now(world);
        let Some(running) = &mut node.running else { return };
        let before = Posture::of(&running.replica);
        running.replica.step(now, event);
        let actions = running.replica.take_actions();
        let turn = Turn { before, after: Posture::of(&running.replica) };
        for record in &actions.persist {
            self.checks.on_record_of(id, turn, record);
        }
        self.observe(id, &actions);
        self.act(id, actions);
        self.set_timer(id);
    }

    /// The checkers see what a step did before the replica looks at itself: a rule that is broken has a name. What it did
    /// comes before what it thinks of it: the rule has the name of what was broken, not of who noticed.
    fn observe(&mut self, id: ReplicaId, actions: &Actions) {
        for record in &actions.persist {
            self.checks.on_record(id, record);
        }
        for notice in &actions.notices {
            self.on_notice(id, notice);
        }
        let Some(running) = &self.nodes[id.index()].running else { return };
        self.checks.on_step(id, &running.replica);
        if self.checks.violation().is_none() {
            running.replica.check_all_invariants();
        }
    }

    fn act(&mut self, id: ReplicaId, actions: Actions) {
        let Actions { persist, send, execute, notices: _ } = actions;
        let writes = !persist.is_empty();
        if writes && self.crashes_at(id, CrashPoint::BeforeWrite) {
            return;
        }
        let Some(running) = &mut self.node_mut(id).running else { return };
        if let Err(error) = running.persister.write(persist) {
            return self.on_storage_failure(id, &error);
        }
        let needs = running.persister.binding();
        if !send.is_empty() || !execute.is_empty() {
            running.outbox.push_back(Held { needs, send, execute });
        }
        if writes && self.crashes_at(id, CrashPoint::AfterWrite) {
            return;
        }
        if let Err(error) = self.look_at_space(id) {
            return self.on_storage_failure(id, &error);
        }
        self.sync_if_needed(id);
        self.release(id);
    }

    /// Tells the core when its disk gets full, and when it has room again.
    fn look_at_space(&mut self, id: ReplicaId) -> Result<(), StorageError> {
        let now = self.now;
        let node = self.node_mut(id);
        let life = node.life();
        let Some(running) = node.running.as_mut().filter(|running| running.space_at <= now) else { return Ok(()) };
        running.space_at = now + SPACE_PERIOD;
        let space = running.persister.journal().space()?;
        if std::mem::replace(&mut running.space, space) != space {
            self.after(Duration::ZERO, Event::Space { life, space });
        }
        Ok(())
    }

    fn sync_if_needed(&mut self, id: ReplicaId) {
        let node = self.node_mut(id);
        let life = node.life();
        if !node.running.as_mut().is_some_and(|running| running.persister.begin_sync()) {
            return;
        }
        let mut delay = self.draw(self.options.machine.sync);
        if !self.is_calm() && self.choices.chance(self.options.faults.slow_syncs) {
            self.counters.add(Counter::SlowSyncs);
            delay = (delay * SLOW_SYNC).min(self.until_calm() + delay);
        }
        if !self.is_calm() && self.choices.chance(self.options.faults.crash_in_sync) {
            let moment = self.draw((Duration::ZERO, delay));
            self.after(moment, Event::CrashInSync(life));
        }
        self.after(delay, Event::Synced(life));
    }

    pub(super) fn on_synced(&mut self, life: Life) {
        if !self.is_alive(life) {
            return;
        }
        let id = life.node;
        let Some(running) = &mut self.node_mut(id).running else { return };
        let synced = match running.persister.end_sync() {
            Ok(synced) => synced,
            Err(error) => return self.on_storage_failure(id, &error),
        };
        self.checks.on_durable(id, &synced);
        if self.crashes_at(id, CrashPoint::AfterSync) {
            return;
        }
        let Some(running) = &mut self.node_mut(id).running else { return };
        if let Err(error) = running.persister.write_waiting() {
            return self.on_storage_failure(id, &error);
        }
        self.sync_if_needed(id);
        self.release(id);
    }

    /// Lets go what no longer waits for the disk, in order.
    pub(super) fn release(&mut self, id: ReplicaId) {
        loop {
            let Some(running) = &mut self.node_mut(id).running else { return };
            let durable = running.persister.durable();
            if running.outbox.front().is_none_or(|held| held.needs > durable) {
                break;
            }
            let Some(held) = running.outbox.pop_front() else { break };
            let has_said = !held.send.is_empty();
            for outgoing in held.send {
                self.send(id, outgoing);
            }
            if has_said && self.crashes_at(id, CrashPoint::AfterSend) {
                return;
            }
            let Some(running) = &mut self.node_mut(id).running else { return };
            running.work.extend(held.execute.into_iter().map(Work::Order));
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
                self.send_history(from, to, (after, through));
            }
        }
    }

    /// Answers from the journal. What cannot be read is not served: the peer asks somebody else.
    fn send_history(&mut self, from: ReplicaId, to: ReplicaId, (after, through): (SeqNum, SeqNum)) {
        let slots_max = self.options.machine.history_slots;
        let Some(running) = &self.node(from).running else { return };
        match running.persister.history(after, through, slots_max) {
            Ok(slots) if slots.is_empty() => self.send_to_members(from, &[to], Message::HistoryGone { after }),
            Ok(slots) => self.send_to_members(from, &[to], Message::Committed(slots)),
            Err(error) => {
                self.mark(from, || Note::new(Topic::Fault, format!("cannot read its history: {error}")));
                self.send_to_members(from, &[to], Message::HistoryGone { after });
            }
        }
    }

    pub(super) fn send_to_members(&mut self, from: ReplicaId, to: &[ReplicaId], message: Message) {
        if self.node(from).is_correct() {
            self.checks.on_send(from, &message);
            self.transmit(from, Parcel::new(to.to_vec(), message));
        } else {
            self.send_lies(from, to, message);
        }
    }

    /// Puts a message on the network. It is verified here, once for all who receive it.
    pub(super) fn transmit(&mut self, from: ReplicaId, parcel: Parcel) {
        let Parcel { to, message, worth, .. } = parcel;
        let frame = message.encode();
        let message = if self.choices.chance(self.options.network.encoded) {
            Message::decode(&frame).expect("what was encoded is decoded")
        } else {
            message
        };
        let kind = message.kind();
        let verified = match self.verifier.message(message) {
            Ok(_) if worth == Worth::Forged => {
                let text = format!("a forged {kind} of {from} is taken for valid");
                self.checks.report(Class::Safety, "forgery", text);
                return;
            }
            Ok(verified) => verified,
            Err(reason) => {
                if self.node(from).is_correct() {
                    let text = format!("correct replica {from} sent an invalid {kind}: {reason}");
                    self.checks.report(Class::Safety, "verify", text);
                }
                self.counters.add(Counter::InvalidRefused);
                return;
            }
        };
        if !self.node(from).is_correct() {
            self.checks.on_lie(from, verified.get());
        }
        let envelope = Rc::new(Envelope { message: verified, fingerprint: fingerprint(0, &frame) });
        for to in to {
            let passage = Passage { from, to, kind, now: self.now };
            let arrivals = self.network.between_members(&passage, &mut self.choices, &mut self.counters);
            self.transcript.record(self.now, || {
                let statement = Statement::of(envelope.message.get(), envelope.fingerprint);
                Some(Happening::sent(from, to, statement, &arrivals))
            });
            for at in arrivals {
                self.at(at, Event::Deliver { from, to, envelope: Rc::clone(&envelope) });
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
    pub(super) fn deliver(&mut self, from: ReplicaId, to: ReplicaId, envelope: &Rc<Envelope>) {
        if self.is_running(to) && self.scheduler.holds(from, to, envelope) {
            self.counters.add(Counter::VotesHeld);
            return;
        }
        let Some(message) = self.heard_of(to, from, &envelope.message) else { return };
        if self.deliver_transfer(from, to, message.get()) {
            return;
        }
        let ordered = |world: &World| world.node(to).running.as_ref().map(|running| running.replica.execution().0);
        let before = ordered(self);
        self.step(to, CoreEvent::Message { from, message });
        if let (Some(before), Some(after), Message::Committed(_)) = (before, ordered(self), envelope.message.get()) {
            self.counters.add_many(Counter::SlotsAdopted, after.since(before));
        }
    }
}
