//! Where committed slots and batches lie, and which part of a journal may be deleted.

use std::collections::{BTreeMap, VecDeque};

use quorate_crypto::Digest;

use super::frame::{Head, Kind};
use crate::batch::null_digest;
use crate::types::SeqNum;

/// The places of committed slots and of the batches above the low watermark. The slots are contiguous; their number is
/// bounded by the retained history.
#[derive(Clone, Debug)]
pub(super) struct Index<Place> {
    first: SeqNum,
    committed: VecDeque<Slot<Place>>,
    batches: BTreeMap<(SeqNum, Digest), Place>,
}

/// The places of one committed slot.
#[derive(Clone, Debug)]
pub(super) struct Slot<Place> {
    pub(super) certificate: Place,
    /// `None` is the null batch.
    pub(super) batch: Option<Place>,
}

impl<Place: Clone> Index<Place> {
    /// The index of a journal whose records begin when everything up to `committed` had been committed.
    pub(super) fn starting_after(committed: SeqNum) -> Self {
        Index { first: committed.next(), committed: VecDeque::new(), batches: BTreeMap::new() }
    }

    /// Whether the batch that a commit needs is known.
    pub(super) fn has_batch(&self, seq: SeqNum, digest: Digest) -> bool {
        digest == null_digest(seq) || self.batches.contains_key(&(seq, digest))
    }

    /// Takes in a record at its place, in the order of the journal. A commit whose batch went with a deleted part of
    /// the journal ends the run of slots before it.
    pub(super) fn note(&mut self, head: &Head, place: Place) {
        match head.kind {
            Kind::Batch => {
                self.batches.insert((head.seq, head.digest), place);
            }
            Kind::Committed if self.has_batch(head.seq, head.digest) => {
                let batch = self.batches.get(&(head.seq, head.digest)).cloned();
                self.push(head.seq, Slot { certificate: place, batch });
            }
            Kind::Committed => self.restart_at(head.seq.next()),
            Kind::CheckpointStable => {
                self.forget_batches_through(head.seq);
                // A state that was fetched: what was committed before it has a gap.
                if head.seq > self.newest() {
                    self.restart_at(head.seq.next());
                }
            }
            Kind::Promise => {}
        }
    }

    fn push(&mut self, seq: SeqNum, slot: Slot<Place>) {
        if seq != self.newest().next() {
            self.restart_at(seq);
        }
        self.committed.push_back(slot);
    }

    fn restart_at(&mut self, first: SeqNum) {
        self.committed.clear();
        self.first = first;
    }

    /// Drops the batches at and below the low watermark that were never committed here.
    pub(super) fn forget_batches_through(&mut self, seq: SeqNum) {
        self.batches.retain(|(slot, _), _| *slot > seq);
    }

    /// Drops everything at and below `seq`.
    pub(super) fn forget_through(&mut self, seq: SeqNum) {
        let count = usize::try_from(seq.next().since(self.first)).unwrap_or(usize::MAX).min(self.committed.len());
        self.committed.drain(..count);
        self.first = self.first.plus(count as u64);
        self.forget_batches_through(seq);
    }

    pub(super) fn oldest(&self) -> SeqNum {
        self.first
    }

    pub(super) fn newest(&self) -> SeqNum {
        self.first.previous().plus(self.committed.len() as u64)
    }

    /// The slots after `after` up to `through`; none when the first of them is not held.
    pub(super) fn slots(&self, after: SeqNum, through: SeqNum) -> impl Iterator<Item = (SeqNum, &Slot<Place>)> {
        let skip = after.next().0.checked_sub(self.first.0).and_then(|skip| usize::try_from(skip).ok());
        let held = self.committed.iter().skip(skip.unwrap_or(usize::MAX));
        after.up_to(through).zip(held)
    }

    /// The batches above the low watermark.
    pub(super) fn batches(&self) -> impl Iterator<Item = (&(SeqNum, Digest), &Place)> {
        self.batches.iter()
    }
}

/// A part of a journal that is deleted as a whole.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) bytes: u64,
    /// The highest slot of any record in it.
    pub(super) slot_max: SeqNum,
}

