//! `abstaining`: who may not vote does not: during the check at a start, and within the bounds of what was lost.

use quorate::core::{JournalRecord, Replica};
use quorate::messages::{Bounds, Standing};
use quorate::{ReplicaId, SeqNum, View};

/// What decides whether a replica may sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posture {
    /// Its standing.
    pub standing: Standing,
    /// Its low watermark.
    pub low: SeqNum,
}

impl Posture {
    /// Of a replica, now.
    #[must_use]
    pub fn of(replica: &Replica) -> Self {
        Posture { standing: replica.standing(), low: replica.watermarks().0 }
    }
}

/// The posture of a replica before and after a step. It may sign before or after that changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Before the step.
    pub before: Posture,
    /// After it.
    pub after: Posture,
}

/// A replica writes this record in a step: every signature is preceded by one.
pub(super) fn check_record(id: ReplicaId, turn: Turn, record: &JournalRecord) -> Result<(), String> {
    let Turn { before, after } = turn;
    if is_allowed(id, before, record) || is_allowed(id, after, record) {
        return Ok(());
    }
    Err(format!("{id} is {before:?}, then {after:?}, and signs: {record:?}"))
}

fn is_allowed(id: ReplicaId, Posture { standing, low }: Posture, record: &JournalRecord) -> bool {
    match record {
        JournalRecord::PrePrepared(header) => may_vote(standing, header.payload.view, header.payload.seq),
        JournalRecord::Prepared(known) => may_vote(standing, known.view(), known.seq()),
        JournalRecord::ViewChangeSent(asked) => may_ask(standing, asked.payload.target, low),
        JournalRecord::ViewEntered(entered) => {
            entered.new_view.signer != id || may_ask(standing, entered.new_view.payload.target, low)
        }
        JournalRecord::CheckpointTaken(_) => may_sign_checkpoints(standing),
        JournalRecord::Batch { .. }
        | JournalRecord::Committed(_)
        | JournalRecord::CheckpointStable(_)
        | JournalRecord::RecoveryBegun(_)
        | JournalRecord::RecoveryEnded => true,
    }
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

/// A state is what it is: what was signed and lost cannot differ.
fn may_sign_checkpoints(standing: Standing) -> bool {
    match standing {
        Standing::Voting | Standing::Recovering { .. } => true,
        Standing::Checking | Standing::LowDisk | Standing::Diverged { .. } | Standing::Halted => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{ID, asked_for, checkpoint_taken, entered_by, pre_prepared, prepared_certificate};
    use super::*;

    fn check(standing: Standing, low: u64, record: &JournalRecord) -> bool {
        let posture = Posture { standing, low: SeqNum(low) };
        check_record(ID, Turn { before: posture, after: posture }, record).is_ok()
    }

    fn check_between(before: Standing, after: Standing, record: &JournalRecord) -> bool {
        let posture = |standing| Posture { standing, low: SeqNum(0) };
        check_record(ID, Turn { before: posture(before), after: posture(after) }, record).is_ok()
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
    fn a_step_that_changes_the_standing_is_judged_by_both() {
        let (unknown, vote) = (Standing::Recovering { bounds: None }, pre_prepared(1, 5, 7));
        assert!(check_between(Standing::Checking, Standing::Voting, &vote));
        assert!(check_between(Standing::Voting, Standing::LowDisk, &vote));
        assert!(!check_between(Standing::Checking, unknown, &vote));
        assert!(!check_between(Standing::LowDisk, Standing::Checking, &vote));
    }

    #[test]
    fn checkpoints_are_signed_during_a_recovery_and_not_during_the_check() {
        let taken = checkpoint_taken(8, 7);
        assert!(check(Standing::Voting, 0, &taken) && check(Standing::Recovering { bounds: None }, 0, &taken));
        let silent = [Standing::Checking, Standing::LowDisk, Standing::Diverged { at: SeqNum(4) }, Standing::Halted];
        assert!(silent.iter().all(|standing| !check(*standing, 100, &taken)));
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
