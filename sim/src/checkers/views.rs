//! `views`: views and targets only rise, and no vote is made in a view that its replica has left or not entered.
//!
//! This is checked where a vote is journalled. What is sent is held to it by `durable-before-sent`: every vote on the wire
//! has its own record, and that record passed here.

use quorate::core::JournalRecord;
use quorate::{ReplicaId, View};

use super::journals::Journal;

pub(super) fn check_record(id: ReplicaId, journal: &Journal, record: &JournalRecord) -> Result<(), String> {
    let (entered, asked) = (journal.entered, journal.asked);
    match record {
        JournalRecord::PrePrepared(header) => check_vote(id, journal, header.payload.view),
        JournalRecord::Prepared(known) => check_vote(id, journal, known.view()),
        JournalRecord::ViewChangeSent(signed) if signed.payload.target <= asked.max(entered) => {
            Err(format!("{id} asks for {} after {asked}, in view {entered}", signed.payload.target))
        }
        JournalRecord::ViewEntered(proof) => {
            let view = proof.new_view.payload.target;
            if view > entered && view >= asked {
                return Ok(());
            }
            Err(format!("{id} enters {view} after {entered}, asking for {asked}"))
        }
        JournalRecord::ViewChangeSent(_)
        | JournalRecord::Batch { .. }
        | JournalRecord::Committed(_)
        | JournalRecord::CheckpointTaken(_)
        | JournalRecord::CheckpointStable(_)
        | JournalRecord::RecoveryBegun(_)
        | JournalRecord::RecoveryEnded => Ok(()),
    }
}

fn check_vote(id: ReplicaId, journal: &Journal, view: View) -> Result<(), String> {
    if view == journal.entered && view >= journal.asked {
        return Ok(());
    }
    Err(format!("{id} votes in view {view}, has entered {} and asked for {}", journal.entered, journal.asked))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{ID, asked_for, entered, pre_prepared, prepared_certificate};
    use super::*;

    #[test]
    fn a_vote_in_a_view_that_was_left_or_not_entered_is_noticed() {
        let mut journal = Journal { entered: View(2), asked: View(2), ..Journal::default() };
        let accepts = |view| pre_prepared(view, 5, 7);
        let prepared = |view| JournalRecord::Prepared(prepared_certificate(view, 5, 7, &[0, 1]));
        for record in [accepts(2), prepared(2)] {
            assert_eq!(check_record(ID, &journal, &record), Ok(()));
        }
        for record in [accepts(1), accepts(3), prepared(1), prepared(3)] {
            assert!(check_record(ID, &journal, &record).is_err(), "{record:?}");
        }
        journal.asked = View(3);
        assert!(check_record(ID, &journal, &accepts(2)).is_err(), "it has asked for another view");
    }

    #[test]
    fn views_and_targets_only_rise() {
        let journal = Journal { entered: View(2), asked: View(4), ..Journal::default() };
        assert_eq!(check_record(ID, &journal, &asked_for(ID, 5, vec![])), Ok(()));
        assert!(check_record(ID, &journal, &asked_for(ID, 4, vec![])).is_err());
        assert_eq!(check_record(ID, &journal, &entered(4)), Ok(()));
        assert!(check_record(ID, &journal, &entered(3)).is_err());
    }
}
