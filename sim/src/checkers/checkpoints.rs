//! Stable checkpoints: equal everywhere, and rising.

use std::collections::BTreeMap;

use quorate::core::Notice;
use quorate::{ReplicaId, SeqNum};
use quorate_crypto::Digest;

/// The certified roots, and each replica's low watermark since its start.
#[derive(Debug, Default)]
pub(super) struct Checkpoints {
    roots: BTreeMap<SeqNum, Digest>,
    low: BTreeMap<ReplicaId, SeqNum>,
}

impl Checkpoints {
    /// A stable checkpoint need not be durable: a start may find an earlier one.
    pub(super) fn on_crash(&mut self, id: ReplicaId) {
        self.low.remove(&id);
    }

    pub(super) fn on_notice(&mut self, id: ReplicaId, notice: &Notice) -> Result<(), String> {
        let Notice::CheckpointStable { seq, root } = notice else { return Ok(()) };
        let before = self.low.insert(id, *seq);
        if before.is_some_and(|before| before >= *seq) {
            return Err(format!("the low watermark of {id} goes from {before:?} to {seq}"));
        }
        let known = self.roots.entry(*seq).or_insert(*root);
        if known == root { Ok(()) } else { Err(format!("{id} has another certified root at {seq}")) }
    }
}
