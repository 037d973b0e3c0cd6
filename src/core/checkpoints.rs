//! Checkpoints: the own ones, the votes of the others, and the certificates that follow (PBFT, section 4.3).

use std::collections::BTreeMap;

use quorate_crypto::Digest;

use crate::messages::{Checkpoint, CheckpointCertificate, Signed, VoteSignature};
use crate::types::{ReplicaId, SeqNum};

/// How many of the latest votes of one signer are kept, and how many own checkpoints above the low watermark.
const VOTES_KEPT: usize = 2;
/// More own checkpoints than votes, because a replica that catches up executes ahead of its certificates.
pub(super) const OWN_KEPT: usize = 8;

/// Checkpoint state. Invariant: `stable` is certified and was executed here; `certified`, the highest certificate
/// known, is never below it.
#[derive(Clone, Debug, Default)]
pub struct Checkpoints {
    own: BTreeMap<SeqNum, Signed<Checkpoint>>,
    /// Of the own ones those that were said, or are journalled and may have been.
    said: BTreeMap<SeqNum, Said>,
    votes: BTreeMap<ReplicaId, BTreeMap<SeqNum, Signed<Checkpoint>>>,
    certified: Option<CheckpointCertificate>,
    stable: Option<CheckpointCertificate>,
}

/// Whether an own checkpoint is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    /// It is journalled; nobody may have heard of it.
    Promised,
    /// It was sent.
    Sent,
}

/// What became of a vote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckpointRecorded {
    /// It counts.
    New,
    /// It was here, or is older than what is kept.
    Unchanged,
    /// The signer claimed another root for the slot. The first claim stands.
    Equivocated {
        /// The first claim.
        first: Signed<Checkpoint>,
    },
}

/// How the own state compares with the highest certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Nothing above the low watermark is certified, or it is not executed yet.
    Nothing,
    /// The certified state is the own one: the low watermark rises.
    Stable(CheckpointCertificate),
    /// The certified state is not the own one.
    Diverged {
        /// The checkpoint.
        seq: SeqNum,
        /// The own root.
        own: Digest,
        /// The certified root.
        certified: Digest,
    },
}

impl Checkpoints {
    /// Starts from the certificate of the low watermark.
    #[must_use]
    pub fn new(stable: Option<CheckpointCertificate>) -> Self {
        Checkpoints { certified: stable.clone(), stable, ..Checkpoints::default() }
    }

    /// The certificate of the low watermark; `None` at the genesis.
    #[must_use]
    pub fn stable(&self) -> Option<&CheckpointCertificate> {
        self.stable.as_ref()
    }

    /// The slot of the highest certificate known.
    #[must_use]
    pub fn certified_seq(&self) -> SeqNum {
        self.certified.as_ref().map_or(SeqNum::GENESIS, CheckpointCertificate::seq)
    }

    /// The own signed checkpoints above the low watermark, ascending.
    pub fn own(&self) -> impl DoubleEndedIterator<Item = &Signed<Checkpoint>> {
        self.own.values()
    }

    /// Keeps an own checkpoint.
    pub fn record_own(&mut self, checkpoint: Signed<Checkpoint>) {
        self.own.insert(checkpoint.payload.seq, checkpoint);
        while self.own.len() > OWN_KEPT {
            self.own.pop_first();
        }
        let own = &self.own;
        self.said.retain(|seq, _| own.contains_key(seq));
    }

    /// The own checkpoints in (`after`, `through`] that were not sent yet, ascending.
    pub fn unsaid(&self, after: SeqNum, through: SeqNum) -> impl Iterator<Item = &Signed<Checkpoint>> {
        let inside = self.own.values().filter(move |own| own.payload.seq > after && own.payload.seq <= through);
        inside.filter(|own| self.said.get(&own.payload.seq) != Some(&Said::Sent))
    }

