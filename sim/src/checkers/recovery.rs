//! `recovery`: a start finds everything that was durable, the low watermark included, or says that promises are lost and
//! within which bounds.

use quorate::ReplicaId;
use quorate::core::{Promises, Recovery};

use super::facts::{Fact, Facts};

/// A replica starts with these promises. From now on they are what is durable.
pub(super) fn on_start(facts: &mut Facts, id: ReplicaId, promises: &Promises) -> Result<(), String> {
    let before = facts.replace(id, promises);
    let is_kept = |fact: &&Fact| match promises.recovery {
        Recovery::Complete => fact.is_covered_by(promises),
        Recovery::Lost(Some(bounds)) => fact.is_covered_by(promises) || fact.is_within(&bounds),
        Recovery::Lost(None) => true,
    };
    match before.iter().find(|fact| !is_kept(fact)) {
        None => Ok(()),
        Some(fact) => {
            let (recovery, low) = (promises.recovery, promises.low_watermark());
            Err(format!("{id} starts ({recovery:?}, low watermark {low}) and knows nothing of {fact:?}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use quorate::core::JournalRecord;
    use quorate::messages::Bounds;
    use quorate::{SeqNum, View};

    use super::super::samples::{
        ID, asked_for, checkpoint_certificate, checkpoint_taken, entered_by, pre_prepared, prepared_certificate,
    };
    use super::*;

    fn records() -> [JournalRecord; 6] {
        [
            JournalRecord::CheckpointStable(checkpoint_certificate(4, 1, &[0, 1, 2])),
            entered_by(ID, 3),
            pre_prepared(3, 5, 7),
            JournalRecord::Prepared(prepared_certificate(3, 5, 7, &[0, 1])),
            checkpoint_taken(8, 7),
            asked_for(ID, 4, vec![]),
        ]
    }

    fn restart(kept: &[JournalRecord], recovery: Recovery) -> Result<(), String> {
        let mut facts = Facts::default();
        records().iter().for_each(|record| facts.on_durable(ID, record));
        let mut promises = Promises::default();
        kept.iter().for_each(|record| promises.fold(record));
        promises.recovery = recovery;
        on_start(&mut facts, ID, &promises)
    }

    #[test]
    fn a_start_that_forgets_a_durable_promise_is_noticed() {
        assert_eq!(restart(&records(), Recovery::Complete), Ok(()));
        // A Checkpoint that is said again cannot differ from the state; all else binds.
        for left_out in [0, 1, 2, 3, 5] {
            let mut kept = records().to_vec();
            kept.remove(left_out);
            assert!(restart(&kept, Recovery::Complete).is_err(), "without {:?}", records()[left_out]);
        }
    }

    #[test]
    fn a_start_that_knows_of_its_loss_keeps_clear_of_all_that_was_said() {
        let within = |view, seq| Recovery::Lost(Some(Bounds { view: View(view), seq: SeqNum(seq) }));
        assert_eq!(restart(&[], Recovery::Lost(None)), Ok(()));
        assert_eq!(restart(&[], within(4, 8)), Ok(()));
        assert!(restart(&[], within(3, 8)).is_err(), "it has asked for view 4");
        assert!(restart(&[], within(4, 4)).is_err(), "it has voted at 5");
    }
}
