//! `re-proposals`: what is committed at a slot is assigned again in every later NewView that covers the slot, whoever made
//! it and whichever of the two comes to light first.

use std::collections::BTreeMap;

use quorate::batch::null_digest;
use quorate::core::{EnteredView, Notice};
use quorate::{ReplicaId, SeqNum, View};
use quorate_crypto::Digest;

/// What correct replicas saw committed, with the lowest view in which it was, and the views that they have entered.
#[derive(Clone, Debug, Default)]
pub(super) struct ReProposals {
    committed: BTreeMap<SeqNum, (View, Digest)>,
    entered: BTreeMap<View, Assigned>,
    /// How many of the views assigned something committed again.
    committed_again: u64,
}

/// What a NewView assigns above the checkpoint that its ViewChanges prove.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Assigned {
    stable: SeqNum,
    slots: BTreeMap<SeqNum, Digest>,
}

impl ReProposals {
    pub(super) fn on_notice(&mut self, id: ReplicaId, notice: &Notice) -> Result<(), String> {
        let Notice::Committed { view, seq, digest } = notice else { return Ok(()) };
        let known = self.committed.get(seq);
        if known.is_some_and(|(lowest, _)| lowest <= view) {
            return Ok(());
        }
        self.committed.insert(*seq, (*view, *digest));
        for (target, assigned) in self.entered.range(view.next()..) {
            assigned.check(id, *target, *seq, *digest)?;
        }
        Ok(())
    }

    /// A correct replica enters a view.
    pub(super) fn on_entered(&mut self, id: ReplicaId, entered: &EnteredView) -> Result<(), String> {
        let target = entered.new_view.payload.target;
        let assigned = Assigned::of(entered);
        if self.entered.get(&target) == Some(&assigned) {
            return Ok(());
        }
        let mut again = false;
        for (seq, (view, digest)) in self.committed.range(assigned.stable.next()..) {
            if *view < target {
                assigned.check(id, target, *seq, *digest)?;
                again |= *digest != null_digest(*seq);
            }
        }
        self.committed_again += u64::from(again);
        self.entered.insert(target, assigned);
        Ok(())
    }

    pub(super) fn committed_again(&self) -> u64 {
        self.committed_again
    }
}

impl Assigned {
    fn of(entered: &EnteredView) -> Self {
        let stable = entered.view_changes.iter().filter_map(|asked| asked.payload.stable.as_ref());
        let headers = entered.new_view.payload.pre_prepares.iter().map(|header| header.payload);
        Assigned {
            stable: stable.map(|stable| stable.checkpoint.seq).max().unwrap_or_default(),
            slots: headers.map(|header| (header.seq, header.digest)).collect(),
        }
    }

    fn check(&self, id: ReplicaId, target: View, seq: SeqNum, digest: Digest) -> Result<(), String> {
        let found = self.slots.get(&seq);
        if seq <= self.stable || found == Some(&digest) {
            return Ok(());
        }
        Err(format!("{id}: view {target} begins with {found:?} at {seq}, where {digest:?} was committed before"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{ID, checkpoint_certificate, digest, new_view_of, signed_view_change_of};
    use super::*;

    fn committed(view: u64, seq: u64) -> Notice {
        Notice::Committed { view: View(view), seq: SeqNum(seq), digest: digest(7) }
    }

    fn entered(target: u64, stable: u64, assigned: Vec<(u64, Digest)>) -> EnteredView {
        let stable = checkpoint_certificate(stable, 1, &[0, 1, 2]);
        let view_changes = vec![signed_view_change_of(0, target, Some(stable), vec![])];
        EnteredView { new_view: new_view_of(target, &view_changes, assigned), view_changes }
    }

    #[test]
    fn a_committed_slot_that_a_later_view_forgets_is_noticed_in_either_order() {
        for wrong in [vec![], vec![(5, digest(8))], vec![(5, null_digest(SeqNum(5)))]] {
            let mut rule = ReProposals::default();
            assert_eq!(rule.on_notice(ID, &committed(1, 5)), Ok(()));
            assert!(rule.on_entered(ID, &entered(2, 4, wrong.clone())).is_err(), "{wrong:?}");
            let mut rule = ReProposals::default();
            assert_eq!(rule.on_entered(ID, &entered(2, 4, wrong.clone())), Ok(()));
            assert!(rule.on_notice(ID, &committed(1, 5)).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn what_is_assigned_again_below_the_checkpoint_or_committed_later_is_right() {
        let mut rule = ReProposals::default();
        assert_eq!(rule.on_notice(ID, &committed(1, 5)), Ok(()));
        assert_eq!(rule.on_entered(ID, &entered(2, 4, vec![(5, digest(7))])), Ok(()));
        assert_eq!(rule.on_entered(ID, &entered(3, 8, vec![])), Ok(()));
        assert_eq!(rule.on_notice(ID, &committed(3, 9)), Ok(()));
        assert_eq!(rule.committed_again(), 1);
    }
}
