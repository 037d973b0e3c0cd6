//! A journal in memory: every record is durable as soon as it is written.

use std::collections::BTreeMap;

use quorate::SeqNum;
use quorate::batch::{Batch, CommittedBatch};
use quorate::core::{JournalRecord, Promises, Recovered};
use quorate::execution::ReplicatedState;
use quorate::messages::{CheckpointCertificate, CommittedSlot};
use quorate_crypto::Digest;

/// What a crash leaves of a replica.
#[derive(Clone, Debug, Default)]
pub(super) struct Journal {
    promises: Promises,
    batches: BTreeMap<(SeqNum, Digest), Batch>,
    history: BTreeMap<SeqNum, CommittedSlot>,
    /// A state that was fetched.
    base: Option<(ReplicatedState, CheckpointCertificate)>,
}

impl Journal {
    pub(super) fn write(&mut self, records: &[JournalRecord]) {
        for record in records {
            self.promises.fold(record);
            match record {
                JournalRecord::Batch { seq, batch } => {
                    self.batches.insert((*seq, batch.digest(*seq)), batch.clone());
                }
                JournalRecord::Committed(certificate) => {
                    let (seq, digest) = (certificate.seq(), certificate.digest());
                    let batch = self.batches.get(&(seq, digest)).cloned();
                    self.history.insert(seq, CommittedSlot { certificate: certificate.clone(), batch });
                }
                JournalRecord::PrePrepared(_)
                | JournalRecord::Prepared(_)
                | JournalRecord::ViewChangeSent(_)
                | JournalRecord::ViewEntered(_)
                | JournalRecord::CheckpointTaken(_)
                | JournalRecord::CheckpointStable(_)
                | JournalRecord::RecoveryBegun(_)
                | JournalRecord::RecoveryEnded => {}
            }
        }
    }

    /// What a replica finds that starts from it.
    pub(super) fn recovered(&self) -> Recovered {
        let low = self.promises.low_watermark();
        let batches = self.batches.iter().filter(|((seq, _), _)| *seq > low);
        let batches = batches.map(|(name, batch)| (*name, batch.clone())).collect();
        Recovered { promises: self.promises.clone(), batches }
    }

    /// The committed slots after `after` up to `through` that it holds without a gap.
    pub(super) fn committed(&self, after: SeqNum, through: SeqNum) -> Vec<CommittedSlot> {
        after.up_to(through).map_while(|seq| self.history.get(&seq).cloned()).collect()
    }

    /// The same as batches, for the executor of a replica that starts.
    pub(super) fn replay(&self, after: SeqNum) -> Vec<CommittedBatch> {
        let slots = self.committed(after, self.promises.committed_through).into_iter();
        slots
            .map(|CommittedSlot { certificate, batch }| {
                let (seq, digest) = (certificate.seq(), certificate.digest());
                CommittedBatch { seq, digest, batch }
            })
            .collect()
    }

    /// The certificate of the low watermark.
    pub(super) fn stable(&self) -> Option<CheckpointCertificate> {
        self.promises.stable.clone()
    }

    /// Keeps a state that was fetched.
    pub(super) fn keep(&mut self, state: ReplicatedState, certificate: CheckpointCertificate) {
        self.base = Some((state, certificate));
    }

    /// The state that was fetched last.
    pub(super) fn base(&self) -> Option<&(ReplicatedState, CheckpointCertificate)> {
        self.base.as_ref()
    }
}
