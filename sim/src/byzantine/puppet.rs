//! A Byzantine replica, as its attacks see it.

use std::sync::Arc;
use std::time::Duration;

use quorate::core::Identity;
use quorate::messages::{Payload, Signed, SigningContext};
use quorate::{Epoch, Genesis, ReplicaId};
use quorate_crypto::{Digest, KeyPair, SignatureScheme};

/// A Byzantine replica: it owns its real key and nobody else's.
#[derive(Clone, Debug)]
pub struct Puppet {
    /// Its place.
    pub id: ReplicaId,
    /// Its key.
    pub key: KeyPair,
    /// How it signs.
    pub context: SigningContext,
    /// What all replicas share.
    pub genesis: Arc<Genesis>,
    /// T, as it is configured.
    pub timeout: Duration,
    scheme: Arc<dyn SignatureScheme>,
}

impl Puppet {
    /// The puppet that takes the place of this replica.
    #[must_use]
    pub fn new(identity: &Identity, scheme: Arc<dyn SignatureScheme>) -> Self {
        let Identity { genesis, config, id, key, context } = identity.clone();
        Puppet { id, key, context, genesis, timeout: Duration::from_millis(config.timeout_ms), scheme }
    }

    /// Signs anything in its own name.
    #[must_use]
    pub fn sign<P: Payload>(&self, payload: P) -> Signed<P> {
        self.context.sign(&self.key, self.id, payload)
    }

    /// How it would sign in another network.
    #[must_use]
    pub fn in_network(&self, chain_id: Digest) -> SigningContext {
        SigningContext::new(Arc::clone(&self.scheme), chain_id, self.genesis.epoch())
    }

    /// How it would sign in another epoch.
    #[must_use]
    pub fn in_epoch(&self, epoch: Epoch) -> SigningContext {
        SigningContext::new(Arc::clone(&self.scheme), self.genesis.chain_id(), epoch)
    }

    /// All members but itself.
    #[must_use]
    pub fn others(&self) -> Vec<ReplicaId> {
        self.genesis.committee.ids().filter(|id| *id != self.id).collect()
    }
}
