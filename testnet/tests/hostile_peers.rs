//! Peers that nobody invited, and invited ones that break the rules, against running processes: each is refused, and
//! the payments of everybody else go on.

#![allow(clippy::unwrap_used)]

#[path = "support/rogue_peers.rs"]
mod rogue_peers;
mod support;

use std::sync::Arc;

use quorate::ReplicaId;
use quorate_crypto::KeyPair;
use quorate_ledger::Transfer;
use quorate_node::NodeHome;
use quorate_testnet::Cluster;
use rogue_peers::{BULK, CLIENT, MEMBER, Rogue, hello, write};
use support::{assert_all_hold, cluster, pay, payments};

/// Has all payments paid.
async fn all_paid(cluster: &Cluster, payments: &Arc<[Transfer]>) {
    let mut load = pay(cluster, payments).await;
    while let Some(paid) = load.next().await {
        paid.result.unwrap();
    }
}

fn home(cluster: &Cluster, replica: usize) -> NodeHome {
    NodeHome::load(&cluster.network().replicas[replica]).unwrap()
}

/// A connection to `target` for members, under the key of replica 0.
async fn as_member(cluster: &Cluster, target: &NodeHome) -> Rogue {
    let listen = target.settings().listen.members;
    Rogue::connect(home(cluster, 0).key(), MEMBER, (target.key(), listen)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_garbage_and_enormous_frames_are_refused_and_the_network_goes_on() {
    let mut cluster = cluster().await;
    let target = home(&cluster, 3);
    let listen = target.settings().listen;
    let stranger = KeyPair::from_seed(&[9; 32]);
    Rogue::connect(&stranger, MEMBER, (target.key(), listen.members)).await.closed().await;
    Rogue::connect(&stranger, CLIENT, (target.key(), listen.clients)).await.closed().await;

    // The rogue takes the place of replica 0, which is the primary and one that may be faulty.
    cluster.kill(ReplicaId(0)).await.unwrap();
    let hello = hello(target.genesis().chain_id(), BULK);
    let garbage = [0xFF; 64];
    let frame_of_one_gibibyte = [1, 0, 0, 0, 0x40];
    for bytes in [&garbage[..], &frame_of_one_gibibyte[..]] {
        let mut rogue = as_member(&cluster, &target).await;
        let (mut stream, verdict) = rogue.say(&hello).await;
        assert_eq!(verdict, 0, "the key is a member's");
        write(&mut stream, bytes).await;
        rogue.closed().await;
    }

    let payments = payments(300);
    all_paid(&cluster, &payments).await;
    cluster.check().unwrap();
    cluster.restart(ReplicaId(0)).unwrap();
    assert_all_hold(&cluster, &payments).await;
    cluster.stop().await.unwrap();
}
