//! Running replicas with real threads, clocks and files, in one process. A client submits; replicas are cut off,
//! stopped and started again from their homes; in the end all have executed the same history.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod hub;
mod slow_disk;
mod snapshots;
mod transfer;

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use hub::Hub;
use quorate::ReplicaId;
use quorate::client::Client;
use quorate::outcome::Outcome;
use quorate::runtime::RunningReplica;

/// Submits `count` ones at the same time and waits for all results.
async fn add(client: &Client, count: usize) -> u64 {
    let calls: Vec<_> = (0..count)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.submit(Bytes::from_static(&[1])).await.unwrap().outcome })
        })
        .collect();
    let mut highest = 0;
    for call in calls {
        let Outcome::Done(sum) = call.await.unwrap() else { panic!("refused") };
        highest = highest.max(u64::from_le_bytes(sum.as_ref().try_into().unwrap()));
    }
    highest
}

async fn sum(replica: &RunningReplica) -> u64 {
    let (_, outcome) = replica.reader().read(b"sum".to_vec()).await.unwrap();
    let Outcome::Done(bytes) = outcome else { panic!("{outcome:?}") };
    bytes.as_ref().try_into().map_or(0, u64::from_le_bytes)
}

/// Waits until a replica has added up to `expected`, and the report of it has come to its core.
async fn reaches(replica: &RunningReplica, expected: u64) {
    let mut poll = tokio::time::interval(Duration::from_millis(5));
    let wait = async {
        while sum(replica).await != expected || replica.view().executed < replica.view().ordered {
            poll.tick().await;
        }
    };
    if tokio::time::timeout(Duration::from_secs(30), wait).await.is_err() {
        panic!("{} of {expected}: {:?}", sum(replica).await, replica.view());
    }
}

/// Waits until a replica's metrics have this line.
async fn counts(replica: &RunningReplica, line: &str) {
    let mut poll = tokio::time::interval(Duration::from_millis(5));
    let wait = async {
        while !replica.metrics().lines().any(|counted| counted == line) {
            poll.tick().await;
        }
    };
    if tokio::time::timeout(Duration::from_secs(30), wait).await.is_err() {
        panic!("no line {line}: {}", replica.metrics());
    }
}

fn start_all(hub: &Hub, folder: &Path, n: u16) -> Vec<RunningReplica> {
    (0..n).map(|id| hub.start(folder, ReplicaId(id))).collect()
}

fn stop_all(replicas: Vec<RunningReplica>) {
    for replica in replicas {
        replica.stop().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn four_replicas_execute_what_a_client_submits_once_each() {
    let folder = tempfile::tempdir().unwrap();
    let hub = Hub::new(4);
    let replicas = start_all(&hub, folder.path(), 4);
    let client = hub.client();
    assert_eq!(add(&client, 300).await, 300);
    for replica in &replicas {
        reaches(replica, 300).await;
        counts(replica, "quorate_requests_executed_total 300").await;
    }
    stop_all(replicas);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_is_gone_is_replaced_and_catches_up_when_it_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let hub = Hub::new(4);
    let mut replicas = start_all(&hub, folder.path(), 4);
    let client = hub.client();
    add(&client, 50).await;
    hub.disconnect(ReplicaId(0));
    replicas.remove(0).stop().unwrap();
    for _ in 0..10 {
        add(&client, 20).await;
    }
    assert!(replicas.iter().all(|replica| replica.view().view >= 1));
    let back = hub.start(folder.path(), ReplicaId(0));
    reaches(&back, 250).await;
    assert_eq!(add(&client, 1).await, 251);
    reaches(&back, 251).await;
    stop_all(replicas);
    back.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_cluster_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let hub = Hub::new(4);
    let replicas = start_all(&hub, folder.path(), 4);
    add(&hub.client(), 120).await;
    stop_all(replicas);
    let hub = Hub::new(4);
    let replicas = start_all(&hub, folder.path(), 4);
    assert_eq!(add(&hub.client(), 30).await, 150);
    for replica in &replicas {
        reaches(replica, 150).await;
    }
    stop_all(replicas);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_replica_alone_serves_for_development_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let hub = Hub::new(1);
    let replicas = start_all(&hub, folder.path(), 1);
    assert_eq!(add(&hub.client(), 40).await, 40);
    stop_all(replicas);
    let hub = Hub::new(1);
    let replicas = start_all(&hub, folder.path(), 1);
    let client = hub.client();
    assert_eq!(add(&client, 1).await, 41);
    stop_all(replicas);
}

#[tokio::test(flavor = "multi_thread")]
async fn results_can_be_shown_to_third_parties() {
    let folder = tempfile::tempdir().unwrap();
    let hub = Hub::new(4);
    let replicas = start_all(&hub, folder.path(), 4);
    let client = hub.client();
    let result = client.submit(Bytes::from_static(&[7])).await.unwrap();
    let receipt = client.receipt(result).await.unwrap();
    assert!(receipt.is_for(&[7]));
    for _ in 0..12 {
        add(&client, 1).await; // Slots enough for a checkpoint, which a proof needs.
    }
    let proven = client.query_proven(Bytes::from_static(b"sum")).await.unwrap();
    assert!(proven.value.is_some());
    stop_all(replicas);
}
