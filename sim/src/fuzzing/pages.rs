//! The file of durable snapshots with content that nobody wrote: it gives the right state or none, and goes on.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use quorate::execution::state::State;
use quorate::execution::{Position, ReplicatedState};
use quorate::storage::page_store::{DiskPageStore, Loaded, PageStore};
use quorate::storage::{Disk, FailureClass, StorageError};
use quorate::{SeqNum, WallTime};

use super::cast::{Cast, digest};
use super::edits;
use crate::choices::Choices;
use crate::disk::{DiskCopy, SimDisk};

const HOME: &str = "home";
const FILE: &str = "home/snapshots/state.redb";
/// A damaged file may ask for any length: more than this is a full disk.
const ROOM_BYTES: u64 = 16 << 20;

/// A store with a state, and the states before and after it.
struct Sample {
    disk: DiskCopy,
    states: Vec<ReplicatedState>,
}

/// Edits of the file; an input without any leaves it whole.
pub fn page_store(bytes: &[u8]) {
    let mut choices = Choices::from_bytes(bytes.to_vec());
    let disk = SimDisk::default();
    disk.restore(&sample().disk);
    let edits = choices.below(5);
    for _ in 0..edits {
        edits::edit(&disk, Path::new(FILE), &mut choices);
    }
    let found = check(&disk);
    assert!(edits > 0 || found == Some(sample().states[1].position.seq), "a whole store is found whole");
}

/// The file is these bytes.
pub fn page_file(bytes: &[u8]) {
    let disk = SimDisk::default();
    disk.restore(&sample().disk);
    edits::write(&disk, Path::new(FILE), bytes);
    check(&disk);
}

/// What a process finds, and the next one after a commit. Gives back up to where the first state goes.
fn check(disk: &SimDisk) -> Option<SeqNum> {
    disk.leave_room(Some(ROOM_BYTES));
    let states = &sample().states;
    let store = store(disk);
    let found = found_in(&store, &states[..2]);
    match store.commit(&states[2], None) {
        Ok(_) => {
            drop(store);
            let after = found_in(&self::store(disk), &states[2..]);
            assert!(after == Some(states[2].position.seq), "what was committed is found whole: {after:?}");
        }
        Err(error) => assert_is_full(&error),
    }
    found
}

/// Loads the store; a state in it is one of these.
fn found_in(store: &DiskPageStore, states: &[ReplicatedState]) -> Option<SeqNum> {
    match store.load() {
        Ok(Loaded::Whole { state, .. }) => {
            assert!(states.iter().any(|known| known.root() == state.root()), "a wrong state");
            Some(state.position.seq)
        }
        Ok(Loaded::Damaged { remains, .. }) => {
            let (len, pages) = (remains.application.len(), remains.application.pages().count() as u64);
            assert!(pages <= len.max(1), "what remains is a state");
            None
        }
        Ok(Loaded::Empty) => None,
        Err(error) => {
            assert_is_full(&error);
            None
        }
    }
}

/// Only a full disk keeps a store from being used.
fn assert_is_full(error: &StorageError) {
    assert!(matches!(error.class(), FailureClass::Io), "{error}");
}

fn store(disk: &SimDisk) -> DiskPageStore {
    DiskPageStore::new(Path::new(HOME), &Cast::get().genesis, Arc::new(disk.clone()))
}

fn sample() -> &'static Sample {
    static SAMPLE: OnceLock<Sample> = OnceLock::new();
    SAMPLE.get_or_init(|| {
        let disk = SimDisk::default();
        for folder in [HOME, "home/snapshots"] {
            disk.create_folder(Path::new(folder)).expect("an empty disk");
        }
        let states: Vec<_> = (1..=3).map(state).collect();
        let store = store(&disk);
        for state in &states[..2] {
            store.commit(state, None).expect("a whole disk");
        }
        drop(store);
        Sample { disk: disk.copy(), states }
    })
}

fn state(seq: u64) -> ReplicatedState {
    let mut application = State::new();
    for number in 0..30 + seq {
        let value = digest(&format!("value {} {number}", if number % 7 == seq { seq } else { 0 }));
        application.insert(digest(&format!("key {number}")).as_bytes(), value.as_bytes()).expect("within the limits");
    }
    let (chain_id, chain) = (Cast::get().genesis.chain_id(), digest(&format!("chain {seq}")));
    let position = Position { chain_id, seq: SeqNum(seq), chain, time: WallTime(seq) };
    ReplicatedState { position, clients: State::new(), application }
}
