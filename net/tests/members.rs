//! Two members on real sockets: order, classes, loss and return of a peer, limits.

#![allow(clippy::unwrap_used)]

mod support;

use std::sync::{Arc, Condvar, Mutex};

use bytes::Bytes;
use quorate::ReplicaId;
use quorate_net::{Class, DropReason, MemberHandler, MemberNet, SendOutcome};
use support::{PATIENCE, Recorder, linked_pair, loopback, number_of, numbered, pair_config, queued, recorder, start};

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

/// Holds up bulk frames until all votes have come.
struct VotesFirst {
    votes: Mutex<u32>,
    all_votes: Condvar,
    recorder: Arc<Recorder<ReplicaId>>,
}

impl MemberHandler for VotesFirst {
    fn frame(&self, from: ReplicaId, class: Class, frame: Bytes) {
        match class {
            Class::Vote => {
                *self.votes.lock().unwrap() += 1;
                self.all_votes.notify_all();
            }
            Class::Bulk => tokio::task::block_in_place(|| {
                let waiting =
                    self.all_votes.wait_timeout_while(self.votes.lock().unwrap(), PATIENCE, |votes| *votes < 16);
                assert!(!waiting.unwrap().1.timed_out(), "votes wait behind bulk frames");
            }),
        }
        self.recorder.frame(from, class, frame);
    }

    fn link(&self, peer: ReplicaId, up: bool) {
        self.recorder.link(peer, up);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn votes_arrive_while_large_frames_sent_before_them_are_stuck() {
    let (recorder, mut events) = recorder();
    let handler = VotesFirst { votes: Mutex::default(), all_votes: Condvar::new(), recorder };
    let one = MemberNet::start(pair_config(1, loopback()), Arc::new(handler)).await.unwrap();
    let mut zero = start(pair_config(0, one.listen_address())).await;
    zero.events.link(ReplicaId(1), true).await;
    for number in 0..16 {
        queued(zero.net.send(ReplicaId(1), Class::Bulk, numbered(number, 1 << 20)));
    }
    for number in 0..16 {
        queued(zero.net.send(ReplicaId(1), Class::Vote, numbered(number, 150)));
    }
    for _ in 0..32 {
        events.frame().await;
    }
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_queued_at_an_orderly_shutdown_still_arrives() {
    let (zero, mut one) = linked_pair().await;
    for number in 0..500 {
        queued(zero.net.send(ReplicaId(1), Class::Vote, numbered(number, 150)));
        queued(zero.net.send(ReplicaId(1), Class::Bulk, numbered(number, 10_000)));
        queued(one.net.send(ReplicaId(0), Class::Bulk, numbered(number, 10_000)));
    }
    zero.net.shutdown().await;
    let mut next = [0, 0];
    while next != [500, 500] {
        let (_, class, frame) = one.events.frame().await;
        let expected = &mut next[usize::from(class == Class::Bulk)];
        assert_eq!(number_of(&frame), *expected);
        *expected += 1;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_dies_without_a_word_is_noticed() {
    let (mut zero, one) = linked_pair().await;
    drop(one.net);
    zero.events.link(ReplicaId(1), false).await;
}
