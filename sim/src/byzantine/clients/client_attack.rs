//! The seam between a Byzantine client and what it does.

use std::fmt::Debug;

use bytes::Bytes;
use quorate::messages::{Request, SigningContext};
use quorate::{ClientId, ReplicaId, RequestId, RequestNumber, Session};
use quorate_crypto::KeyPair;

use crate::choices::Choices;
use crate::counters::{Counter, Counters};

/// Something that a Byzantine client does.
pub trait ClientAttack: Debug + Send {
    /// What it sends now.
    fn act(&mut self, scene: &mut ClientScene<'_>) -> Vec<Sent>;
}

/// A request on its way to a member.
pub type Sent = (ReplicaId, Request);

/// What an attack has at hand when it is its turn.
pub struct ClientScene<'a> {
    /// The client's key.
    pub key: &'a KeyPair,
    /// How it signs.
    pub context: &'a SigningContext,
    /// All members.
    pub members: &'a [ReplicaId],
    /// C: how many numbers may be under way.
    pub window: u64,
    /// Where everything is drawn from.
    pub choices: &'a mut Choices,
    pub(super) make_operation: &'a dyn Fn(&mut Choices) -> Bytes,
    pub(super) counters: &'a mut Counters,
}

impl ClientScene<'_> {
    /// An operation that is new.
    pub fn operation(&mut self) -> Bytes {
        (self.make_operation)(self.choices)
    }

    /// Signs an operation under any session and number.
    #[must_use]
    pub fn sign(&self, session: u64, number: u64, operation: Bytes) -> Request {
        let client = ClientId(self.key.public());
        let id = RequestId { client, session: Session(session), number: RequestNumber(number) };
        Request::sign(self.context, self.key, id, operation)
    }

    /// The same request to all members.
    #[must_use]
    pub fn to_all(&self, request: &Request) -> Vec<Sent> {
        self.members.iter().map(|member| (*member, request.clone())).collect()
    }

    /// It was made once more.
    pub fn count(&mut self, counter: Counter) {
        self.counters.add(counter);
    }
}
