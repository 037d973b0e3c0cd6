//! Members that prove things, and what liars make of their proofs.

use std::sync::Arc;

use bytes::Bytes;
use quorate::codec;
use quorate::execution::state::{State, StateLimits};
use quorate::messages::client::{Answer, Attestation, AttestedResult, ProvenAnswer, RootParts};
use quorate::messages::request::operation_digest;
use quorate::messages::{Checkpoint, CheckpointCertificate, ClientMessage, ReplicaMessage, VoteSignature};
use quorate::outcome::{Outcome, result_leaf};
use quorate::{ClientId, ReplicaId, RequestId, RequestNumber, SeqNum, WallTime};
use quorate_crypto::Digest;
use quorate_crypto::merkle::MerkleTree;

use crate::world::{SESSION, identity, member_key};

type Answerer = Arc<dyn Fn(ClientMessage) -> Option<ReplicaMessage> + Send + Sync>;

/// A member whose last certified checkpoint is at `seq`, with these entries in ascending order.
pub(crate) fn answerer(seq: u64, entries: &[(&[u8], &[u8])]) -> Answerer {
    let state = State::from_entries(StateLimits::default(), entries.iter().copied()).expect("a valid state");
    let parts =
        RootParts { application: state.root(), client_table: Digest::ZERO, chain: Digest::ZERO, time: WallTime(seq) };
    let checkpoint = Checkpoint { seq: SeqNum(seq), root: parts.root(SeqNum(seq)) };
    let context = identity(4, 4).context;
    let sign = |signer| {
        let signature = context.sign(&member_key(signer), signer, checkpoint).signature;
        VoteSignature { signer, signature }
    };
    let certificate = CheckpointCertificate { checkpoint, signatures: (0..3).map(ReplicaId).map(sign).collect() };
    Arc::new(move |message| match message {
        ClientMessage::Query { tag, key } => {
            let proof = codec::encode(&state.prove(&key)).into();
            let proven = Some(ProvenAnswer { certificate: certificate.clone(), parts, proof });
            Some(ReplicaMessage::Answer(Answer { tag, proven }))
        }
        ClientMessage::Request(_) | ClientMessage::Attest { .. } => None,
    })
}

pub(crate) fn with_other_parts(message: ReplicaMessage) -> ReplicaMessage {
    change(message, |answer| answer.parts.time = WallTime(99))
}

pub(crate) fn with_other_proof(message: ReplicaMessage) -> ReplicaMessage {
    let other = State::from_entries(StateLimits::default(), [(b"k", b"lie")]).expect("a valid state");
    change(message, |answer| answer.proof = codec::encode(&other.prove(b"k")).into())
}

pub(crate) fn with_fewer_signatures(message: ReplicaMessage) -> ReplicaMessage {
    change(message, |answer| answer.certificate.signatures.truncate(2))
}

fn change(mut message: ReplicaMessage, lie: impl FnOnce(&mut ProvenAnswer)) -> ReplicaMessage {
    if let ReplicaMessage::Answer(Answer { proven: Some(answer), .. }) = &mut message {
        lie(answer);
    }
    message
}

/// What `signer` attests when the first request of the client did `operation` in slot 1.
pub(crate) fn attestation(signer: ReplicaId, operation: Bytes) -> ReplicaMessage {
    let identity = identity(4, 4);
    let id = RequestId { client: ClientId(identity.key.public()), session: SESSION, number: RequestNumber(1) };
    let leaf = result_leaf(0, &id, &operation_digest(&operation), &Outcome::Done(operation));
    let tree = MerkleTree::new(vec![leaf, Digest::ZERO]);
    let attestation = Attestation { seq: SeqNum(1), chain: Digest::ZERO, results_root: tree.root() };
    let attestation = identity.context.sign(&member_key(signer), signer, attestation);
    ReplicaMessage::Attestation(AttestedResult { attestation, path: tree.prove(0).expect("leaf 0 is there") })
}