/// Up to where deletion may go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Retention {
    /// The durable low watermark.
    pub(super) stable: SeqNum,
    /// The newest durable snapshot.
    pub(super) snapshot: SeqNum,
    /// The oldest state that is served to others, if any is.
    pub(super) served: Option<SeqNum>,
    /// How many bytes below the low watermark are kept for peers.
    pub(super) history_bytes: u64,
}

impl Retention {
    /// How many of these parts, oldest first, may go: those whose slots are all at or below the low watermark, the
    /// snapshot and the oldest state served, as long as `history_bytes` of history stay. History before `oldest`, the first slot that can be
    /// served, is none.
    pub(super) fn expired<'a>(&self, parts: impl Iterator<Item = &'a Part> + Clone, oldest: SeqNum) -> usize {
        let history = parts.clone().filter(|part| part.slot_max <= self.stable);
        let mut kept: u64 = history.map(|part| part.bytes).sum();
        let limit = self.served.into_iter().fold(self.stable.min(self.snapshot), SeqNum::min);
        let expires = |part: &&Part| {
            kept = kept.saturating_sub(part.bytes);
            part.slot_max <= limit && (kept >= self.history_bytes || part.slot_max < oldest)
        };
        parts.take_while(expires).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(slot_max: u64) -> Part {
        Part { bytes: 10, slot_max: SeqNum(slot_max) }
    }

    fn expired(stable: u64, snapshot: u64, history_bytes: u64) -> usize {
        let parts = [part(10), part(20), part(30), part(40)];
        let retention = Retention { stable: SeqNum(stable), snapshot: SeqNum(snapshot), served: None, history_bytes };
        retention.expired(parts.iter(), SeqNum(0))
    }

    #[test]
    fn a_part_goes_only_below_low_watermark_and_snapshot_and_beyond_the_kept_history() {
        assert_eq!(expired(40, 40, 0), 4);
        assert_eq!(expired(30, 40, 0), 3);
        assert_eq!(expired(40, 20, 0), 2);
        assert_eq!(expired(40, 19, 0), 1);
        assert_eq!(expired(40, 40, 20), 2);
        assert_eq!(expired(40, 40, 21), 1);
        // What is above the low watermark is no history.
        assert_eq!(expired(20, 20, 10), 1);
        assert_eq!(expired(0, 0, 0), 0);
        let retention = Retention { stable: SeqNum(40), snapshot: SeqNum(40), served: None, history_bytes: 1000 };
        let parts = [part(10), part(20), part(30), part(40)];
        assert_eq!(retention.expired(parts.iter(), SeqNum(25)), 2);
    }

    #[test]
    fn what_follows_a_state_that_is_served_stays() {
        let parts = [part(10), part(20), part(30), part(40)];
        let served =
            |seq| Retention { stable: SeqNum(40), snapshot: SeqNum(40), served: Some(SeqNum(seq)), history_bytes: 0 };
        assert_eq!(served(40).expired(parts.iter(), SeqNum(0)), 4);
        assert_eq!(served(29).expired(parts.iter(), SeqNum(0)), 2);
        assert_eq!(served(9).expired(parts.iter(), SeqNum(0)), 0);
    }

    #[test]
    fn slots_answers_only_what_directly_follows() {
        let mut index = Index::starting_after(SeqNum(4));
        for seq in 5..=9 {
            let head = Head { kind: Kind::Committed, seq: SeqNum(seq), digest: null_digest(SeqNum(seq)) };
            index.note(&head, seq);
        }
        let slots = |index: &Index<u64>, after, through| -> Vec<u64> {
            index.slots(SeqNum(after), SeqNum(through)).map(|(seq, _)| seq.0).collect()
        };
        assert_eq!(slots(&index, 3, 9), []);
        assert_eq!(slots(&index, 4, 9), [5, 6, 7, 8, 9]);
        assert_eq!(slots(&index, 7, 20), [8, 9]);
        assert_eq!(slots(&index, 9, 20), []);
        index.forget_through(SeqNum(6));
        assert_eq!((index.oldest(), index.newest()), (SeqNum(7), SeqNum(9)));
        assert_eq!(slots(&index, 5, 9), []);
        assert_eq!(slots(&index, 6, 7), [7]);
        index.forget_through(SeqNum(50));
        assert_eq!((index.oldest(), index.newest()), (SeqNum(10), SeqNum(9)));
    }
}
