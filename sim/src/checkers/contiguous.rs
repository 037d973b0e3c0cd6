//! `contiguous-execution`: what is ordered and what is executed comes slot by slot, and is never rolled back in a life.

use std::collections::BTreeMap;

use quorate::core::JournalRecord;
use quorate::{ReplicaId, SeqNum};

use super::journals::Journal;

/// How far each replica has executed in its present life; a life begins with the state that is loaded.
#[derive(Clone, Debug, Default)]
pub(super) struct Contiguous {
    executed: BTreeMap<ReplicaId, SeqNum>,
}

impl Contiguous {
    pub(super) fn on_crash(&mut self, id: ReplicaId) {
        self.executed.remove(&id);
    }

    /// A state is loaded: at the start of a life any, later never an older one than the own.
    pub(super) fn on_installed(&mut self, id: ReplicaId, seq: SeqNum) -> Result<(), String> {
        match self.executed.insert(id, seq) {
            Some(before) if before > seq => Err(format!("{id} goes back from {before} to a state of {seq}")),
            Some(_) | None => Ok(()),
        }
    }

    pub(super) fn on_apply(&mut self, id: ReplicaId, seq: SeqNum) -> Result<(), String> {
        let before = self.executed.insert(id, seq).unwrap_or_default();
        if seq == before.next() { Ok(()) } else { Err(format!("{id} executes {seq} after {before}")) }
    }

    pub(super) fn check_report(id: ReplicaId, seq: SeqNum, reported: SeqNum) -> Result<(), String> {
        if reported == seq { Ok(()) } else { Err(format!("{id} executes {seq} and reports {reported}")) }
    }

    /// What goes to execution is journalled slot by slot.
    pub(super) fn check_record(id: ReplicaId, journal: &Journal, record: &JournalRecord) -> Result<(), String> {
        match record {
            JournalRecord::Committed(known) if known.commit.seq != journal.committed.next() => {
                Err(format!("{id} hands over {} after {}", known.commit.seq, journal.committed))
            }
            JournalRecord::Committed(_)
            | JournalRecord::Batch { .. }
            | JournalRecord::PrePrepared(_)
            | JournalRecord::Prepared(_)
            | JournalRecord::ViewChangeSent(_)
            | JournalRecord::ViewEntered(_)
            | JournalRecord::CheckpointTaken(_)
            | JournalRecord::CheckpointStable(_)
            | JournalRecord::RecoveryBegun(_)
            | JournalRecord::RecoveryEnded => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{ID, commit_certificate};
    use super::*;

    #[test]
    fn a_slot_that_is_left_out_or_executed_again_is_noticed() {
        let mut contiguous = Contiguous::default();
        let mut execute = |seq| contiguous.on_apply(ID, SeqNum(seq));
        assert_eq!((execute(1), execute(2)), (Ok(()), Ok(())));
        assert!(execute(4).is_err());
        assert!(execute(4).is_err());
        assert_eq!(Contiguous::check_report(ID, SeqNum(5), SeqNum(5)), Ok(()));
        assert!(Contiguous::check_report(ID, SeqNum(5), SeqNum(6)).is_err());
    }

    #[test]
    fn a_state_may_be_older_at_the_start_of_a_life_only() {
        let mut contiguous = Contiguous::default();
        assert_eq!(contiguous.on_installed(ID, SeqNum(8)), Ok(()));
        assert_eq!(contiguous.on_apply(ID, SeqNum(9)), Ok(()));
        assert!(contiguous.clone().on_installed(ID, SeqNum(8)).is_err());
        contiguous.on_crash(ID);
        assert_eq!(contiguous.on_installed(ID, SeqNum(4)), Ok(()));
        assert_eq!(contiguous.on_installed(ID, SeqNum(16)), Ok(()));
    }

    #[test]
    fn committed_slots_are_journalled_in_their_order() {
        let journal = Journal { committed: SeqNum(3), ..Journal::default() };
        let record = |seq| JournalRecord::Committed(commit_certificate(1, seq, 7, &[0, 1, 2]));
        assert_eq!(Contiguous::check_record(ID, &journal, &record(4)), Ok(()));
        assert!(Contiguous::check_record(ID, &journal, &record(5)).is_err());
        assert!(Contiguous::check_record(ID, &journal, &record(3)).is_err());
    }
}
