//! A journal in memory, as far as a replica that starts again needs it.

use quorate::SeqNum;
use quorate::batch::{Batch, CommittedBatch};
use quorate::core::{JournalRecord, Promises, Recovered};
use quorate::messages::CommittedSlot;
use quorate_crypto::Digest;

/// What storage would hand to a replica whose journal holds these records.
pub(crate) fn recovered(records: &[JournalRecord]) -> Recovered {
    let mut promises = Promises::default();
    for record in records {
        promises.fold(record);
    }
    let low = promises.low_watermark();
    let batches = batches(records).filter(|(seq, _)| *seq > low);
    let batches = batches.map(|(seq, batch)| ((seq, batch.digest(seq)), batch.clone())).collect();
    Recovered { promises, batches }
}

/// The committed prefix, as it is replayed.
pub(crate) fn committed(records: &[JournalRecord]) -> Vec<CommittedBatch> {
    history(records)
        .map(|slot| {
            let (seq, digest) = (slot.certificate.seq(), slot.certificate.digest());
            CommittedBatch { seq, digest, batch: slot.batch }
        })
        .collect()
}

/// The committed slots, as they are served to peers.
pub(crate) fn history(records: &[JournalRecord]) -> impl Iterator<Item = CommittedSlot> + '_ {
    records.iter().filter_map(move |record| match record {
        JournalRecord::Committed(certificate) => Some(CommittedSlot {
            batch: batch(records, certificate.seq(), certificate.digest()),
            certificate: certificate.clone(),
        }),
        JournalRecord::Batch { .. }
        | JournalRecord::PrePrepared(_)
        | JournalRecord::Prepared(_)
        | JournalRecord::ViewChangeSent(_)
        | JournalRecord::ViewEntered(_)
        | JournalRecord::CheckpointTaken(_)
        | JournalRecord::CheckpointStable(_)
        | JournalRecord::RecoveryBegun(_)
        | JournalRecord::RecoveryEnded => None,
    })
}

/// The journalled batch with this digest.
pub(crate) fn batch(records: &[JournalRecord], seq: SeqNum, digest: Digest) -> Option<Batch> {
    batches(records).find(|(at, batch)| *at == seq && batch.digest(seq) == digest).map(|(_, batch)| batch.clone())
}

fn batches(records: &[JournalRecord]) -> impl Iterator<Item = (SeqNum, &Batch)> {
    records.iter().filter_map(|record| match record {
        JournalRecord::Batch { seq, batch } => Some((*seq, batch)),
        JournalRecord::PrePrepared(_)
        | JournalRecord::Prepared(_)
        | JournalRecord::ViewChangeSent(_)
        | JournalRecord::ViewEntered(_)
        | JournalRecord::Committed(_)
        | JournalRecord::CheckpointTaken(_)
        | JournalRecord::CheckpointStable(_)
        | JournalRecord::RecoveryBegun(_)
        | JournalRecord::RecoveryEnded => None,
    })
}
