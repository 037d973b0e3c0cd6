//! Signed statements of replicas, and the proof by type that a signature was checked.

use std::sync::Arc;

use quorate_crypto::{Digest, Hasher, InvalidSignature, KeyPair, PublicKey, Signature, SignatureScheme};
use serde::{Deserialize, Serialize};

use crate::codec::{self, FORMAT_VERSION};
use crate::mutants::Mutant;
use crate::types::{ClientId, Epoch, ReplicaId};

/// A statement that replicas sign.
pub trait Payload: Serialize {
    /// The domain of its signatures: no two types share one, and none is a prefix of a domain of libp2p.
    const DOMAIN: &'static str;

    /// The name in logs and metrics.
    const KIND: &'static str;
}

/// A statement with its signer and signature. Two are the same statement when signer and payload are equal: the
/// signature is no part of the identity.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Signed<P> {
    /// Who says it.
    pub signer: ReplicaId,
    /// What it says.
    pub payload: P,
    /// The signature over domain, version, chain id, epoch, signer and payload.
    pub signature: Signature,
}

impl<P: PartialEq> PartialEq for Signed<P> {
    fn eq(&self, other: &Self) -> bool {
        self.signer == other.signer && self.payload == other.payload
    }
}

impl<P: Eq> Eq for Signed<P> {}

/// What every signature of one network and epoch covers beside the statement, and the scheme.
#[derive(Clone, Debug)]
pub struct SigningContext {
    scheme: Arc<dyn SignatureScheme>,
    chain_id: Digest,
    epoch: Epoch,
}

impl SigningContext {
    /// The context of a network in an epoch.
    #[must_use]
    pub fn new(scheme: Arc<dyn SignatureScheme>, chain_id: Digest, epoch: Epoch) -> Self {
        SigningContext { scheme, chain_id, epoch }
    }

    /// The network.
    #[must_use]
    pub fn chain_id(&self) -> Digest {
        self.chain_id
    }

    /// Signs a statement as replica `signer`.
    #[must_use]
    pub fn sign<P: Payload>(&self, key: &KeyPair, signer: ReplicaId, payload: P) -> Signed<P> {
        let signature = self.scheme.sign(key, &self.replica_bytes(signer, &payload));
        Signed { signer, payload, signature }
    }

    /// The bytes that a replica's signature covers. Every field has a fixed width or is preceded by its length.
    #[must_use]
    pub fn replica_bytes<P: Payload>(&self, signer: ReplicaId, payload: &P) -> Vec<u8> {
        let (chain_id, epoch) = (self.chain_id, self.epoch);
        let (chain_id, epoch) =
            if Mutant::SignatureWithoutContext.lives() { (Digest::ZERO, Epoch(0)) } else { (chain_id, epoch) };
        codec::canonical(&(P::DOMAIN, FORMAT_VERSION, chain_id, epoch, signer, payload))
    }

    /// The bytes that a client's signature covers: the chain id, but no epoch, because a request outlives epochs.
    #[must_use]
    pub fn client_bytes<B: Serialize>(&self, domain: &'static str, client: ClientId, body: &B) -> Vec<u8> {
        codec::canonical(&(domain, FORMAT_VERSION, self.chain_id, client, body))
    }

    /// Signs bytes as a client.
    #[must_use]
    pub fn sign_bytes(&self, key: &KeyPair, bytes: &[u8]) -> Signature {
        self.scheme.sign(key, bytes)
    }

    /// The one decision whether a signature is valid.
    ///
    /// # Errors
    /// [`InvalidSignature`] when it is not.
    pub fn verify(&self, key: &PublicKey, bytes: &[u8], signature: &Signature) -> Result<(), InvalidSignature> {
        self.scheme.verify(key, bytes, signature)
    }
}

/// The identity of signed bytes together with one signature over them, for the memo of verified signatures.
#[must_use]
pub(crate) fn memo_key(key: &PublicKey, bytes: &[u8], signature: &Signature) -> Digest {
    Hasher::new("quorate/memo/v1").bytes(key.as_bytes()).bytes(bytes).bytes(signature.as_bytes()).finish()
}

/// A message that passed [`verify`](super::verify), that this replica signed itself, or that comes from its own
/// checksummed journal. There is no other way to make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<M>(M);

impl<M> Verified<M> {
    /// For verify.rs: the checks were made.
    pub(super) fn checked(message: M) -> Self {
        Verified(message)
    }

    /// For what this replica has just signed, or has read from its own journal, which checksums protect.
    pub(crate) fn own(message: M) -> Self {
        Verified(message)
    }

    /// The message.
    #[must_use]
    pub fn get(&self) -> &M {
        &self.0
    }

    /// The message, without the proof.
    #[must_use]
    pub fn into_inner(self) -> M {
        self.0
    }
}

impl<M> std::ops::Deref for Verified<M> {
    type Target = M;

    fn deref(&self) -> &M {
        &self.0
    }
}
