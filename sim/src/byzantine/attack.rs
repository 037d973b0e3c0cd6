//! The seam between a world and what its Byzantine replicas do.

use std::fmt::Debug;

use quorate::ReplicaId;
use quorate::messages::{Message, Payload, Signed, SigningContext};
use quorate_crypto::KeyPair;

use crate::choices::Choices;

/// A Byzantine replica, as its attack sees it.
#[derive(Clone, Debug)]
pub struct Puppet {
    /// Its place.
    pub id: ReplicaId,
    /// Its key.
    pub key: KeyPair,
    /// How it signs.
    pub context: SigningContext,
}

impl Puppet {
    /// Signs anything in its own name.
    #[must_use]
    pub fn sign<P: Payload>(&self, payload: P) -> Signed<P> {
        self.context.sign(&self.key, self.id, payload)
    }
}

/// What all Byzantine replicas of a world do.
pub trait Attack: Debug {
    /// What leaves instead of the message that a puppet's honest core sends to these members.
    fn rewrite(
        &mut self,
        puppet: &Puppet,
        to: &[ReplicaId],
        message: &Message,
        choices: &mut Choices,
    ) -> Vec<(ReplicaId, Message)>;

    /// How often it has attacked.
    fn count(&self) -> u64;
}
