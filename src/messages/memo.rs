//! The memo of signatures that were verified already, so that a certificate's votes are not verified twice.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use quorate_crypto::Digest;

/// The newest verified signatures by the hash of key, bytes and signature; the oldest are forgotten first.
#[derive(Debug)]
pub struct Memo {
    capacity: usize,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    known: BTreeSet<Digest>,
    order: VecDeque<Digest>,
}

impl Memo {
    /// A memo of at most `capacity` signatures, about 100 bytes each.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Memo { capacity, entries: Mutex::default() }
    }

    pub(super) fn contains(&self, key: &Digest) -> bool {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).known.contains(key)
    }

    pub(super) fn insert(&self, key: Digest) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if self.capacity == 0 || !entries.known.insert(key) {
            return;
        }
        entries.order.push_back(key);
        if entries.order.len() > self.capacity
            && let Some(oldest) = entries.order.pop_front()
        {
            entries.known.remove(&oldest);
        }
    }
}
