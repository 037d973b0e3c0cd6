//! The shape of a sorted sequence of entries, in one pass and linear time.

use std::ops::Range;

use super::limits::{PAGE_WEIGHT_MAX, StateError, StateLimits, entry_weight};
use super::nibbles::{Prefix, common_nibbles, nibble};
use super::node::{Branch, Child};
use super::page::{Entries, Page, pack_entry};
use super::trie::State;

/// Builds a state from entries in the order of their keys, one by one or page by page: how a snapshot is read back.
#[derive(Debug)]
pub struct StateBuilder {
    limits: StateLimits,
    shaper: Shaper,
    len: u64,
    weight: u64,
}

impl StateBuilder {
    /// Starts with no entries.
    #[must_use]
    pub fn new(limits: StateLimits) -> Self {
        StateBuilder { limits: limits.clamped(), shaper: Shaper::default(), len: 0, weight: 0 }
    }

    /// Adds an entry behind all others.
    ///
    /// # Errors
    /// [`StateError`] when a limit would be exceeded or the key is not greater than the one before. The entry is left out
    /// then.
    pub fn push(&mut self, key: &[u8], value: &[u8]) -> Result<(), StateError> {
        self.limits.check_entry(key, value)?;
        let weight = self.weight + entry_weight(key, value) as u64;
        self.limits.check_weight(weight)?;
        if self.len > 0 && key <= self.shaper.last_key.as_slice() {
            return Err(StateError::OutOfOrder);
        }
        self.shaper.push(key, value);
        self.len += 1;
        self.weight = weight;
        Ok(())
    }

    /// Adds the entries of a packed page, as [`State::pages`] gives them.
    ///
    /// # Errors
    /// As [`StateBuilder::push`], and [`StateError::DamagedPage`]. Entries before the fault stay.
    pub fn push_page(&mut self, packed: &[u8]) -> Result<(), StateError> {
        let mut entries = Entries::of(packed);
        for (key, value) in entries.by_ref() {
            self.push(key, value)?;
        }
        if entries.is_at_end() { Ok(()) } else { Err(StateError::DamagedPage) }
    }

    /// The state with all entries.
    #[must_use]
    pub fn finish(self) -> State {
        State::from_parts(self.limits, self.shaper.finish(), self.len)
    }
}

/// The trie of packed entries: a page, if they are within its limit, else what the rule makes of them.
pub(super) fn shape_packed(packed: &[u8]) -> Child {
    if packed.len() <= PAGE_WEIGHT_MAX {
        return Page::new(packed).into();
    }
    let mut shaper = Shaper::default();
    for (key, value) in Entries::of(packed) {
        shaper.push(key, value);
    }
    shaper.finish()
}

/// Applies the rule of the shape to entries that come in order.
///
/// Wherever the paths of two neighbouring keys part there is a *fork*: a page or a branch, which is decided when all of
/// its entries are known. The forks above the latest key are open and stand on a stack, the deepest last. Entries that are
/// not in a finished node yet stand packed in one buffer, so that a fork within the limit is a page as it stands there.
#[derive(Debug, Default)]
struct Shaper {
    last_key: Vec<u8>,
    /// The latest entry, and soon the largest finished part that it belongs to.
    latest: Option<Part>,
    open: Vec<Fork>,
    packed: Vec<u8>,
}

/// A place where paths part.
#[derive(Debug)]
struct Fork {
    /// How many nibbles its keys have in common.
    nibbles: usize,
    /// Where its entries begin in the buffer.
    start: usize,
    weight: u64,
    /// Its parts so far with the nibble that each goes on with; none for the key that ends here.
    parts: Vec<(Option<u8>, Part)>,
}

/// A set of entries that is complete.
#[derive(Debug)]
enum Part {
    /// A page whose entries stand in the buffer.
    Packed(Range<usize>),
    /// A finished branch.
    Built(Child),
}

impl Shaper {
    /// Adds an entry. Its key is greater than all before.
    fn push(&mut self, key: &[u8], value: &[u8]) {
        if let Some(part) = self.latest.take() {
            let common = common_nibbles(&self.last_key, key);
            let part = self.close_below(common, part);
            self.add_to_fork(common, part);
        }
        self.last_key.clear();
        self.last_key.extend_from_slice(key);
        let start = self.packed.len();
        pack_entry(&mut self.packed, key, value);
        self.latest = Some(Part::Packed(start..self.packed.len()));
    }

    fn finish(mut self) -> Child {
        let Some(mut part) = self.latest.take() else { return Child::default() };
        while let Some(mut fork) = self.open.pop() {
            fork.add(&self.last_key, part);
            part = self.close(fork);
        }
        self.built(part)
    }

    /// Closes the open forks that lie deeper than `nibbles`, of which `part` is the last part; gives the last one closed.
    fn close_below(&mut self, nibbles: usize, mut part: Part) -> Part {
        while let Some(mut fork) = self.open.pop_if(|fork| fork.nibbles > nibbles) {
            fork.add(&self.last_key, part);
            part = self.close(fork);
        }
        part
    }

    /// Adds a part to the fork at `nibbles`, which is the deepest open one or new.
    fn add_to_fork(&mut self, nibbles: usize, part: Part) {
        let mut fork = self.open.pop_if(|fork| fork.nibbles == nibbles).unwrap_or_else(|| Fork {
            nibbles,
            start: part.start(self.packed.len()),
            weight: 0,
            parts: Vec::new(),
        });
        fork.add(&self.last_key, part);
        self.open.push(fork);
    }

    /// Decides what a complete fork is. Its entries are the last ones in the buffer.
    fn close(&mut self, fork: Fork) -> Part {
        if fork.weight <= PAGE_WEIGHT_MAX as u64 {
            return Part::Packed(fork.start..self.packed.len());
        }
        let mut branch = Branch::at(Prefix::of(&self.last_key, fork.nibbles), fork.weight);
        branch.children.reserve_exact(fork.parts.len());
        for (nibble, part) in fork.parts {
            let part = self.built(part);
            match nibble {
                Some(nibble) => branch.add_child(nibble, part),
                None => branch.set_own(part.get(branch.prefix.packed())),
            }
        }
        self.packed.truncate(fork.start);
        Part::Built(branch.into())
    }

    fn built(&self, part: Part) -> Child {
        match part {
            Part::Packed(range) => Page::new(self.packed.get(range).expect("a part stands in the buffer")).into(),
            Part::Built(child) => child,
        }
    }
}

impl Fork {
    /// Adds the part that `key` belongs to.
    fn add(&mut self, key: &[u8], part: Part) {
        self.weight += part.weight();
        self.parts.push((nibble(key, self.nibbles), part));
    }
}

impl Part {
    fn weight(&self) -> u64 {
        match self {
            Part::Packed(range) => range.len() as u64,
            Part::Built(child) => child.node.weight(),
        }
    }

    /// Where its entries begin in a buffer of `end` bytes; a finished branch has none there.
    fn start(&self, end: usize) -> usize {
        match self {
            Part::Packed(range) => range.start,
            Part::Built(_) => end,
        }
    }
}
