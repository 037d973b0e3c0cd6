//! A power failure at any moment of a commit leaves the state before or after it, and nothing is called damage.

use std::path::Path;
use std::sync::Arc;

use super::power::PowerDisk;
use super::samples::{genesis, history, store_on, whole_root};
use crate::execution::ReplicatedState;
use crate::storage::StorageError;
use crate::storage::page_store::{CrashPoint, Loaded, MemoryPageStore, PageStore};

/// A cheap sequence of choices.
struct Coin(u64);

impl Coin {
    fn toss(&mut self, per_mille: u64) -> bool {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % 1000 < per_mille
    }
}

fn home() -> &'static Path {
    Path::new("home")
}

/// A store with the first state in it, and how many operations on the disk the commit of the second takes.
fn measured(states: &[ReplicatedState]) -> u64 {
    let disk = PowerDisk::default();
    let store = store_on(Arc::new(disk.clone()), home());
    store.commit(&states[0], None).unwrap();
    let before = disk.operations();
    store.commit(&states[1], None).unwrap();
    disk.operations() - before
}

#[test]
fn a_power_failure_in_a_commit_leaves_the_state_before_or_after_it() {
    let states = history(1_500, 3);
    let operations = measured(&states);
    let (mut kept_old, mut took_new) = (0, 0);
    for (round, fails_after) in (0..=operations).cycle().take(3 * operations as usize + 3).enumerate() {
        let disk = PowerDisk::default();
        let store = store_on(Arc::new(disk.clone()), home());
        store.commit(&states[0], None).unwrap();
        disk.fail_after(fails_after);
        let committed = store.commit(&states[1], None).is_ok();
        drop(store);
        let (mut coin, kept) = (Coin(0x9e37_79b9 + round as u64), [0, 500, 1000][round % 3]);
        disk.restart(|| coin.toss(kept));
        let store = store_on(Arc::new(disk.clone()), home());
        let root = whole_root(&store);
        let is_new = root == Some(states[1].root());
        assert!(is_new || (!committed && root == Some(states[0].root())), "failed after {fails_after}");
        *(if is_new { &mut took_new } else { &mut kept_old }) += 1;
        store.commit(&states[2], None).unwrap();
        assert_eq!(whole_root(&store), Some(states[2].root()), "the store goes on");
    }
    assert!(kept_old > 3 && took_new > 3, "both sides are reached: {kept_old}, {took_new}");
}

#[test]
fn a_power_failure_while_a_store_is_made_leaves_none_or_an_empty_one() {
    let states = history(50, 1);
    for fails_after in 0..40 {
        let disk = PowerDisk::default();
        disk.fail_after(fails_after);
        let store = store_on(Arc::new(disk.clone()), home());
        let committed = store.commit(&states[0], None).is_ok();
        drop(store);
        let mut coin = Coin(7 + fails_after);
        disk.restart(|| coin.toss(500));
        match store_on(Arc::new(disk), home()).load().unwrap() {
            Loaded::Empty => assert!(!committed),
            Loaded::Whole { state, .. } => assert_eq!(state.root(), states[0].root()),
            damaged @ Loaded::Damaged { .. } => panic!("after {fails_after}: {damaged:?}"),
        }
    }
}

#[test]
fn a_full_disk_refuses_a_commit_keeps_the_state_and_takes_the_next_one_when_there_is_room() {
    let states = history(1_500, 2);
    let (disk, large) = (PowerDisk::default(), history(60_000, 1).remove(0));
    let store = store_on(Arc::new(disk.clone()), home());
    store.commit(&states[0], None).unwrap();
    disk.limit(Some(4 << 20));
    for _ in 0..2 {
        assert!(matches!(store.commit(&large, None), Err(StorageError::DiskFull { .. })));
    }
    assert_eq!(whole_root(&store), Some(states[0].root()));
    disk.limit(None);
    store.commit(&large, None).unwrap();
    drop(store);
    assert_eq!(whole_root(&store_on(Arc::new(disk), home())), Some(large.root()));
}

#[test]
fn the_simulated_store_crashes_before_or_after_a_commit() {
    let states = history(300, 2);
    for (point, left) in [(CrashPoint::Before, 0), (CrashPoint::After, 1)] {
        let store = MemoryPageStore::new(&genesis());
        store.commit(&states[0], None).unwrap();
        store.crash_in_next_commit(point);
        assert!(store.commit(&states[1], None).is_err());
        store.restart();
        assert_eq!(whole_root(&store), Some(states[left].root()));
        store.commit(&states[1], None).unwrap();
        assert_eq!(whole_root(&store), Some(states[1].root()));
    }
}
