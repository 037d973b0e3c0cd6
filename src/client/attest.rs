//! Receipts, sans-I/O: the signatures of W members under one result, which convince somebody who trusts none of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use quorate_crypto::Digest;

use super::error::ClientError;
use super::inquiry::Collector;
use crate::messages::client::AttestedResult;
use crate::messages::{ClientMessage, ReplicaMessage, RequestResult, Verifier};
use crate::outcome::result_leaf;
use crate::types::{ClientId, ReplicaId, RequestId, SeqNum};

/// Collects the attestations of one result.
#[derive(Debug)]
pub struct AttestationCollector {
    verifier: Arc<Verifier>,
    needed: usize,
    result: RequestResult,
    leaf: Digest,
    attested: BTreeMap<ReplicaId, AttestedResult>,
    /// The members that attest later slots only, with the first of these.
    too_old: BTreeMap<ReplicaId, SeqNum>,
}

impl AttestationCollector {
    /// Collects equal attestations of `needed` members for a result of `client`.
    #[must_use]
    pub fn new(verifier: Arc<Verifier>, needed: usize, client: ClientId, result: RequestResult) -> Self {
        let id = RequestId { client, session: result.session, number: result.number };
        let leaf = result_leaf(result.index, &id, &result.operation, &result.outcome);
        AttestationCollector { verifier, needed, result, leaf, attested: BTreeMap::new(), too_old: BTreeMap::new() }
    }

    /// Hears an attestation. It counts when its sender signed it and the result lies under its root; the first of a
    /// member counts, so that nobody makes this client verify signatures for ever.
    fn on_attestation(&mut self, from: ReplicaId, attested: &AttestedResult) -> Option<Vec<AttestedResult>> {
        if self.attested.contains_key(&from) || !self.is_valid(from, attested) {
            return None;
        }
        self.attested.insert(from, attested.clone());
        let payload = attested.attestation.payload;
        let equal = self.attested.values().filter(|other| other.attestation.payload == payload);
        (equal.clone().count() >= self.needed).then(|| equal.cloned().collect())
    }

    /// Hears that a member attests `first` to `last` only. That it has not executed the slot yet is no answer.
    fn on_not_attested(&mut self, from: ReplicaId, first: SeqNum, last: SeqNum) -> Option<ClientError> {
        let seq = self.result.seq;
        if first <= last && seq < first {
            self.too_old.insert(from, first);
        }
        let oldest = *self.too_old.values().min()?;
        (self.too_old.len() >= self.needed).then_some(ClientError::TooOldToAttest { seq, oldest })
    }

    fn is_valid(&self, from: ReplicaId, attested: &AttestedResult) -> bool {
        let AttestedResult { attestation, path } = attested;
        attestation.signer == from
            && attestation.payload.seq == self.result.seq
            // The index is part of the leaf; the path must lead to its place.
            && path.index == u64::from(self.result.index)
            && path.verify(&attestation.payload.results_root, &self.leaf).is_ok()
            && self.verifier.check_signed(attestation).is_ok()
    }
}

impl Collector for AttestationCollector {
    type Answer = Vec<AttestedResult>;

    fn question(&self) -> ClientMessage {
        ClientMessage::Attest { seq: self.result.seq, index: self.result.index }
    }

    fn answered(&self) -> Vec<ReplicaId> {
        self.attested.keys().copied().collect()
    }

    fn on_message(&mut self, from: ReplicaId, message: &ReplicaMessage) -> Option<Result<Self::Answer, ClientError>> {
        match message {
            ReplicaMessage::Attestation(attested) => self.on_attestation(from, attested).map(Ok),
            &ReplicaMessage::NotAttested { seq, index, from: first, to: last }
                if (seq, index) == (self.result.seq, self.result.index) =>
            {
                self.on_not_attested(from, first, last).map(Err)
            }
            ReplicaMessage::NotAttested { .. }
            | ReplicaMessage::Reply(_)
            | ReplicaMessage::Busy(_)
            | ReplicaMessage::Refused(_)
            | ReplicaMessage::Answer(_) => None,
        }
    }
}
