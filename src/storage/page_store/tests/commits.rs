//! What is committed is loaded, and only changed pages are written.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;

use super::samples::{certificate, fill, genesis, history, state_at, store_in, whole_root};
use crate::execution::state::State;
use crate::genesis::Genesis;
use crate::storage::page_store::{DiskPageStore, Loaded, MemoryPageStore, PageStore};
use crate::storage::{Disk, SystemDisk};

/// A value of this length under one of a few keys, or none.
fn edits() -> impl Strategy<Value = Vec<(u8, Option<usize>)>> {
    vec((0u8..60, prop::option::weighted(0.7, 0usize..900)), 0..40)
}

fn edit(state: &mut State, edits: &[(u8, Option<usize>)]) {
    for (key, value) in edits {
        let key = vec![key / 8, key % 8 * 0x11];
        match value {
            Some(length) => state.insert(&key, &vec![key[1]; *length]).unwrap(),
            None => drop(state.remove(&key)),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_edits_are_loaded_again_and_cost_the_pages_that_they_changed(rounds in vec((edits(), edits(), any::<bool>()), 1..6)) {
        let home = tempfile::tempdir().unwrap();
        let (mut disk, memory) = (store_in(home.path()), MemoryPageStore::new(&genesis()));
        let (mut clients, mut application) = (State::new(), State::new());
        for (seq, (client_edits, application_edits, restarts)) in (1..).zip(rounds) {
            let (clients_before, application_before) = (clients.clone(), application.clone());
            edit(&mut clients, &client_edits);
            edit(&mut application, &application_edits);
            let state = state_at(seq, clients.clone(), application.clone());
            let changed = clients.changes_since(&clients_before).count() + application.changes_since(&application_before).count();
            for store in [&disk as &dyn PageStore, &memory] {
                prop_assert_eq!(store.commit(&state, None).unwrap().pages, changed as u64);
            }
            if restarts {
                drop(disk);
                disk = store_in(home.path());
                memory.restart();
            }
            for store in [&disk as &dyn PageStore, &memory] {
                prop_assert_eq!(whole_root(store), Some(state.root()));
            }
        }
    }
}

#[test]
fn a_new_store_is_empty_and_stays_so_when_it_is_opened_again() {
    let home = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        assert!(matches!(store_in(home.path()).load().unwrap(), Loaded::Empty));
    }
}

#[test]
fn position_and_certificate_are_those_of_the_last_commit() {
    let home = tempfile::tempdir().unwrap();
    let states = history(300, 3);
    for state in &states {
        let certificate = (state.position.seq.0 != 2).then(|| certificate(state));
        let store = store_in(home.path());
        assert!(store.load().is_ok());
        store.commit(state, certificate.as_ref()).unwrap();
        drop(store);
        match store_in(home.path()).load().unwrap() {
            Loaded::Whole { state: loaded, certificate: with } => {
                assert_eq!((loaded.position, with), (state.position, certificate));
            }
            other @ (Loaded::Damaged { .. } | Loaded::Empty) => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_commit_without_a_load_before_it_replaces_whatever_was_there() {
    let home = tempfile::tempdir().unwrap();
    let states = history(300, 2);
    store_in(home.path()).commit(&states[0], None).unwrap();
    let other = state_at(9, State::new(), State::new());
    store_in(home.path()).commit(&other, None).unwrap();
    assert_eq!(whole_root(&store_in(home.path())), Some(other.root()));
}

#[test]
fn what_another_process_wrote_meanwhile_is_no_base_for_the_next_commit() {
    let home = tempfile::tempdir().unwrap();
    let states = history(300, 3);
    let store = store_in(home.path());
    store.commit(&states[0], None).unwrap();
    // Somebody put an older copy of the file back.
    let path = home.path().join("snapshots/state.redb");
    let copy = std::fs::read(&path).unwrap();
    store.commit(&states[1], None).unwrap();
    drop(store);
    let store = store_in(home.path());
    assert_eq!(whole_root(&store), Some(states[1].root()));
    std::fs::write(&path, copy).unwrap();
    assert!(store.commit(&states[2], None).is_ok());
    drop(store);
    let after = store_in(home.path());
    assert!(whole_root(&after).is_none_or(|root| root == states[2].root()));
}

#[test]
fn the_state_of_another_network_is_set_aside() {
    let home = tempfile::tempdir().unwrap();
    store_in(home.path()).commit(&history(300, 1)[0], None).unwrap();
    let other = Genesis { network: "other".to_owned(), ..genesis() };
    let disk: Arc<dyn Disk> = Arc::new(SystemDisk { fsync: false });
    let store = DiskPageStore::new(home.path(), &other, disk);
    assert!(matches!(store.load().unwrap(), Loaded::Damaged { set_aside, .. } if set_aside.path.exists()));
    assert!(matches!(store.load().unwrap(), Loaded::Empty));
}

#[test]
fn a_thousand_changed_keys_write_their_pages_and_no_others() {
    let home = tempfile::tempdir().unwrap();
    let store = store_in(home.path());
    let mut application = State::new();
    fill(&mut application, 0..20_000, 0);
    let all = store.commit(&state_at(1, State::new(), application.clone()), None).unwrap();
    assert_eq!(all.pages, application.pages().count() as u64);
    fill(&mut application, 0..1_000, 1);
    let some = store.commit(&state_at(2, State::new(), application), None).unwrap();
    assert!(some.pages <= 1_000 && some.pages < all.pages / 2, "{} of {}", some.pages, all.pages);
}
