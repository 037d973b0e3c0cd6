//! Two members on real sockets: order, classes, loss and return of a peer, limits.

mod support;

use quorate::ReplicaId;
use quorate_net::{Class, DropReason, SendOutcome};
use support::{linked_pair, number_of, numbered, pair_config, queued, start};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_arrive_in_order_per_class_in_both_directions() {
    let (mut zero, mut one) = linked_pair().await;
    for number in 0..2_000 {
        let (class, length) = if number % 10 == 0 { (Class::Bulk, 10_000) } else { (Class::Vote, 150) };
        queued(zero.net.send(ReplicaId(1), class, numbered(number, length)));
        queued(one.net.send(ReplicaId(0), class, numbered(number, length)));
    }
    for (node, peer) in [(&mut zero, ReplicaId(1)), (&mut one, ReplicaId(0))] {
        let (mut votes, mut bulk) = (Vec::new(), Vec::new());
        while votes.len() + bulk.len() < 2_000 {
            let (from, class, frame) = node.events.frame().await;
            assert_eq!(from, peer);
            match class {
                Class::Vote => votes.push(number_of(&frame)),
                Class::Bulk => bulk.push((number_of(&frame), frame.len())),
            }
        }
        assert!(votes.iter().copied().eq((0..2_000).filter(|n| n % 10 != 0)));
        assert!(bulk.iter().copied().eq((0..2_000).filter(|n| n % 10 == 0).map(|n| (n, 10_000))));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn votes_overtake_a_burst_of_large_frames_sent_before_them() {
    let (zero, mut one) = linked_pair().await;
    for number in 0..16 {
        queued(zero.net.send(ReplicaId(1), Class::Bulk, numbered(number, 1 << 20)));
    }
    for number in 0..16 {
        queued(zero.net.send(ReplicaId(1), Class::Vote, numbered(number, 150)));
    }
    let mut bulk_before_last_vote = 0;
    let mut votes = 0;
    while votes < 16 {
        match one.events.frame().await {
            (_, Class::Vote, frame) => {
                assert_eq!(number_of(&frame), votes);
                votes += 1;
            }
            (_, Class::Bulk, _) => bulk_before_last_vote += 1,
        }
    }
    assert!(bulk_before_last_vote < 8, "{bulk_before_last_vote} MiB came before the votes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_dies_is_noticed_and_comes_back_under_the_same_address() {
    let (mut zero, one) = linked_pair().await;
    let address = one.net.listen_address();
    one.net.shutdown().await;
    zero.events.link(ReplicaId(1), false).await;
    assert_eq!(zero.net.send(ReplicaId(1), Class::Vote, numbered(0, 150)), SendOutcome::Dropped(DropReason::LinkDown));
    let mut one = start(pair_config(1, address)).await;
    zero.events.link(ReplicaId(1), true).await;
    queued(zero.net.send(ReplicaId(1), Class::Vote, numbered(7, 150)));
    assert_eq!(number_of(&one.events.frame().await.2), 7);
}
