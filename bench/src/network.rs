//! A network of four with deterministic keys, and what its members and its client say.

use std::sync::Arc;

use bytes::Bytes;
use quorate::batch::Batch;
use quorate::core::Identity;
use quorate::genesis::Limits;
use quorate::messages::{Payload, Request, Signed, SigningContext, Verifier, VoteSignature};
use quorate::{
    ClientId, Committee, Genesis, NodeConfig, ReplicaId, RequestId, RequestNumber, Session, WallTime, codec,
};
use quorate_crypto::{InvalidKey, InvalidSignature, KeyPair, PublicKey, Signature, SignatureScheme};

/// n.
pub const MEMBERS: u16 = 4;
/// The verified signatures that are remembered.
const MEMO_ENTRIES: usize = 65_536;

/// Signatures that cost nothing and prove nothing, so that a benchmark sees everything but them.
#[derive(Clone, Copy, Debug)]
pub struct NoSignatures;

impl SignatureScheme for NoSignatures {
    fn sign(&self, _key: &KeyPair, _message: &[u8]) -> Signature {
        Signature::from_bytes([0; 64])
    }

    fn verify(&self, _key: &PublicKey, _message: &[u8], _signature: &Signature) -> Result<(), InvalidSignature> {
        Ok(())
    }

    fn check_key(&self, _key: &PublicKey) -> Result<(), InvalidKey> {
        Ok(())
    }
}

/// Four members and one client.
#[derive(Clone, Debug)]
pub struct Network {
    genesis: Arc<Genesis>,
    context: SigningContext,
}

impl Network {
    /// A network with these limits that signs with `scheme`.
    #[must_use]
    pub fn new(scheme: Arc<dyn SignatureScheme>, limits: Limits) -> Self {
        let members = (0..MEMBERS).map(|id| member_key(ReplicaId(id)).public()).collect();
        let genesis = Genesis {
            version: codec::FORMAT_VERSION,
            network: "bench".to_owned(),
            time: WallTime(0),
            limits,
            committee: Committee::new(members).expect("four members are a committee"),
            clients: vec![ClientId(client_key().public())],
        };
        genesis.validate(scheme.as_ref()).expect("the benchmarks choose limits that work");
        let context = SigningContext::new(scheme, genesis.chain_id(), genesis.epoch());
        Network { genesis: Arc::new(genesis), context }
    }

    /// What all members share.
    #[must_use]
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// A member with the default settings.
    #[must_use]
    pub fn identity(&self, id: ReplicaId) -> Identity {
        Identity {
            genesis: Arc::clone(&self.genesis),
            config: Arc::new(NodeConfig::default()),
            id,
            key: member_key(id),
            context: self.context.clone(),
        }
    }

    /// What judges the messages of this network.
    #[must_use]
    pub fn verifier(&self) -> Verifier {
        Verifier::new(Arc::clone(&self.genesis), self.context.clone(), MEMO_ENTRIES)
    }

    /// The client's request with this number.
    #[must_use]
    pub fn request(&self, number: u64, operation: Bytes) -> Request {
        let key = client_key();
        let id = RequestId { client: ClientId(key.public()), session: Session(1), number: RequestNumber(number) };
        Request::sign(&self.context, &key, id, operation)
    }

    /// A batch of so many requests with operations of this size.
    #[must_use]
    pub fn batch(&self, requests: u64, operation_bytes: usize) -> Batch {
        let operation = Bytes::from(vec![7; operation_bytes]);
        let requests = (1..=requests).map(|number| self.request(number, operation.clone()));
        Batch::new(WallTime(1), requests.collect())
    }

    /// A statement of a member.
    #[must_use]
    pub fn sign<P: Payload>(&self, signer: ReplicaId, payload: P) -> Signed<P> {
        self.context.sign(&member_key(signer), signer, payload)
    }

    /// The signatures of several members under one statement.
    #[must_use]
    pub fn votes<P: Payload + Clone>(&self, payload: &P, signers: std::ops::Range<u16>) -> Vec<VoteSignature> {
        let vote = |id| {
            let Signed { signer, signature, .. } = self.sign(ReplicaId(id), payload.clone());
            VoteSignature { signer, signature }
        };
        signers.map(vote).collect()
    }
}

fn member_key(ReplicaId(id): ReplicaId) -> KeyPair {
    KeyPair::from_seed(&[1 + id as u8; 32])
}

fn client_key() -> KeyPair {
    KeyPair::from_seed(&[200; 32])
}
