//! Receipts, sans-I/O: asks for the signatures of W members under a result, which convince somebody who trusts none of
//! them.

use std::collections::{BTreeMap, BTreeSet};

use super::error::ClientError;
use super::inquiry::Collector;
use super::session::Identity;
use crate::execution::{Receipt, ReceiptBuilder};
use crate::messages::client::AttestedResult;
use crate::messages::{ClientMessage, ReplicaMessage, RequestResult};
use crate::types::{ClientId, ReplicaId, SeqNum};

/// Collects the attestations of one result.
#[derive(Debug)]
pub struct ReceiptCollector {
    identity: Identity,
    seq: SeqNum,
    index: u32,
    builder: ReceiptBuilder,
    attested: BTreeSet<ReplicaId>,
    /// The members that attest later slots only, with the first of these.
    too_old: BTreeMap<ReplicaId, SeqNum>,
}

impl ReceiptCollector {
    /// Collects the receipt of a result that this client was given.
    #[must_use]
    pub fn new(identity: Identity, result: RequestResult) -> Self {
        let (seq, index) = (result.seq, result.index);
        let builder = ReceiptBuilder::new(ClientId(identity.key.public()), result);
        ReceiptCollector { identity, seq, index, builder, attested: BTreeSet::new(), too_old: BTreeMap::new() }
    }

    /// Hears an attestation, which only its signer may bring. The first valid one of a member counts, so that nobody
    /// makes this client verify the same for ever.
    fn on_attestation(&mut self, from: ReplicaId, attested: &AttestedResult) -> Option<Receipt> {
        if attested.attestation.signer != from || self.attested.contains(&from) {
            return None;
        }
        let (committee, context) = (&self.identity.genesis.committee, &self.identity.context);
        let receipt = self.builder.add(attested.clone(), committee, context).ok()?;
        self.attested.insert(from);
        receipt
    }

    /// Hears that a member attests `first` to `last` only. That it has not executed the slot yet is no answer.
    fn on_not_attested(&mut self, from: ReplicaId, first: SeqNum, last: SeqNum) -> Option<ClientError> {
        if first <= last && self.seq < first {
            self.too_old.insert(from, first);
        }
        let oldest = *self.too_old.values().min()?;
        let is_certain = self.too_old.len() >= self.identity.genesis.committee.weak_quorum();
        is_certain.then_some(ClientError::TooOldToAttest { seq: self.seq, oldest })
    }
}

impl Collector for ReceiptCollector {
    type Answer = Receipt;

    fn question(&self) -> ClientMessage {
        ClientMessage::Attest { seq: self.seq, index: self.index }
    }

    fn answered(&self) -> Vec<ReplicaId> {
        self.attested.iter().copied().collect()
    }

    fn on_message(&mut self, from: ReplicaId, message: &ReplicaMessage) -> Option<Result<Receipt, ClientError>> {
        match message {
            ReplicaMessage::Attestation(attested) => self.on_attestation(from, attested).map(Ok),
            &ReplicaMessage::NotAttested { seq, index, from: first, to: last }
                if (seq, index) == (self.seq, self.index) =>
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
