//! States and stores.

use std::path::Path;
use std::sync::Arc;

use quorate_crypto::{Digest, Hasher, KeyPair};

use crate::committee::Committee;
use crate::execution::state::State;
use crate::execution::{Position, ReplicatedState};
use crate::genesis::{Genesis, Limits};
use crate::messages::{Checkpoint, CheckpointCertificate};
use crate::storage::page_store::{DiskPageStore, Loaded, PageStore};
use crate::storage::{Disk, SystemDisk};
use crate::types::{SeqNum, WallTime};

/// Tests need no durability of the machine's own disk.
pub(super) const SYSTEM: SystemDisk = SystemDisk { fsync: false };

pub(super) fn genesis() -> Genesis {
    let members = (1..=4).map(|member| KeyPair::from_seed(&[member; 32]).public()).collect();
    Genesis {
        version: 1,
        network: "test".to_owned(),
        time: WallTime(1),
        limits: Limits::default(),
        committee: Committee::new(members).unwrap(),
        clients: Vec::new(),
    }
}

/// The store of a home, as a process that starts finds it.
pub(super) fn store_on(disk: Arc<dyn Disk>, home: &Path) -> DiskPageStore {
    for folder in [home.to_path_buf(), home.join("snapshots")] {
        drop(disk.create_folder(&folder));
    }
    DiskPageStore::new(home, &genesis(), disk)
}

pub(super) fn store_in(home: &Path) -> DiskPageStore {
    store_on(Arc::new(SYSTEM), home)
}

/// The state after a slot with these two parts.
pub(super) fn state_at(seq: u64, clients: State, application: State) -> ReplicatedState {
    let chain = Hasher::new("test chain").u64(seq).finish();
    let position = Position { chain_id: genesis().chain_id(), seq: SeqNum(seq), chain, time: WallTime(seq) };
    ReplicatedState { position, clients, application }
}

/// Keys and values spread evenly: about 100 bytes each.
pub(super) fn fill(state: &mut State, numbers: std::ops::Range<u64>, round: u64) {
    for number in numbers {
        let digest = |tag, salt| *Hasher::new(tag).u64(number).u64(salt).finish().as_bytes();
        let value = [digest("value", round), digest("more", round)].concat();
        state.insert(&digest("key", 0), &value[..60]).unwrap();
    }
}

/// States of about this many entries, each a few changes after the one before.
pub(super) fn history(entries: u64, count: u64) -> Vec<ReplicatedState> {
    let (mut clients, mut application) = (State::new(), State::new());
    fill(&mut application, 0..entries, 0);
    let step = |seq: u64| {
        fill(&mut clients, 0..20, seq);
        fill(&mut application, seq * 7..seq * 7 + 12, seq);
        state_at(seq, clients.clone(), application.clone())
    };
    (1..=count).map(step).collect()
}

/// Nobody looks at signatures here.
pub(super) fn certificate(state: &ReplicatedState) -> CheckpointCertificate {
    let checkpoint = Checkpoint { seq: state.position.seq, root: state.root() };
    CheckpointCertificate { checkpoint, signatures: Vec::new() }
}

/// The root of the state that a store holds whole.
pub(super) fn whole_root(store: &dyn PageStore) -> Option<Digest> {
    match store.load().unwrap() {
        Loaded::Whole { state, .. } => Some(state.root()),
        Loaded::Damaged { .. } | Loaded::Empty => None,
    }
}
