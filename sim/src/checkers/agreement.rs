//! `agreement`: at every slot all correct replicas commit the same batch, execute the same batch, and have the same
//! history and state afterwards.

use std::collections::BTreeMap;

use quorate::batch::CommittedBatch;
use quorate::core::{ExecutedBatch, Notice};
use quorate::{ReplicaId, SeqNum, View};
use quorate_crypto::Digest;

use super::history::{History, Slot};

/// The digest of each slot that a correct replica saw committed, with the view in which it was first.
#[derive(Clone, Debug, Default)]
pub(super) struct Agreement {
    committed: BTreeMap<SeqNum, (View, Digest)>,
}

impl Agreement {
    pub(super) fn on_notice(&mut self, id: ReplicaId, notice: &Notice) -> Result<(), String> {
        let Notice::Committed { view, seq, digest } = notice else { return Ok(()) };
        let known = self.committed.entry(*seq).or_insert((*view, *digest));
        if known.1 == *digest {
            return Ok(());
        }
        Err(format!("{id} commits {digest:?} at {seq} in view {view}, {:?} was committed in view {}", known.1, known.0))
    }
}

/// What a replica has executed is what the first one to come to the slot had.
pub(super) fn check_executed(
    id: ReplicaId,
    slot: &Slot,
    batch: &CommittedBatch,
    report: &ExecutedBatch,
) -> Result<(), String> {
    let seq = batch.seq;
    if slot.digest != batch.digest {
        return Err(format!("{id} executes {:?} at {seq}, another replica {:?}", batch.digest, slot.digest));
    }
    if slot.chain != report.chain || slot.root != report.root {
        return Err(format!("{id} has another chain or root than another replica after {seq}"));
    }
    Ok(())
}

/// A loaded state is one that somebody has executed.
pub(super) fn check_loaded(id: ReplicaId, history: &History, seq: SeqNum, chain: Digest) -> Result<(), String> {
    match history.slot(seq) {
        Some(slot) if slot.chain != chain => Err(format!("{id} loads another history up to {seq}")),
        None if seq != SeqNum::GENESIS => Err(format!("{id} loads a state up to {seq}, which nobody has executed")),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{ID, digest, executed, null};
    use super::*;

    fn committed(agreement: &mut Agreement, seq: u64, mark: u8) -> Result<(), String> {
        let notice = Notice::Committed { view: View(1), seq: SeqNum(seq), digest: digest(mark) };
        agreement.on_notice(ID, &notice)
    }

    #[test]
    fn two_batches_committed_at_one_slot_are_a_fork() {
        let mut agreement = Agreement::default();
        assert_eq!(committed(&mut agreement, 1, 7), Ok(()));
        assert_eq!(committed(&mut agreement, 1, 7), Ok(()));
        assert_eq!(committed(&mut agreement, 2, 8), Ok(()));
        assert!(committed(&mut agreement, 1, 8).is_err());
    }

    #[test]
    fn another_batch_chain_or_root_at_a_slot_is_a_fork() {
        let (batch, report) = (null(1), executed(1));
        let slot = Slot { digest: batch.digest, chain: report.chain, root: report.root, results: Vec::new() };
        assert_eq!(check_executed(ID, &slot, &batch, &report), Ok(()));
        let other = CommittedBatch { digest: digest(9), ..batch.clone() };
        assert!(check_executed(ID, &slot, &other, &report).is_err());
        let other = ExecutedBatch { chain: digest(9), ..report.clone() };
        assert!(check_executed(ID, &slot, &batch, &other).is_err());
        let other = ExecutedBatch { root: Some(digest(9)), ..report };
        assert!(check_executed(ID, &slot, &batch, &other).is_err());
    }
}
