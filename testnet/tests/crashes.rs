//! All replicas are killed at once with SIGKILL in the middle of a run, and started again. The clients go on asking. No
//! acknowledged payment may be lost, and none may be executed twice.

#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeSet;

use quorate::ReplicaId;
use support::{assert_all_hold, cluster, pay, payments};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payments_survive_the_crash_of_all_replicas_once() {
    let mut cluster = cluster().await;
    let payments = payments(1_500);
    let mut load = pay(&cluster, &payments).await;
    let mut places = BTreeSet::new();
    while let Some(paid) = load.next().await {
        let posted = paid.result.unwrap();
        assert!(places.insert((posted.seq, posted.index)), "{posted:?} was told before");
        if places.len() == 500 {
            for replica in 0..4 {
                cluster.kill(ReplicaId(replica)).await.unwrap();
            }
            for replica in 0..4 {
                cluster.restart(ReplicaId(replica)).unwrap();
            }
        }
    }
    assert_eq!(places.len(), payments.len());
    assert_all_hold(&cluster, &payments).await;
    cluster.stop().await.unwrap();
}
