//! A cluster to which nobody says anything. Time passes, hearts beat, nothing is kept of it.
//!
//! Keeps out: 26 (an idle cluster starts view changes), 51 (memory that grows on an idle cluster).

use std::time::Duration;

use quorate::View;

use crate::support::{Cluster, K, L};

/// Everything that a replica keeps, written out: pool, window, votes, view changes, checkpoints, peers.
fn sizes(cluster: &Cluster) -> Vec<usize> {
    cluster.ids().map(|id| format!("{:?}", cluster.replica(id)).len()).collect()
}

#[test]
fn ten_idle_minutes_leave_no_memory_nor_records_behind_and_change_no_view() {
    let mut cluster = Cluster::new(4);
    for number in 1..=L + K + 2 {
        cluster.submit(0, number);
    }
    // Long enough for all that the last request left behind, and for clocks to have the digits that they keep.
    cluster.pass(Duration::from_secs(120));
    let before = sizes(&cluster);
    let written: Vec<_> = cluster.nodes.iter().map(|node| node.journal.len()).collect();
    let said: Vec<_> = cluster.nodes.iter().map(|node| node.notices.len()).collect();
    cluster.pass(Duration::from_secs(600));
    for (before, after) in before.iter().zip(sizes(&cluster)) {
        assert!(after <= before + 64, "it grew from {before} to {after}");
    }
    assert_eq!(cluster.nodes.iter().map(|node| node.journal.len()).collect::<Vec<_>>(), written);
    assert_eq!(cluster.nodes.iter().map(|node| node.notices.len()).collect::<Vec<_>>(), said);
    for id in cluster.ids() {
        assert_eq!((cluster.replica(id).load(), cluster.replica(id).view()), ((0, 0), View(0)), "replica {id}");
    }
}
