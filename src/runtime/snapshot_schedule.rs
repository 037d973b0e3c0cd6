//! When a durable snapshot is due: every so many checkpoints, or sooner when the journal has grown by so much, because
//! that is what a start executes again.

use crate::batch::CommittedBatch;
use crate::types::SeqNum;

/// Knows how much was executed since the last snapshot.
#[derive(Clone, Copy, Debug)]
pub(super) struct SnapshotSchedule {
    /// J checkpoints, in slots.
    slots: u64,
    /// M.
    journal_bytes: u64,
    /// The slot of the last one.
    last: SeqNum,
    /// The bytes of the batches that were executed since it was ordered.
    executed_bytes: u64,
}

impl SnapshotSchedule {
    /// The last snapshot is that of `last`.
    pub(super) fn new(slots: u64, journal_bytes: u64, last: SeqNum) -> Self {
        SnapshotSchedule { slots, journal_bytes, last, executed_bytes: 0 }
    }

    /// A batch was executed.
    pub(super) fn executed(&mut self, committed: &CommittedBatch) {
        let bytes = committed.batch.as_ref().map_or(0, |batch| batch.body().len());
        self.executed_bytes = self.executed_bytes.saturating_add(bytes as u64);
    }

    /// Whether the certified checkpoint at `seq` should become durable. A replica that goes from one certificate to a
    /// much later one counts from what it has, and not in multiples that it may leap over.
    pub(super) fn is_due(&self, seq: SeqNum) -> bool {
        seq.since(self.last) >= self.slots || (seq > self.last && self.executed_bytes >= self.journal_bytes)
    }

    /// A snapshot was ordered, which may be older than the last one if the state fell back.
    pub(super) fn ordered(&mut self, seq: SeqNum) {
        (self.last, self.executed_bytes) = (seq, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Batch;
    use crate::types::WallTime;

    fn committed(seq: u64) -> CommittedBatch {
        let batch = Batch::new(WallTime(1), Vec::new());
        CommittedBatch { seq: SeqNum(seq), digest: batch.digest(SeqNum(seq)), batch: Some(batch) }
    }

    #[test]
    fn no_number_of_checkpoints_passed_over_leaves_a_replica_without_a_snapshot() {
        let mut schedule = SnapshotSchedule::new(32, u64::MAX, SeqNum(8));
        assert!(!schedule.is_due(SeqNum(32)), "only 24 slots");
        assert!(schedule.is_due(SeqNum(40)));
        assert!(schedule.is_due(SeqNum(72)), "the certificates of 40 and 64 never came");
        schedule.ordered(SeqNum(72));
        assert!(!schedule.is_due(SeqNum(96)));
        assert!(schedule.is_due(SeqNum(104)));
    }

    #[test]
    fn the_journal_does_not_grow_without_bound_between_two_snapshots() {
        let body = committed(1).batch.unwrap().body().len() as u64;
        let mut schedule = SnapshotSchedule::new(u64::MAX, 3 * body, SeqNum(0));
        (1..=2).for_each(|seq| schedule.executed(&committed(seq)));
        assert!(!schedule.is_due(SeqNum(2)));
        schedule.executed(&committed(3));
        assert!(schedule.is_due(SeqNum(2)) && !schedule.is_due(SeqNum(0)));
        schedule.ordered(SeqNum(2));
        assert!(!schedule.is_due(SeqNum(3)));
    }
}
