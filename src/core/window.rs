//! The log between the watermarks (PBFT, section 4.3): the only slots that are voted on, and all the memory they take.

use std::collections::BTreeMap;

use super::rejection::Rejection;
use super::slot::Slot;
use crate::mutants::Mutant;
use crate::types::SeqNum;

/// The slots in (low, low + L]. Invariant: no slot outside.
#[derive(Clone, Debug)]
pub struct Window {
    low: SeqNum,
    width: u64,
    slots: BTreeMap<SeqNum, Slot>,
}

impl Window {
    /// A window of L = `width` slots above the low watermark.
    #[must_use]
    pub fn new(low: SeqNum, width: u64) -> Self {
        Window { low, width, slots: BTreeMap::new() }
    }

    /// h, the low watermark.
    #[must_use]
    pub fn low(&self) -> SeqNum {
        self.low
    }

    /// H = h + L, the high watermark.
    #[must_use]
    pub fn high(&self) -> SeqNum {
        self.low.plus(self.width)
    }

    /// Whether a slot is voted on.
    #[must_use]
    pub fn contains(&self, seq: SeqNum) -> bool {
        seq > self.low && (seq <= self.high() || Mutant::NoHighWatermark.lives())
    }

    /// Fails for a slot outside.
    ///
    /// # Errors
    /// [`Rejection::OutsideWindow`].
    pub fn require(&self, seq: SeqNum) -> Result<(), Rejection> {
        if self.contains(seq) {
            Ok(())
        } else {
            Err(Rejection::OutsideWindow { seq, low: self.low, high: self.high() })
        }
    }

    /// What is known of a slot.
    #[must_use]
    pub fn slot(&self, seq: SeqNum) -> Option<&Slot> {
        self.slots.get(&seq)
    }

    /// The slot, made if it is untouched.
    ///
    /// # Errors
    /// [`Rejection::OutsideWindow`].
    pub fn slot_mut(&mut self, seq: SeqNum) -> Result<&mut Slot, Rejection> {
        self.require(seq)?;
        Ok(self.slots.entry(seq).or_insert_with(|| Slot::new(seq)))
    }

    /// The slot, if anything is known of it.
    pub fn known_mut(&mut self, seq: SeqNum) -> Option<&mut Slot> {
        self.slots.get_mut(&seq)
    }

    /// All touched slots, ascending.
    pub fn slots(&self) -> impl DoubleEndedIterator<Item = (SeqNum, &Slot)> {
        self.slots.iter().map(|(seq, slot)| (*seq, slot))
    }

    /// The touched slots after `seq`, ascending.
    pub fn slots_after(&self, seq: SeqNum) -> impl DoubleEndedIterator<Item = (SeqNum, &Slot)> {
        self.slots.range(seq.next()..).map(|(seq, slot)| (*seq, slot))
    }

    /// A state was loaded that contains the slots up to `last`: what is committed there needs no execution.
    pub fn set_handed_over_through(&mut self, last: SeqNum) {
        for slot in self.slots.range_mut(..=last).map(|(_, slot)| slot).filter(|slot| slot.committed().is_some()) {
            slot.set_handed_over();
        }
    }

    /// A state was fetched that goes up to `last`: what is committed above it is executed, again if it was.
    pub fn reopen_after(&mut self, last: SeqNum) {
        for slot in self.slots.range_mut(last.next()..).map(|(_, slot)| slot) {
            slot.reopen();
        }
    }

    /// Raises the low watermark; gives back the slots at or below it, which are forgotten here.
    pub fn advance(&mut self, low: SeqNum) -> BTreeMap<SeqNum, Slot> {
        assert!(low > self.low, "the low watermark never falls");
        self.low = low;
        let above = self.slots.split_off(&low.next());
        std::mem::replace(&mut self.slots, above)
    }
}
