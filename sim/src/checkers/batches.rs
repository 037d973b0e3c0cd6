//! `batch-kept`: whoever is prepared, or hands a slot to execution, has journalled the batch, so that it can give it to
//! others after a crash of all.

use quorate::batch::null_digest;
use quorate::core::JournalRecord;
use quorate::{ReplicaId, SeqNum};
use quorate_crypto::Digest;

use super::journals::Journal;

pub(super) fn check_record(id: ReplicaId, journal: &Journal, record: &JournalRecord) -> Result<(), String> {
    match record {
        JournalRecord::Prepared(known) => check(id, journal, known.seq(), known.digest()),
        JournalRecord::Committed(known) => check(id, journal, known.seq(), known.digest()),
        JournalRecord::Batch { .. }
        | JournalRecord::PrePrepared(_)
        | JournalRecord::ViewChangeSent(_)
        | JournalRecord::ViewEntered(_)
        | JournalRecord::CheckpointTaken(_)
        | JournalRecord::CheckpointStable(_)
        | JournalRecord::RecoveryBegun(_)
        | JournalRecord::RecoveryEnded => Ok(()),
    }
}

fn check(id: ReplicaId, journal: &Journal, seq: SeqNum, digest: Digest) -> Result<(), String> {
    if digest == null_digest(seq) || journal.batches.contains(&(seq, digest)) {
        return Ok(());
    }
    Err(format!("{id} is bound to {digest:?} at {seq} and has not journalled the batch"))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{ID, batch_of, commit_certificate_for, request};
    use super::*;

    #[test]
    fn a_certificate_without_its_batch_is_noticed() {
        let committed = batch_of(5, vec![request(1, b"a")]);
        let record = JournalRecord::Committed(commit_certificate_for(1, 5, committed.digest, &[0, 1, 2]));
        let mut journal = Journal::default();
        assert!(check_record(ID, &journal, &record).is_err());
        journal.add(&JournalRecord::Batch { seq: SeqNum(5), batch: committed.batch.expect("it has one") });
        assert_eq!(check_record(ID, &journal, &record), Ok(()));
        let null = JournalRecord::Committed(commit_certificate_for(1, 6, null_digest(SeqNum(6)), &[0, 1, 2]));
        assert_eq!(check_record(ID, &journal, &null), Ok(()));
    }
}
