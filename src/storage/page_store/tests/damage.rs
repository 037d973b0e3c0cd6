//! A damaged file gives the right state or none, and never ends the process.

use std::fs;
use std::path::PathBuf;

use quorate_crypto::Digest;
use tempfile::TempDir;

use super::samples::{genesis, history, store_in, whole_root};
use crate::execution::ReplicatedState;
use crate::storage::page_store::{Loaded, MemoryPageStore, PageStore, Remains};

const OFFSETS: usize = 200;

struct Sample {
    home: TempDir,
    states: Vec<ReplicatedState>,
    intact: Vec<u8>,
}

/// A home whose store holds the second to last state, closed properly or as a crash leaves it.
fn sample(is_closed: bool) -> Sample {
    let (home, states) = (tempfile::tempdir().unwrap(), history(1_500, 4));
    let store = store_in(home.path());
    for state in &states[..3] {
        store.commit(state, None).unwrap();
    }
    let path = home.path().join("snapshots/state.redb");
    let open = fs::read(&path).unwrap();
    drop(store);
    let intact = if is_closed { fs::read(&path).unwrap() } else { open };
    Sample { home, states, intact }
}

/// What came of a damaged file.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Whole(Digest),
    Damaged,
    Empty,
}

impl Sample {
    fn path(&self) -> PathBuf {
        self.home.path().join("snapshots/state.redb")
    }

    /// Loads damaged bytes, and goes on from there: a later commit must never make a wrong state of them either.
    fn check(&self, bytes: &[u8], what: &str) -> Found {
        drop(fs::remove_dir_all(self.home.path().join("damaged")));
        fs::write(self.path(), bytes).unwrap();
        let store = store_in(self.home.path());
        let found = match store.load().unwrap() {
            Loaded::Whole { state, .. } => {
                let root = state.root();
                assert!(self.states[..3].iter().any(|state| state.root() == root), "{what}: a wrong state");
                Found::Whole(root)
            }
            Loaded::Damaged { remains, set_aside } => {
                assert!(fs::read(&set_aside.path).is_ok(), "{what}: {set_aside}");
                self.use_remains(&remains);
                Found::Damaged
            }
            Loaded::Empty => Found::Empty,
        };
        let next = &self.states[3];
        store.commit(next, None).unwrap();
        drop(store);
        let after = whole_root(&store_in(self.home.path()));
        assert!(after.is_none_or(|root| root == next.root()), "{what}: a wrong state after a commit");
        found
    }

    /// What remains is a state like any other to whoever uses it.
    fn use_remains(&self, remains: &Remains) {
        let pages = remains.application.pages().count() as u64;
        assert!(remains.application.root() != Digest::ZERO && pages <= remains.application.len());
    }
}

/// Offsets all over a file, the first pages more densely.
fn offsets(length: usize) -> impl Iterator<Item = usize> {
    let dense = (0..OFFSETS / 4).map(|number| number * 83);
    let spread = (0..OFFSETS * 3 / 4).map(move |number| number * (length / (OFFSETS * 3 / 4)) + number * 13 % 4096);
    dense.chain(spread).filter(move |offset| *offset < length)
}

fn tally(found: &[Found]) -> (usize, usize, usize) {
    let count = |wanted: fn(&Found) -> bool| found.iter().filter(|found| wanted(found)).count();
    let whole = count(|found| matches!(found, Found::Whole(_)));
    (whole, count(|found| matches!(found, Found::Damaged)), count(|found| matches!(found, Found::Empty)))
}

#[test]
fn a_flipped_bit_anywhere_gives_a_right_state_or_none() {
    for is_closed in [true, false] {
        let sample = sample(is_closed);
        assert_eq!(sample.check(&sample.intact, "intact"), Found::Whole(sample.states[2].root()));
        let found: Vec<_> = offsets(sample.intact.len())
            .map(|offset| {
                let mut bytes = sample.intact.clone();
                bytes[offset] ^= 1 << (offset % 8);
                sample.check(&bytes, &format!("bit at {offset}"))
            })
            .collect();
        let (whole, damaged, empty) = tally(&found);
        assert!(whole > 10 && damaged > 10 && empty == 0, "{whole} whole, {damaged} damaged, {empty} empty");
    }
}

#[test]
fn a_zeroed_block_anywhere_gives_a_right_state_or_none() {
    let sample = sample(true);
    for start in offsets(sample.intact.len()).map(|offset| offset / 4096 * 4096).step_by(3) {
        let mut bytes = sample.intact.clone();
        let end = bytes.len().min(start + 4096);
        bytes[start..end].fill(0);
        sample.check(&bytes, &format!("zeros at {start}"));
    }
}

#[test]
fn a_truncated_file_or_one_with_a_doubled_tail_gives_a_right_state_or_none() {
    let sample = sample(true);
    for offset in offsets(sample.intact.len()).step_by(3) {
        sample.check(&sample.intact[..offset], &format!("cut at {offset}"));
        let doubled = [&sample.intact[..], &sample.intact[offset..]].concat();
        sample.check(&doubled, &format!("doubled from {offset}"));
    }
    assert_eq!(sample.check(b"no store at all", "text"), Found::Damaged);
}

#[test]
fn what_could_be_read_of_a_damaged_store_is_handed_out() {
    let sample = sample(true);
    let marker = sample.states[2].application.range(&[]).nth(700).unwrap().1.to_vec();
    let at = sample.intact.windows(marker.len()).position(|window| window == marker);
    let mut bytes = sample.intact.clone();
    let mut from = at.unwrap();
    // Every copy of the value, old ones too.
    while let Some(next) = bytes[from..].windows(marker.len()).position(|window| window == marker) {
        bytes[from + next] ^= 1;
        from += next;
    }
    fs::write(sample.path(), bytes).unwrap();
    let store = store_in(sample.home.path());
    let Loaded::Damaged { remains, set_aside } = store.load().unwrap() else { panic!("not damaged") };
    assert!(set_aside.path.starts_with(sample.home.path().join("damaged")));
    assert_eq!(remains.clients.root(), sample.states[2].clients.root());
    assert_eq!(remains.application.len(), sample.states[2].application.len());
    assert_eq!(remains.application.changes_since(&sample.states[2].application).count(), 1);
    assert!(matches!(store.load().unwrap(), Loaded::Empty), "the store begins anew");
}

#[test]
fn damaged_stores_never_take_each_others_place() {
    let sample = sample(true);
    for number in 1..=3 {
        fs::write(sample.path(), b"damaged").unwrap();
        assert!(matches!(store_in(sample.home.path()).load().unwrap(), Loaded::Damaged { .. }));
        assert_eq!(fs::read_dir(sample.home.path().join("damaged")).unwrap().count(), number);
    }
}

#[test]
fn a_damaged_simulated_store_gives_what_remains() {
    let state = &history(300, 1)[0];
    for choice in (0..40_000).step_by(397) {
        let store = MemoryPageStore::new(&genesis());
        assert!(!store.damage(choice), "nothing is there to be damaged");
        store.commit(state, None).unwrap();
        assert!(store.damage(choice));
        store.restart();
        assert!(matches!(store.load().unwrap(), Loaded::Damaged { .. }), "{choice}");
        assert!(matches!(store.load().unwrap(), Loaded::Empty));
    }
}
