//! What happened in a world, for people: recorded only when somebody wants it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use crate::chart::{Entry, Happening};

/// The last entries of a world. A clone is the same transcript: whoever keeps one can read it even if the world panics.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    kept: Option<Arc<Mutex<Kept>>>,
}

#[derive(Debug)]
struct Kept {
    entries_max: usize,
    entries: VecDeque<Entry>,
    /// How many were forgotten.
    forgotten: u64,
}

impl Transcript {
    /// Keeps the last `entries_max` entries; 0 keeps nothing.
    #[must_use]
    pub fn keeping(entries_max: usize) -> Self {
        let kept = Kept { entries_max, entries: VecDeque::new(), forgotten: 0 };
        Transcript { kept: (entries_max > 0).then(|| Arc::new(Mutex::new(kept))) }
    }

    /// Whether somebody wants to know.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.kept.is_some()
    }

    /// Records what happened at a moment, if somebody wants it. `None` is nothing to speak of.
    pub fn record(&self, at: u64, happening: impl FnOnce() -> Option<Happening>) {
        let Some(kept) = &self.kept else { return };
        let Some(happening) = happening() else { return };
        // Whoever panicked did so elsewhere: nothing below can.
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.entries.len() == kept.entries_max {
            kept.entries.pop_front();
            kept.forgotten += 1;
        }
        kept.entries.push_back(Entry { at, happening });
    }

    /// Records something that concerns the world as a whole.
    pub fn line(&self, at: u64, text: impl FnOnce() -> String) {
        self.record(at, || Some(Happening::World(text())));
    }

    /// The entries, oldest first.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let Some(kept) = &self.kept else { return Vec::new() };
        kept.lock().unwrap_or_else(PoisonError::into_inner).entries.iter().cloned().collect()
    }

    /// How many older entries were forgotten.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        let Some(kept) = &self.kept else { return 0 };
        kept.lock().unwrap_or_else(PoisonError::into_inner).forgotten
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_entries_are_forgotten() {
        let transcript = Transcript::keeping(2);
        for at in 0..5 {
            transcript.line(at, || at.to_string());
        }
        assert_eq!(transcript.entries().iter().map(|entry| entry.at).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(transcript.forgotten(), 3);
    }

    #[test]
    fn nothing_is_made_when_nobody_wants_it() {
        Transcript::default().line(0, || panic!("nobody asked"));
        Transcript::keeping(0).line(0, || panic!("nobody asked"));
    }
}
