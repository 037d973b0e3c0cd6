//! Verified nodes on the disk until the state they belong to is durable, so that a fetch goes on after a restart.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use quorate_crypto::Digest;

use crate::execution::state_fetch::StagedNodes;
use crate::runtime::queue::Queue;
use crate::runtime::snapshotter::SnapshotOrder;
use crate::storage::PageStore;

/// Nodes are written in batches of so many bytes: each waits for the disk. What a smaller state has is fetched again.
const BATCH_BYTES: usize = 8 << 20;
/// Bytes that wait for the disk at most. What does not fit is not staged, and fetched again after a restart.
const WAITING_BYTES_MAX: usize = 32 << 20;
/// After so many nodes in a row that are not on the disk, no more are looked for: nothing of that state was staged.
const MISSES_MAX: u32 = 512;

/// Collects what is to be staged.
pub(in crate::runtime) struct Staging {
    store: Arc<dyn PageStore>,
    orders: Queue<SnapshotOrder>,
    nodes: Vec<(Digest, Bytes)>,
    bytes: usize,
    /// Whether there may be nodes on the disk.
    is_used: bool,
}

impl Staging {
    /// The snapshotter writes what is staged.
    pub(in crate::runtime) fn new(store: Arc<dyn PageStore>, orders: Queue<SnapshotOrder>) -> Self {
        Staging { store, orders, nodes: Vec::new(), bytes: 0, is_used: true }
    }

    /// What an earlier fetch has left behind.
    pub(super) fn staged(&self) -> Arc<dyn StagedNodes> {
        Arc::new(StagedOnDisk { store: Arc::clone(&self.store), misses: AtomicU32::new(0) })
    }

    /// Takes verified nodes. Never waits for the disk.
    pub(super) fn add(&mut self, nodes: Vec<(Digest, Bytes)>) {
        self.bytes += nodes.iter().map(|(_, node)| node.len()).sum::<usize>();
        self.nodes.extend(nodes);
        if self.bytes < BATCH_BYTES {
            return;
        }
        self.is_used = true;
        let batch = SnapshotOrder::Stage(std::mem::take(&mut self.nodes));
        match self.orders.offer(batch) {
            Err(SnapshotOrder::Stage(nodes)) if self.bytes < WAITING_BYTES_MAX => self.nodes = nodes,
            Ok(()) | Err(_) => self.bytes = 0,
        }
    }

    /// The fetch is over.
    pub(super) fn clear(&mut self) {
        self.nodes = Vec::new();
        self.bytes = 0;
    }

    /// Nothing that was staged is needed any more, on the disk neither.
    pub(super) fn discard(&mut self) {
        self.clear();
        if std::mem::take(&mut self.is_used) {
            self.orders.replace(SnapshotOrder::is_stage, SnapshotOrder::ClearStaging);
        }
    }
}

#[derive(Debug)]
struct StagedOnDisk {
    store: Arc<dyn PageStore>,
    misses: AtomicU32,
}

impl StagedNodes for StagedOnDisk {
    fn node(&self, hash: &Digest) -> Option<Bytes> {
        if self.misses.load(Ordering::Relaxed) >= MISSES_MAX {
            return None;
        }
        // What the disk does not give is fetched; if the disk has failed, the next thing that is written says so.
        let node = self.store.staged(hash).unwrap_or_default();
        match node {
            Some(_) => self.misses.store(0, Ordering::Relaxed),
            None => drop(self.misses.fetch_add(1, Ordering::Relaxed)),
        }
        node
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genesis::{Genesis, Limits};
    use crate::storage::MemoryPageStore;
    use crate::types::WallTime;

    fn store() -> Arc<dyn PageStore> {
        let genesis = Genesis {
            version: crate::codec::FORMAT_VERSION,
            network: "test".to_owned(),
            time: WallTime(1),
            limits: Limits::default(),
            committee: crate::Committee::new(vec![quorate_crypto::KeyPair::from_seed(&[1; 32]).public()]).unwrap(),
            clients: Vec::new(),
        };
        Arc::new(MemoryPageStore::new(&genesis))
    }

    fn digest(number: u64) -> Digest {
        quorate_crypto::Hasher::new("staging").u64(number).finish()
    }

    #[test]
    fn batches_go_to_the_disk_and_what_finds_no_room_for_long_is_dropped() {
        let orders = Queue::new(1);
        let mut staging = Staging::new(store(), orders.clone());
        let node = |number| vec![(digest(number), Bytes::from(vec![0; 1 << 20]))];
        for number in 0..100 {
            staging.add(node(number));
            assert!(staging.bytes < WAITING_BYTES_MAX);
        }
        let waiting = orders.take(9, None).unwrap();
        assert!(matches!(&waiting[..], [SnapshotOrder::Stage(nodes)] if nodes.len() == 8));
    }

    #[test]
    fn nodes_of_a_fetch_that_is_not_needed_any_more_do_not_stay_on_the_disk() {
        let orders = Queue::new(1);
        let mut staging = Staging::new(store(), orders.clone());
        staging.discard();
        assert!(
            matches!(&orders.take(9, None).unwrap()[..], [SnapshotOrder::ClearStaging]),
            "those of an earlier start"
        );
        staging.add(vec![(digest(1), Bytes::from(vec![0; BATCH_BYTES]))]);
        staging.discard();
        assert!(
            matches!(&orders.take(9, None).unwrap()[..], [SnapshotOrder::ClearStaging]),
            "what waits is not written"
        );
        staging.discard();
        orders.close();
        assert!(orders.take(9, None).is_none(), "there is nothing to delete");
    }

    #[test]
    fn a_disk_without_staged_nodes_is_not_asked_for_ever() {
        let store = store();
        let staged = Staging::new(Arc::clone(&store), Queue::new(1)).staged();
        store.stage(&[(digest(0), Bytes::from_static(b"node"))]).unwrap();
        (1..u64::from(MISSES_MAX)).for_each(|number| assert_eq!(staged.node(&digest(number)), None));
        assert!(staged.node(&digest(0)).is_some());
        (1..=u64::from(MISSES_MAX)).for_each(|number| assert_eq!(staged.node(&digest(number)), None));
        assert_eq!(staged.node(&digest(0)), None);
    }
}
