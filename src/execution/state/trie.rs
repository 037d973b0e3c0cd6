//! [`State`]: what a state machine reads and changes.

use quorate_crypto::Digest;

use super::build::StateBuilder;
use super::edit::Edit;
use super::limits::{StateError, StateLimits};
use super::node::Child;
use super::page::Entries;
use super::proof::Proof;
use super::range::{Pages, Range};
use super::view::StateView;

/// An ordered map from keys to values with an incremental Merkle root. See the [module](super) for its shape.
///
/// A clone costs one reference count, and neither of the two sees a later change of the other.
#[derive(Clone, Debug)]
pub struct State {
    pub(super) root: Child,
    len: u64,
    limits: StateLimits,
}

impl Default for State {
    fn default() -> Self {
        State::new()
    }
}

impl State {
    /// No entries, and the engine's own limits.
    #[must_use]
    pub fn new() -> Self {
        State::with_limits(StateLimits::default())
    }

    /// No entries, and limits of the genesis.
    #[must_use]
    pub fn with_limits(limits: StateLimits) -> Self {
        State::from_parts(limits.clamped(), Child::default(), 0)
    }

    /// The state with these entries, which come in strictly ascending order of their keys, in linear time.
    ///
    /// # Errors
    /// [`StateError`] when they do not, or exceed a limit.
    pub fn from_entries<K, V>(
        limits: StateLimits,
        entries: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, StateError>
    where
        K: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        let mut builder = StateBuilder::new(limits);
        for (key, value) in entries {
            builder.push(key.as_ref(), value.as_ref())?;
        }
        Ok(builder.finish())
    }

    pub(super) fn from_parts(limits: StateLimits, root: Child, len: u64) -> Self {
        State { root, len, limits }
    }

    /// The value of `key`.
    #[must_use]
    pub fn get(&self, key: &[u8]) -> Option<&[u8]> {
        self.root.get(key)
    }

    /// Sets the value of `key`, whether it has one already or not.
    ///
    /// # Errors
    /// [`StateError`] when a limit would be exceeded. The state is unchanged then.
    pub fn insert(&mut self, key: &[u8], value: &[u8]) -> Result<(), StateError> {
        self.limits.check_entry(key, value)?;
        let old = self.get(key);
        if old == Some(value) {
            return Ok(());
        }
        let edit = Edit::new(key, old, Some(value));
        self.limits.check_weight(edit.weight_after(self.weight()))?;
        self.len += u64::from(old.is_none());
        edit.apply_to(&mut self.root, 0);
        Ok(())
    }

    /// Removes `key`; says whether it was there.
    pub fn remove(&mut self, key: &[u8]) -> bool {
        let Some(old) = self.get(key) else { return false };
        let edit = Edit::new(key, Some(old), None);
        self.len -= 1;
        edit.apply_to(&mut self.root, 0);
        true
    }

    /// All entries whose keys start with `prefix`, in the order of their keys.
    #[must_use]
    pub fn range(&self, prefix: &[u8]) -> Range<'_> {
        Range::of(&self.root, prefix, None)
    }

    /// The entries of [`State::range`] with keys greater than `after_key`: the next page of a listing.
    #[must_use]
    pub fn range_from(&self, prefix: &[u8], after_key: &[u8]) -> Range<'_> {
        Range::of(&self.root, prefix, Some(after_key))
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The sum of [`entry_weight`](super::entry_weight) over all entries, in bytes.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.root.node.weight()
    }

    /// The same entries under other limits, which hold for what is inserted from now on.
    #[must_use]
    pub fn limited_by(self, limits: StateLimits) -> Self {
        State { limits: limits.clamped(), ..self }
    }

    /// What the state accepts.
    #[must_use]
    pub fn limits(&self) -> StateLimits {
        self.limits
    }

    /// The digest that commits to all entries. Hashes again what changed since it was asked for last, here or in a clone
    /// that shares the node.
    #[must_use]
    pub fn root(&self) -> Digest {
        self.root.hash()
    }

    /// The proof of the value of `key`, or of its absence, against [`State::root`].
    #[must_use]
    pub fn prove(&self, key: &[u8]) -> Proof {
        Proof::of(&self.root, key)
    }

    /// All entries as packed pages, in the order of their keys: the contents of a durable snapshot. [`StateBuilder`] reads
    /// them back. Own values of branches come as pages of one entry.
    #[must_use]
    pub fn pages(&self) -> Pages<'_> {
        Pages::of(&self.root)
    }

    /// The first key in a packed page, if the bytes are one.
    #[must_use]
    pub fn first_key_of(page: &[u8]) -> Option<&[u8]> {
        Entries::of(page).next().map(|(key, _)| key)
    }

    /// The state as it is now, to be read elsewhere.
    #[must_use]
    pub fn view(&self) -> StateView {
        StateView::from(self.clone())
    }
}
