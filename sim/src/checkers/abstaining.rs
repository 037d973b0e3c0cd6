//! Who may not vote does not: during the check at a start, and within the bounds of what was lost.

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
