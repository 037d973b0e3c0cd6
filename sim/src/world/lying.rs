//! Byzantine replicas: what leaves them instead of what their honest cores send, what those get to see, and what they
//! say by themselves.

use std::time::Duration;

use quorate::ReplicaId;
use quorate::messages::{Message, ReplicaMessage, Request, Verified};

use super::damaging::Mishap;
use super::failing::Ending;
use super::node::Node;
use super::queue::Event;
use super::world::World;
use crate::byzantine::{Behaviour, Heard, Liar, Parcel, Stage};
use crate::chart::{Note, Statement};
use crate::counters::Counter;

impl World {
    /// Lets all liars speak from time to time, and plans whose homes are set back.
    pub(super) fn begin_lies(&mut self) {
        let liars: Vec<_> = self.nodes.iter().filter(|node| !node.is_correct()).map(Node::id).collect();
        for id in liars {
            self.after(self.options.lying.pause, Event::Lie { node: id });
            if self.options.attacks_of(id).iter().any(|plan| plan.behaviour == Behaviour::Amnesia) {
                let at = self.draw_moment();
                let before = self.draw((Duration::ZERO, at));
                self.after(before, Event::Copy { node: id });
                self.after(at, Event::SetBack { node: id });
            }
        }
    }

    /// An older copy of its home takes the place of a liar's own.
    pub(super) fn on_set_back(&mut self, id: ReplicaId) {
        if self.is_calm() || self.node(id).copy.is_none() {
            return;
        }
        self.counters.add(Counter::SetBacks);
        self.crash(id, Ending::Process);
        self.inflict(id, Mishap::OlderCopy);
    }

    pub(super) fn on_lie(&mut self, id: ReplicaId) {
        let said = self.ask_liar(id, Liar::on_tick).unwrap_or_default();
        self.post_all(id, said);
        self.after(self.options.lying.pause, Event::Lie { node: id });
    }

    /// A message that a liar's honest core sends.
    pub(super) fn send_lies(&mut self, from: ReplicaId, to: &[ReplicaId], message: Message) {
        let honest = self.transcript.is_kept().then(|| Statement::of(&message, 0));
        let parcels = self.ask_liar(from, |liar, stage| liar.on_send(stage, to, message)).unwrap_or_default();
        if let Some(honest) = honest {
            self.mark_silence(from, to, &honest, &parcels);
        }
        self.post_all(from, parcels);
    }

    /// Who gets nothing in place of what an honest replica would have said.
    fn mark_silence(&self, from: ReplicaId, to: &[ReplicaId], honest: &Statement, parcels: &[Parcel]) {
        let gets_something = |id: &&ReplicaId| parcels.iter().any(|parcel| parcel.to.contains(id));
        let deceived: Vec<_> = to.iter().filter(|id| !gets_something(id)).map(|id| format!("R{id}")).collect();
        if !deceived.is_empty() {
            let text = format!("says nothing to {}: {}", deceived.join(", "), honest.label());
            self.mark(from, || Note { topic: honest.topic, about: honest.about, text });
        }
    }

    /// What a replica's core gets to see of a message. Others see it as it is.
    pub(super) fn heard_of(
        &mut self,
        id: ReplicaId,
        from: ReplicaId,
        message: &Verified<Message>,
    ) -> Option<Verified<Message>> {
        let Some((heard, said)) = self.ask_liar(id, |liar, stage| liar.on_receive(stage, from, message.get())) else {
            return Some(message.clone());
        };
        self.post_all(id, said);
        match heard {
            Heard::Everything => Some(message.clone()),
            Heard::Nothing => None,
            Heard::Instead(other) => self.verifier.message(*other).ok(),
        }
    }

    /// Whether a replica's core gets to see a client's request.
    pub(super) fn is_request_heard(&mut self, id: ReplicaId, request: &Request) -> bool {
        let Some((heard, said)) = self.ask_liar(id, |liar, stage| liar.on_request(stage, request)) else { return true };
        self.post_all(id, said);
        heard == Heard::Everything
    }

    /// What a client hears from a replica instead of this.
    pub(super) fn told(&mut self, from: ReplicaId, message: ReplicaMessage) -> Option<ReplicaMessage> {
        if self.node(from).is_correct() {
            return Some(message);
        }
        self.ask_liar(from, |liar, stage| liar.on_reply(stage, message)).flatten()
    }

    /// What was held back leaves, whatever became of its sender.
    pub(super) fn on_parcel(&mut self, from: ReplicaId, parcel: Parcel) {
        self.transmit(from, parcel);
    }

    fn post_all(&mut self, from: ReplicaId, parcels: Vec<Parcel>) {
        for parcel in parcels {
            if parcel.delay == Duration::ZERO {
                self.transmit(from, parcel);
            } else {
                self.after(parcel.delay, Event::Parcel { from, parcel: Box::new(parcel) });
            }
        }
    }

    /// Lets a liar that runs do something; `None` if it is none.
    fn ask_liar<T>(&mut self, id: ReplicaId, ask: impl FnOnce(&mut Liar, Stage<'_>) -> T) -> Option<T> {
        let World { nodes, choices, board, counters, now, .. } = self;
        let node = nodes.get_mut(id.index())?;
        let liar = node.liar.as_mut().filter(|_| node.running.is_some())?;
        Some(ask(liar, Stage { now: Duration::from_nanos(*now), choices, board, counters }))
    }
}
