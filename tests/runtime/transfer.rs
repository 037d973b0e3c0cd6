//! A replica that the log does not bring up any more gets the state of the others, goes on from there, and counts nothing
//! twice.

use std::path::Path;

use quorate::runtime::RunningReplica;
use quorate::{NodeConfig, ReplicaId};

use crate::hub::Hub;
use crate::{add, reaches, start_all, stop_all};

/// A network in which a state is fetched as soon as a replica is more than two windows behind.
pub fn hub() -> Hub {
    let mut hub = Hub::new(4);
    hub.config = NodeConfig { catch_up_slots_max: 32, ..hub.config };
    hub
}

/// The last replica is away while the others fill some hundred slots.
pub async fn leave_behind(hub: &Hub, folder: &Path) -> Vec<RunningReplica> {
    let mut replicas = start_all(hub, folder, 4);
    let client = hub.client();
    add(&client, 20).await;
    hub.disconnect(ReplicaId(3));
    replicas.pop().unwrap().stop().unwrap();
    for _ in 0..80 {
        add(&client, 5).await;
    }
    assert!(replicas.iter().all(|replica| replica.view().executed > 64));
    replicas
}

fn fetched_nodes(replica: &RunningReplica) -> u64 {
    let metrics = replica.metrics();
    let line = metrics.lines().find_map(|line| line.strip_prefix("quorate_transfer_nodes_total "));
    line.unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_far_behind_fetches_the_state_and_goes_on_from_it() {
    let folder = tempfile::tempdir().unwrap();
    let hub = hub();
    let mut replicas = leave_behind(&hub, folder.path()).await;
    let back = hub.start(folder.path(), ReplicaId(3));
    reaches(&back, 420).await;
    assert!(fetched_nodes(&back) > 0, "{:?}", back.view());
    assert_eq!(back.view().transfer, None, "it is over");
    assert_eq!(add(&hub.client(), 1).await, 421);
    reaches(&back, 421).await;

    // What was installed is there after the next start.
    hub.disconnect(ReplicaId(3));
    back.stop().unwrap();
    let again = hub.start(folder.path(), ReplicaId(3));
    reaches(&again, 421).await;
    assert_eq!(add(&hub.client(), 1).await, 422);
    reaches(&again, 422).await;
    replicas.push(again);
    stop_all(replicas);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_begins_with_nothing_fetches_the_state() {
    let folder = tempfile::tempdir().unwrap();
    let hub = hub();
    let mut replicas = leave_behind(&hub, folder.path()).await;
    std::fs::remove_dir_all(folder.path().join("3")).unwrap();
    let new = hub.start(folder.path(), ReplicaId(3));
    reaches(&new, 420).await;
    assert!(fetched_nodes(&new) > 0, "{:?}", new.view());
    replicas.push(new);
    stop_all(replicas);
}
