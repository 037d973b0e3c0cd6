//! What is committed stays committed: one digest for each slot, and no later view without it.

use std::collections::BTreeMap;

use quorate::core::{EnteredView, JournalRecord, Notice};
use quorate::messages::ViewChange;
use quorate::{ReplicaId, SeqNum, View};
use quorate_crypto::Digest;

/// The digest of each slot that a correct replica saw committed, with the lowest view in which it was.
#[derive(Debug, Default)]
pub(super) struct Commits {
    committed: BTreeMap<SeqNum, (View, Digest)>,
}

impl Commits {
    pub(super) fn on_notice(&mut self, id: ReplicaId, notice: &Notice) -> Result<(), String> {
        let Notice::Committed { view, seq, digest } = notice else { return Ok(()) };
        let known = self.committed.entry(*seq).or_insert((*view, *digest));
        if known.1 != *digest {
            return Err(format!("{id} commits {digest:?} at {seq} in view {view}, {:?} was in {}", known.1, known.0));
        }
        known.0 = known.0.min(*view);
        Ok(())
    }

    /// A correct replica enters a view: what was committed in earlier ones is assigned again or below its checkpoint.
    pub(super) fn on_record(&self, id: ReplicaId, record: &JournalRecord) -> Result<(), String> {
        let JournalRecord::ViewEntered(EnteredView { new_view, view_changes }) = record else { return Ok(()) };
        let target = new_view.payload.target;
        let stable = view_changes.iter().map(|signed| ViewChange::stable_seq(&signed.payload)).max();
        let headers = new_view.payload.pre_prepares.iter().map(|header| header.payload);
        let assigned: BTreeMap<_, _> = headers.map(|header| (header.seq, header.digest)).collect();
        for (seq, (view, digest)) in self.committed.range(stable.unwrap_or_default().next()..) {
            if *view < target && assigned.get(seq) != Some(digest) {
                let found = assigned.get(seq);
                return Err(format!("{id} enters {target} with {found:?} at {seq}, {digest:?} is committed there"));
            }
        }
        Ok(())
    }
}
