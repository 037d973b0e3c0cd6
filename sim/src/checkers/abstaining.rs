//! `abstaining`: who may not vote does not: during the check at a start, and within the bounds of what was lost.

use quorate::core::JournalRecord;
use quorate::messages::{Bounds, Standing};
use quorate::{ReplicaId, SeqNum, View};

/// A replica that has this standing and low watermark before and after a step writes this record in it: every signature
/// is preceded by one.
pub(super) fn check_record(
    id: ReplicaId,
    (standing, low): (Standing, SeqNum),
    record: &JournalRecord,
) -> Result<(), String> {
    let allowed = match record {
        JournalRecord::PrePrepared(header) => may_vote(standing, header.payload.view, header.payload.seq),
        JournalRecord::Prepared(known) => may_vote(standing, known.view(), known.seq()),
        JournalRecord::ViewChangeSent(asked) => may_ask(standing, asked.payload.target, low),
        JournalRecord::ViewEntered(entered) => {
            entered.new_view.signer != id || may_ask(standing, entered.new_view.payload.target, low)
        }
        JournalRecord::Batch { .. }
        | JournalRecord::Committed(_)
        | JournalRecord::CheckpointTaken(_)
        | JournalRecord::CheckpointStable(_)
        | JournalRecord::RecoveryBegun(_)
        | JournalRecord::RecoveryEnded => true,
    };
    if allowed { Ok(()) } else { Err(format!("{id} is {standing:?} (low watermark {low}) and signs: {record:?}")) }
}

fn may_vote(standing: Standing, view: View, seq: SeqNum) -> bool {
    match standing {
        Standing::Voting => true,
        Standing::Recovering { bounds: Some(Bounds { view: lost_view, seq: lost_seq }) } => {
            view >= lost_view && seq > lost_seq
        }
        Standing::Checking
        | Standing::Recovering { bounds: None }
        | Standing::LowDisk
        | Standing::Diverged { .. }
        | Standing::Halted => false,
    }
}

fn may_ask(standing: Standing, target: View, low: SeqNum) -> bool {
    match standing {
        Standing::Voting => true,
        Standing::Recovering { bounds: Some(bounds) } => target > bounds.view && low >= bounds.seq,
        Standing::Checking
        | Standing::Recovering { bounds: None }
        | Standing::LowDisk
        | Standing::Diverged { .. }
        | Standing::Halted => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{ID, asked_for, entered_by, pre_prepared, prepared_certificate};
    use super::*;

    fn check(standing: Standing, low: u64, record: &JournalRecord) -> bool {
        check_record(ID, (standing, SeqNum(low)), record).is_ok()
    }

    #[test]
    fn nobody_signs_while_that_is_forbidden() {
        let diverged = Standing::Diverged { at: SeqNum(4) };
        let silent =
            [Standing::Checking, Standing::Recovering { bounds: None }, Standing::LowDisk, diverged, Standing::Halted];
        let prepared = JournalRecord::Prepared(prepared_certificate(1, 5, 7, &[0, 2]));
        for record in [pre_prepared(1, 5, 7), prepared, asked_for(ID, 3, vec![]), entered_by(ID, 3)] {
            assert!(check(Standing::Voting, 0, &record));
            assert!(silent.iter().all(|standing| !check(*standing, 100, &record)), "{record:?}");
        }
        assert!(check(Standing::Checking, 0, &entered_by(ReplicaId(2), 3)), "following others is no signature");
    }

    #[test]
    fn nobody_signs_within_the_bounds_of_what_was_lost() {
        let standing = Standing::Recovering { bounds: Some(Bounds { view: View(2), seq: SeqNum(8) }) };
        assert!(check(standing, 0, &pre_prepared(2, 9, 7)));
        assert!(!check(standing, 0, &pre_prepared(1, 9, 7)));
        assert!(!check(standing, 0, &pre_prepared(2, 8, 7)));
        assert!(check(standing, 8, &asked_for(ID, 3, vec![])));
        assert!(!check(standing, 8, &asked_for(ID, 2, vec![])));
        assert!(!check(standing, 4, &asked_for(ID, 3, vec![])));
    }
}
