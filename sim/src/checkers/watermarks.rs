//! `watermarks`: the low watermark never falls in a life, votes and Checkpoints lie between the watermarks, and a
//! checkpoint is taken at a multiple of K.

use std::collections::BTreeMap;

use quorate::core::JournalRecord;
use quorate::{ReplicaId, SeqNum};

use super::journals::Journal;
use super::rules::Rules;

/// The watermarks that the replicas show.
#[derive(Clone, Debug, Default)]
pub(super) struct Watermarks {
    low: BTreeMap<ReplicaId, SeqNum>,
}

impl Watermarks {
    /// What a start must find again is a matter of `recovery`.
    pub(super) fn on_crash(&mut self, id: ReplicaId) {
        self.low.remove(&id);
    }

    /// After every step.
    pub(super) fn on_step(&mut self, rules: &Rules, id: ReplicaId, shown: (SeqNum, SeqNum)) -> Result<(), String> {
        let (low, high) = shown;
        let before = self.low.insert(id, low).unwrap_or_default();
        if low < before || high.0 != low.0 + rules.window {
            return Err(format!("the watermarks of {id} are ({low}, {high}], the low one was {before}"));
        }
        Ok(())
    }
}

pub(super) fn check_record(
    rules: &Rules,
    id: ReplicaId,
    journal: &Journal,
    record: &JournalRecord,
) -> Result<(), String> {
    let (seq, is_right) = match record {
        JournalRecord::PrePrepared(header) => inside(rules, journal, header.payload.seq),
        JournalRecord::Prepared(known) => inside(rules, journal, known.pre_prepare.payload.seq),
        JournalRecord::CheckpointTaken(taken) => {
            let (seq, is_inside) = inside(rules, journal, taken.seq);
            (seq, is_inside && rules.is_checkpoint(seq))
        }
        JournalRecord::CheckpointStable(stable) => {
            let seq = stable.checkpoint.seq;
            (seq, seq > journal.low && rules.is_checkpoint(seq))
        }
        JournalRecord::Batch { .. }
        | JournalRecord::ViewChangeSent(_)
        | JournalRecord::ViewEntered(_)
        | JournalRecord::Committed(_)
        | JournalRecord::RecoveryBegun(_)
        | JournalRecord::RecoveryEnded => return Ok(()),
    };
    if is_right {
        Ok(())
    } else {
        Err(format!("{id} has low watermark {} and writes of {seq}: {record:?}", journal.low))
    }
}

fn inside(rules: &Rules, journal: &Journal, seq: SeqNum) -> (SeqNum, bool) {
    (seq, rules.is_inside(journal.low, seq))
}

#[cfg(test)]
mod tests {
    use super::super::rules::rules;
    use super::super::samples::{ID, checkpoint_certificate, checkpoint_taken, pre_prepared, prepared_certificate};
    use super::*;

    #[test]
    fn a_low_watermark_that_falls_or_a_window_of_another_width_is_noticed() {
        let (rules, mut watermarks) = (rules(4, 4), Watermarks::default());
        let mut show = |low, high| watermarks.on_step(&rules, ID, (SeqNum(low), SeqNum(high)));
        assert_eq!((show(4, 12), show(8, 16), show(8, 16)), (Ok(()), Ok(()), Ok(())));
        assert!(show(4, 12).is_err());
        assert!(show(8, 17).is_err());
    }

    #[test]
    fn votes_and_checkpoints_outside_the_watermarks_are_noticed() {
        let rules = rules(4, 4);
        let journal = Journal { low: SeqNum(4), ..Journal::default() };
        let check = |record| check_record(&rules, ID, &journal, &record);
        let prepared = |seq| JournalRecord::Prepared(prepared_certificate(1, seq, 7, &[0, 2]));
        let stable = |seq| JournalRecord::CheckpointStable(checkpoint_certificate(seq, 7, &[0, 1, 2]));
        for seq in [5, 12] {
            assert_eq!((check(pre_prepared(1, seq, 7)), check(prepared(seq))), (Ok(()), Ok(())));
        }
        for seq in [4, 13] {
            assert!(check(pre_prepared(1, seq, 7)).is_err() && check(prepared(seq)).is_err(), "{seq}");
        }
        assert_eq!((check(checkpoint_taken(8, 7)), check(stable(16))), (Ok(()), Ok(())));
        for seq in [4, 6, 16] {
            assert!(check(checkpoint_taken(seq, 7)).is_err(), "{seq}");
        }
        assert!(check(stable(4)).is_err() && check(stable(6)).is_err());
    }
}
