//! [`StateView`]: a state that can be read and not changed.

use quorate_crypto::Digest;

use super::proof::Proof;
use super::range::Range;
use super::trie::State;

/// A state as it was at one moment, for queries. Later changes do not show in it, and it can be sent to another thread.
#[derive(Clone, Debug)]
pub struct StateView(State);

impl From<State> for StateView {
    fn from(state: State) -> Self {
        StateView(state)
    }
}

impl StateView {
    /// The value of `key`.
    #[must_use]
    pub fn get(&self, key: &[u8]) -> Option<&[u8]> {
        self.0.get(key)
    }

    /// All entries whose keys start with `prefix`, in the order of their keys.
    #[must_use]
    pub fn range(&self, prefix: &[u8]) -> Range<'_> {
        self.0.range(prefix)
    }

    /// The entries of [`StateView::range`] with keys greater than `after_key`: the next page of a listing.
    #[must_use]
    pub fn range_from(&self, prefix: &[u8], after_key: &[u8]) -> Range<'_> {
        self.0.range_from(prefix, after_key)
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What all entries weigh, in bytes.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.0.weight()
    }

    /// The digest that commits to all entries.
    #[must_use]
    pub fn root(&self) -> Digest {
        self.0.root()
    }

    /// The proof of the value of `key`, or of its absence, against [`StateView::root`].
    #[must_use]
    pub fn prove(&self, key: &[u8]) -> Proof {
        self.0.prove(key)
    }
}
