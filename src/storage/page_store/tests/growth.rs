//! The file does not grow without bound.

use bytes::Bytes;
use quorate_crypto::Hasher;

use super::samples::{fill, state_at, store_in, whole_root};
use crate::execution::state::State;
use crate::storage::page_store::PageStore;

fn file_bytes(home: &std::path::Path) -> u64 {
    std::fs::metadata(home.join("snapshots/state.redb")).unwrap().len()
}

#[test]
fn hundreds_of_commits_reuse_the_room_of_what_they_replace() {
    let home = tempfile::tempdir().unwrap();
    let store = store_in(home.path());
    let mut application = State::new();
    fill(&mut application, 0..10_000, 0);
    let mut most = [0, 0];
    for seq in 1..=300 {
        fill(&mut application, seq * 97 % 9_000..seq * 97 % 9_000 + 200, seq);
        store.commit(&state_at(seq, State::new(), application.clone()), None).unwrap();
        let half = &mut most[usize::from(seq > 150)];
        *half = file_bytes(home.path()).max(*half);
    }
    assert!(most[1] <= most[0], "{most:?}");
    assert!(most[1] < 6 * application.weight(), "{most:?} for {}", application.weight());
}

#[test]
fn the_room_of_a_large_transfer_is_given_back() {
    let home = tempfile::tempdir().unwrap();
    let store = store_in(home.path());
    for round in 0..12u64 {
        let node = |number| (Hasher::new("node").u64(round).u64(number).finish(), Bytes::from(vec![7; 64 << 10]));
        store.stage(&(0..128).map(node).collect::<Vec<_>>()).unwrap();
    }
    let mut application = State::new();
    fill(&mut application, 0..1_000, 0);
    let large = file_bytes(home.path());
    assert!(large > 96 << 20, "{large}");
    store.clear_staging().unwrap();
    let state = state_at(1, State::new(), application.clone());
    store.commit(&state, None).unwrap();
    assert!(file_bytes(home.path()) < 16 << 20, "{}", file_bytes(home.path()));
    assert_eq!(whole_root(&store), Some(state.root()));
}
