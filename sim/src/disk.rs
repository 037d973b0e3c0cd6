//! The journal of a simulated replica: what was written, and how much of it is durable.

use std::collections::BTreeMap;

use quorate::SeqNum;
use quorate::batch::{Batch, CommittedBatch, null_digest};
use quorate::core::{JournalRecord, Promises, Recovered};
use quorate::messages::{CommitCertificate, CommittedSlot};
use quorate_crypto::Digest;

/// How many bytes of batches one answer from the journal carries.
const HISTORY_BYTES_MAX: usize = 256 << 10;

/// A journal and a durable snapshot.
#[derive(Debug, Default)]
pub struct Disk {
    records: Vec<JournalRecord>,
    /// How many of them a crash leaves.
    durable: usize,
    /// Behind the last record that must be synced.
    binding: usize,
    committed: BTreeMap<SeqNum, CommitCertificate>,
    batches: BTreeMap<(SeqNum, Digest), Batch>,
    /// The newest snapshot that is wholly written.
    snapshot: Option<(SeqNum, Vec<u8>)>,
}

impl Disk {
    /// Writes a record.
    pub fn append(&mut self, record: JournalRecord) {
        self.index(&record);
        self.records.push(record);
        if self.records.last().is_some_and(JournalRecord::must_sync) {
            self.binding = self.records.len();
        }
    }

    /// How many records are written.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether nothing was ever written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// How many records must be durable before what is said now may leave.
    #[must_use]
    pub fn binding(&self) -> usize {
        self.binding
    }

    /// How many records are durable.
    #[must_use]
    pub fn durable(&self) -> usize {
        self.durable
    }

    /// The records from one place to another.
    #[must_use]
    pub fn records(&self, from: usize, to: usize) -> &[JournalRecord] {
        self.records.get(from..to).unwrap_or_default()
    }

    /// A sync of everything up to `through` has ended.
    pub fn set_durable(&mut self, through: usize) {
        self.durable = self.durable.max(through);
    }

    /// The power fails: of what is not durable, only the first `kept` records stay.
    pub fn crash(&mut self, kept: usize) {
        self.records.truncate(self.durable + kept);
        self.durable = self.records.len();
        self.binding = 0;
        self.committed.clear();
        self.batches.clear();
        for record in std::mem::take(&mut self.records) {
            self.append(record);
        }
    }

    /// A snapshot was written.
    pub fn set_snapshot(&mut self, seq: SeqNum, bytes: Vec<u8>) {
        if self.snapshot.as_ref().is_none_or(|(known, _)| *known < seq) {
            self.snapshot = Some((seq, bytes));
        }
    }

    /// The newest snapshot.
    #[must_use]
    pub fn snapshot(&self) -> Option<&(SeqNum, Vec<u8>)> {
        self.snapshot.as_ref()
    }

    /// What a replica that starts gets.
    #[must_use]
    pub fn recover(&self) -> Recovered {
        let mut promises = Promises::default();
        for record in &self.records {
            promises.fold(record);
        }
        let low = promises.low_watermark();
        let batches = self.batches.iter().filter(|((seq, _), _)| *seq > low);
        Recovered { batches: batches.map(|(name, batch)| (*name, batch.clone())).collect(), promises }
    }

    /// The committed batches after `after`, for replay.
    #[must_use]
    pub fn replay(&self, after: SeqNum) -> Vec<CommittedBatch> {
        let slot = |(seq, certificate): (&SeqNum, &CommitCertificate)| {
            let digest = certificate.digest();
            CommittedBatch { seq: *seq, digest, batch: self.batches.get(&(*seq, digest)).cloned() }
        };
        self.committed.range(after.next()..).map(slot).collect()
    }

    /// The committed slots after `after` up to `through`, at most `slots_max` of them and not too many bytes.
    #[must_use]
    pub fn history(&self, after: SeqNum, through: SeqNum, slots_max: u64) -> Vec<CommittedSlot> {
        let (mut slots, mut bytes) = (Vec::new(), 0);
        for seq in after.up_to(through) {
            let Some(certificate) = self.committed.get(&seq).cloned() else { break };
            let batch = self.batches.get(&(seq, certificate.digest())).cloned();
            if batch.is_none() && certificate.digest() != null_digest(seq) {
                break;
            }
            bytes += batch.as_ref().map_or(0, |batch| batch.body().len());
            if slots.len() as u64 >= slots_max || (bytes > HISTORY_BYTES_MAX && !slots.is_empty()) {
                break;
            }
            slots.push(CommittedSlot { certificate, batch });
        }
        slots
    }

    fn index(&mut self, record: &JournalRecord) {
        match record {
            JournalRecord::Batch { seq, batch } => {
                self.batches.insert((*seq, batch.digest(*seq)), batch.clone());
            }
            JournalRecord::Committed(certificate) => {
                self.committed.insert(certificate.seq(), certificate.clone());
            }
            JournalRecord::PrePrepared(_)
            | JournalRecord::Prepared(_)
            | JournalRecord::ViewChangeSent(_)
            | JournalRecord::ViewEntered(_)
            | JournalRecord::CheckpointTaken(_)
            | JournalRecord::CheckpointStable(_) => {}
        }
    }
}
