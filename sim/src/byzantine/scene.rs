//! What an attack has at hand when it is its turn.

use std::time::Duration;

use quorate::ReplicaId;
use quorate::messages::{Message, Payload, Signed};

use super::attack::Parcel;
use super::board::Board;
use super::puppet::Puppet;
use super::trigger::{Place, Trigger};
use crate::choices::Choices;
use crate::counters::{Counter, Counters};

/// What surrounds a Byzantine replica: a world, or a process.
#[derive(Debug)]
pub struct Stage<'a> {
    /// The time since the beginning.
    pub now: Duration,
    /// Where everything is drawn from.
    pub choices: &'a mut Choices,
    /// What all liars share.
    pub board: &'a mut Board,
    /// What is counted.
    pub counters: &'a mut Counters,
}

/// What an attack has at hand when it is its turn.
#[derive(Debug)]
pub struct Scene<'a> {
    /// Whose attack it is.
    pub puppet: &'a Puppet,
    /// The time since the beginning.
    pub now: Duration,
    /// Where everything is drawn from.
    pub choices: &'a mut Choices,
    /// What all liars share.
    pub board: &'a mut Board,
    /// Where the puppet stands.
    pub place: Place,
    pub(super) counters: &'a mut Counters,
    pub(super) trigger: &'a Trigger,
    pub(super) sent: &'a mut Vec<Parcel>,
}

impl Scene<'_> {
    /// Whether the attack is to be made on this occasion.
    pub fn strikes(&mut self, message: &Message) -> bool {
        self.trigger.strikes(self.place.of(message), self.choices)
    }

    /// Whether the attack is to be made now, where the puppet stands.
    pub fn strikes_now(&mut self) -> bool {
        self.trigger.strikes(self.place, self.choices)
    }

    /// It was made once more.
    pub fn count(&mut self, counter: Counter) {
        self.counters.add(counter);
    }

    /// Sends something of its own; no other attack changes it.
    pub fn send(&mut self, parcel: Parcel) {
        self.sent.push(parcel);
    }

    /// Signs anything in the puppet's name.
    #[must_use]
    pub fn sign<P: Payload>(&self, payload: P) -> Signed<P> {
        self.puppet.sign(payload)
    }

    /// Some of these, each with the same chance as not; the others come second.
    pub fn split(&mut self, all: &[ReplicaId]) -> (Vec<ReplicaId>, Vec<ReplicaId>) {
        all.iter().partition(|_| self.choices.chance(500))
    }

    /// One of the other members.
    pub fn somebody(&mut self) -> ReplicaId {
        self.choices.pick(&self.puppet.others())
    }
}
