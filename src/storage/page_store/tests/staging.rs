//! Nodes of a state that is being fetched.

use bytes::Bytes;
use quorate_crypto::{Digest, Hasher};

use super::samples::{genesis, history, store_in, whole_root};
use crate::storage::page_store::{Loaded, MemoryPageStore, PageStore};

fn node(number: u64) -> (Digest, Bytes) {
    (Hasher::new("node").u64(number).finish(), vec![number as u8; 100].into())
}

#[test]
fn staged_nodes_outlive_a_restart_and_a_commit_until_they_are_cleared() {
    let home = tempfile::tempdir().unwrap();
    let memory = MemoryPageStore::new(&genesis());
    let nodes: Vec<_> = (0..50).map(node).collect();
    let state = &history(50, 1)[0];
    for store in [&store_in(home.path()) as &dyn PageStore, &memory] {
        assert!(matches!(store.load().unwrap(), Loaded::Empty));
        store.stage(&nodes[..30]).unwrap();
        store.stage(&nodes[30..]).unwrap();
    }
    memory.restart();
    for store in [&store_in(home.path()) as &dyn PageStore, &memory] {
        assert!(matches!(store.load().unwrap(), Loaded::Empty), "staged nodes are no state");
        for (hash, node) in &nodes {
            assert_eq!(store.staged(hash).unwrap().as_ref(), Some(node));
        }
        assert_eq!(store.staged(&node(99).0).unwrap(), None);
        store.commit(state, None).unwrap();
        assert!(store.staged(&nodes[0].0).unwrap().is_some());
        store.clear_staging().unwrap();
        assert_eq!(store.staged(&nodes[0].0).unwrap(), None);
        assert_eq!(whole_root(store), Some(state.root()));
    }
}

#[test]
fn a_store_in_which_nothing_was_staged_has_no_node_and_can_be_cleared() {
    let home = tempfile::tempdir().unwrap();
    let store = store_in(home.path());
    assert_eq!(store.staged(&node(1).0).unwrap(), None);
    store.clear_staging().unwrap();
    assert!(matches!(store.load().unwrap(), Loaded::Empty));
}
