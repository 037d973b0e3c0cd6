//! Proven reads, sans-I/O: a value of the application's state with a proof that it stood there at a certified checkpoint.
//!
//! A valid answer cannot lie about the value, but it can be old: a faulty replica may prove an ancient checkpoint for
//! ever. Of valid answers of W members the newest is taken, which is at least as new as that of a correct one.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::error::ClientError;
use super::inquiry::Collector;
use crate::codec;
use crate::execution::state::Proof;
use crate::messages::client::{Answer, ProvenAnswer};
use crate::messages::{ClientMessage, ReplicaMessage, Verifier};
use crate::types::{ReplicaId, SeqNum, WallTime};

/// What stood under a key at a certified checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenValue {
    /// The checkpoint: everything up to this slot had been executed, and nothing after it.
    pub seq: SeqNum,
    /// The agreed time at the checkpoint.
    pub time: WallTime,
    /// The value; `None` when the key provably had none.
    pub value: Option<Bytes>,
}

/// Collects the answers to one query.
#[derive(Debug)]
pub struct QueryCollector {
    verifier: Arc<Verifier>,
    needed: usize,
    tag: u64,
    key: Bytes,
    /// `None`: the member says that no checkpoint is certified yet.
    answers: BTreeMap<ReplicaId, Option<ProvenValue>>,
}

impl QueryCollector {
    /// Collects valid answers of `needed` members. No two queries that are under way share a tag.
    #[must_use]
    pub fn new(verifier: Arc<Verifier>, needed: usize, tag: u64, key: Bytes) -> Self {
        QueryCollector { verifier, needed, tag, key, answers: BTreeMap::new() }
    }

    /// The value, if the certificate certifies the root, the root the parts, and the parts the proof.
    fn check(&self, answer: &ProvenAnswer) -> Option<ProvenValue> {
        self.verifier.check_checkpoint_certificate(&answer.certificate).ok()?;
        let seq = answer.certificate.seq();
        if answer.parts.root(seq) != answer.certificate.root() {
            return None;
        }
        let proof: Proof = codec::decode(&answer.proof).ok()?;
        let value = proof.verify(&answer.parts.application, &self.key).ok()?;
        Some(ProvenValue { seq, time: answer.parts.time, value: value.map(Bytes::from) })
    }
}

impl Collector for QueryCollector {
    type Answer = ProvenValue;

    fn question(&self) -> ClientMessage {
        ClientMessage::Query { tag: self.tag, key: self.key.clone() }
    }

    fn answered(&self) -> Vec<ReplicaId> {
        self.answers.keys().copied().collect()
    }

    fn on_message(&mut self, from: ReplicaId, message: &ReplicaMessage) -> Option<Result<ProvenValue, ClientError>> {
        let value = match message {
            ReplicaMessage::Answer(Answer { tag, proven }) if *tag == self.tag => match proven {
                Some(proven) => Some(self.check(proven)?),
                None => None,
            },
            ReplicaMessage::Answer(_)
            | ReplicaMessage::Reply(_)
            | ReplicaMessage::Busy(_)
            | ReplicaMessage::Refused(_)
            | ReplicaMessage::Attestation(_)
            | ReplicaMessage::NotAttested { .. } => return None,
        };
        self.answers.insert(from, value);
        if self.answers.len() < self.needed {
            return None;
        }
        let newest = self.answers.values().flatten().max_by_key(|value| value.seq);
        Some(newest.cloned().ok_or(ClientError::NothingCertified))
    }
}
