//! A Byzantine client, and what it can be told to do.

use std::collections::BTreeSet;

use bytes::Bytes;
use quorate::messages::{Request, SigningContext};
use quorate::{ClientId, Genesis, ReplicaId, RequestId};
use quorate_crypto::KeyPair;
use serde::{Deserialize, Serialize};

use super::bad_signatures::BadSignatures;
use super::client_attack::{ClientAttack, ClientScene, Sent};
use super::flood::Flood;
use super::odd_numbers::OddNumbers;
use super::repeats::Repeats;
use super::two_operations::TwoOperations;
use crate::choices::Choices;
use crate::counters::Counters;

/// What a Byzantine client can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RogueBehaviour {
    /// Two operations under one number.
    TwoOperations,
    /// Signatures that are valid for some.
    BadSignatures,
    /// Numbers and sessions that no honest client uses.
    OddNumbers,
    /// One request again and again.
    Repeats,
    /// As much as there is room for, and more.
    Flood,
}

impl RogueBehaviour {
    /// All of them.
    pub const ALL: [RogueBehaviour; 5] = [
        RogueBehaviour::TwoOperations,
        RogueBehaviour::BadSignatures,
        RogueBehaviour::OddNumbers,
        RogueBehaviour::Repeats,
        RogueBehaviour::Flood,
    ];

    fn build(self) -> Box<dyn ClientAttack> {
        match self {
            RogueBehaviour::TwoOperations => Box::new(TwoOperations::default()),
            RogueBehaviour::BadSignatures => Box::new(BadSignatures::default()),
            RogueBehaviour::OddNumbers => Box::new(OddNumbers::default()),
            RogueBehaviour::Repeats => Box::new(Repeats::default()),
            RogueBehaviour::Flood => Box::new(Flood::default()),
        }
    }
}

/// A Byzantine client.
#[derive(Debug)]
pub struct Rogue {
    key: KeyPair,
    context: SigningContext,
    members: Vec<ReplicaId>,
    window: u64,
    sent: BTreeSet<(RequestId, Bytes)>,
    attack: Box<dyn ClientAttack>,
}

impl Rogue {
    /// A client that does this.
    #[must_use]
    pub fn new(behaviour: RogueBehaviour, key: KeyPair, genesis: &Genesis, context: SigningContext) -> Self {
        let members = genesis.committee.ids().collect();
        Rogue {
            key,
            context,
            members,
            window: genesis.limits.client_window,
            sent: BTreeSet::new(),
            attack: behaviour.build(),
        }
    }

    /// Its name.
    #[must_use]
    pub fn client(&self) -> ClientId {
        ClientId(self.key.public())
    }

    /// Whether it sends this for the first time.
    pub fn remember(&mut self, request: &Request) -> bool {
        self.sent.insert((request.id, request.operation.clone()))
    }

    /// What it sends now.
    pub fn act(
        &mut self,
        choices: &mut Choices,
        counters: &mut Counters,
        make_operation: &dyn Fn(&mut Choices) -> Bytes,
    ) -> Vec<Sent> {
        let Rogue { key, context, members, window, attack, .. } = self;
        attack.act(&mut ClientScene { key, context, members, window: *window, choices, make_operation, counters })
    }
}