    /// The own checkpoints that are journalled: they may be sent again, ascending.
    pub fn said(&self) -> impl DoubleEndedIterator<Item = &Signed<Checkpoint>> {
        self.own.values().filter(|own| self.said.contains_key(&own.payload.seq))
    }

    /// An own checkpoint is journalled.
    pub fn set_promised(&mut self, seq: SeqNum) {
        self.said.insert(seq, Said::Promised);
    }

    /// An own checkpoint is sent now. Says whether it was journalled before.
    pub fn set_said(&mut self, seq: SeqNum) -> bool {
        self.said.insert(seq, Said::Sent).is_some()
    }

    /// The highest certificate known.
    #[must_use]
    pub fn certified(&self) -> Option<&CheckpointCertificate> {
        self.certified.as_ref()
    }

    /// How many own checkpoints, and how many votes are kept.
    #[must_use]
    pub fn footprint(&self) -> (usize, usize) {
        (self.own.len(), self.votes.values().map(BTreeMap::len).sum())
    }

    /// Takes a vote above the low watermark; the latest two of a signer are kept.
    pub fn record(&mut self, vote: Signed<Checkpoint>) -> CheckpointRecorded {
        let kept = self.votes.entry(vote.signer).or_default();
        if let Some(known) = kept.get(&vote.payload.seq) {
            return if known.payload.root == vote.payload.root {
                CheckpointRecorded::Unchanged
            } else {
                CheckpointRecorded::Equivocated { first: known.clone() }
            };
        }
        let oldest = kept.first_key_value().map(|(seq, _)| *seq);
        if kept.len() >= VOTES_KEPT && oldest.is_some_and(|oldest| oldest > vote.payload.seq) {
            return CheckpointRecorded::Unchanged;
        }
        kept.insert(vote.payload.seq, vote);
        while kept.len() > VOTES_KEPT {
            kept.pop_first();
        }
        CheckpointRecorded::New
    }

    /// Makes a certificate of the votes for one checkpoint once a quorum agrees.
    #[must_use]
    pub fn certificate(&self, checkpoint: Checkpoint, quorum: usize) -> Option<CheckpointCertificate> {
        let signatures: Vec<_> = self
            .votes
            .values()
            .filter_map(|kept| kept.get(&checkpoint.seq))
            .filter(|vote| vote.payload == checkpoint)
            .map(|vote| VoteSignature { signer: vote.signer, signature: vote.signature })
            .take(quorum)
            .collect();
        (signatures.len() == quorum).then_some(CheckpointCertificate { checkpoint, signatures })
    }

    /// Keeps a valid certificate if it is higher than what is known. Says whether it was.
    pub fn record_certificate(&mut self, certificate: CheckpointCertificate) -> bool {
        if certificate.seq() <= self.certified_seq() {
            return false;
        }
        self.certified = Some(certificate);
        true
    }

    /// Compares the own state at the highest certificate, if it was executed and the own state goes up to `reached`.
    #[must_use]
    pub fn compare(&self, reached: SeqNum) -> Comparison {
        let Some(certified) = &self.certified else { return Comparison::Nothing };
        if certified.seq() > reached {
            return Comparison::Nothing;
        }
        if self.stable.as_ref().is_some_and(|stable| stable.seq() >= certified.seq()) {
            return Comparison::Nothing;
        }
        match self.own.get(&certified.seq()).map(|own| own.payload.root) {
            None => Comparison::Nothing,
            Some(own) if own == certified.root() => Comparison::Stable(certified.clone()),
            Some(own) => Comparison::Diverged { seq: certified.seq(), own, certified: certified.root() },
        }
    }

    /// The low watermark has risen: nothing below it is needed any more.
    pub fn set_stable(&mut self, certificate: CheckpointCertificate) {
        let low = certificate.seq();
        self.own.retain(|seq, _| *seq >= low);
        self.said.retain(|seq, _| *seq >= low);
        for kept in self.votes.values_mut() {
            kept.retain(|seq, _| *seq > low);
        }
        self.stable = Some(certificate);
    }
}
