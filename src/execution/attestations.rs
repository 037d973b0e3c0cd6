//! What this replica can still attest: the results of the batches since the checkpoint before the last one.

use std::collections::BTreeMap;

use quorate_crypto::merkle::MerkleTree;
use quorate_crypto::{Digest, KeyPair};

use crate::genesis::Limits;
use crate::messages::client::AttestedResult;
use crate::messages::{Attestation, ReplicaMessage, Signed, SigningContext};
use crate::types::{ReplicaId, SeqNum};

/// Who signs attestations.
#[derive(Clone, Debug)]
pub struct Signer {
    /// This replica.
    pub id: ReplicaId,
    /// Its key.
    pub key: KeyPair,
    /// The network.
    pub context: SigningContext,
}

/// The recent batches. Bounded: at most 3K of them, each with two digests for a request.
#[derive(Clone, Debug)]
pub(super) struct Attestations {
    signer: Signer,
    /// Consecutive slots up to the executed one.
    batches: BTreeMap<SeqNum, Attestable>,
}

#[derive(Clone, Debug)]
struct Attestable {
    chain: Digest,
    results: MerkleTree,
    /// Signed when first asked for.
    signed: Option<Signed<Attestation>>,
}

impl Attestations {
    pub(super) fn new(signer: Signer) -> Self {
        Attestations { signer, batches: BTreeMap::new() }
    }

    /// Adds the batch that was executed at `seq`, and forgets those before the last two checkpoints.
    pub(super) fn push(&mut self, limits: &Limits, seq: SeqNum, chain: Digest, results: MerkleTree) {
        self.batches.insert(seq, Attestable { chain, results, signed: None });
        let oldest = limits.checkpoint_at_or_below(seq).0.saturating_sub(limits.checkpoint_interval.saturating_mul(2));
        self.batches = self.batches.split_off(&SeqNum(oldest).next());
    }

    /// Forgets all batches: the history that they belong to is not that of the state any more.
    pub(super) fn clear(&mut self) {
        self.batches.clear();
    }

    /// The attestation of one result, or what can be attested instead.
    pub(super) fn attest(&mut self, seq: SeqNum, index: u32) -> ReplicaMessage {
        self.attested_result(seq, index).map_or_else(
            || ReplicaMessage::NotAttested { seq, index, from: self.first(), to: self.last() },
            ReplicaMessage::Attestation,
        )
    }

    fn attested_result(&mut self, seq: SeqNum, index: u32) -> Option<AttestedResult> {
        let batch = self.batches.get_mut(&seq)?;
        let path = batch.results.prove(u64::from(index))?;
        let Signer { id, key, context } = &self.signer;
        let statement = Attestation { seq, chain: batch.chain, results_root: batch.results.root() };
        let attestation = batch.signed.get_or_insert_with(|| context.sign(key, *id, statement)).clone();
        Some(AttestedResult { attestation, path })
    }

    /// The slots that can be attested; none when the first is greater than the last.
    fn first(&self) -> SeqNum {
        self.batches.keys().next().copied().unwrap_or(SeqNum(1))
    }

    fn last(&self) -> SeqNum {
        self.batches.keys().next_back().copied().unwrap_or(SeqNum::GENESIS)
    }
}
