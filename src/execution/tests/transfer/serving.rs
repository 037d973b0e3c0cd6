//! A serving replica holds the last two certified checkpoints and what is being fetched, answers peers in turn, and never
//! faster than its rate.

use std::time::Duration;

use super::network::{UNLIMITED, spread, state_at};
use crate::execution::{ServingRate, StateServer};
use crate::messages::state_transfer::{ENTRIES_BYTES_MAX, NODES_BYTES_MAX};
use crate::messages::{Extent, FetchNodes, NodePath, NodeRef, StateNode, Tree};
use crate::types::{Instant, ReplicaId, SeqNum};

fn at(seconds: u64) -> Instant {
    Instant(0).plus(Duration::from_secs(seconds))
}

fn held(server: &StateServer) -> Vec<u64> {
    server.held().map(|seq| seq.0).collect()
}

/// A question for the same large subtrees again and again.
fn question(number: u64, count: usize) -> FetchNodes {
    let state = state_at(8, spread(5_000, 0));
    let StateNode::Branch(root) = root_of(&state.application) else { panic!("a branch") };
    let path = NodePath::below(&root.prefix, root.nibbles, 0);
    let node = NodeRef { tree: Tree::Application, path, hash: root.children[0], extent: Extent::Subtree };
    FetchNodes { seq: SeqNum(8), number, nodes: vec![node; count] }
}

fn root_of(state: &crate::execution::state::State) -> StateNode {
    state.node(&NodePath::root(), &state.root(), Extent::Node).expect("its own root")
}

#[test]
fn the_last_two_checkpoints_are_held_and_an_older_one_while_it_is_fetched() {
    let mut server = StateServer::new(UNLIMITED);
    let state = |seq| state_at(seq, spread(1, 0));
    for seq in [1, 2, 3] {
        server.hold(state(seq), at(seq));
    }
    assert_eq!(held(&server), [2, 3]);
    assert!(server.head(SeqNum(2), at(3)).parts.is_some());
    for seq in [4, 5, 6] {
        server.hold(state(seq), at(seq));
    }
    assert_eq!(held(&server), [2, 5, 6], "2 was asked for");
    server.hold(state(20), at(20));
    assert_eq!(held(&server), [6, 20], "nobody asked for 2 in the last seconds");
    assert_eq!(server.head(SeqNum(2), at(20)).newest, SeqNum(20));
}

#[test]
fn nobody_pins_the_past_for_ever_or_more_than_two_checkpoints_of_it() {
    let mut server = StateServer::new(UNLIMITED);
    let mut most = 0;
    for second in 1..400 {
        server.hold(state_at(second, spread(1, 0)), at(second));
        for seq in 1..=second {
            server.head(SeqNum(seq), at(second));
        }
        most = most.max(server.held().count());
        assert!(server.held().next().is_some_and(|oldest| second - oldest.0 <= 121));
    }
    assert_eq!(most, 4);
}

#[test]
fn an_answer_is_bounded_and_holds_the_nodes_that_were_asked_for_first() {
    let mut server = StateServer::new(UNLIMITED);
    server.hold(state_at(8, spread(5_000, 0)), at(0));
    server.ask(ReplicaId(1), question(7, 256));
    let (to, answer) = server.answer(at(0)).unwrap();
    assert_eq!((to, answer.seq, answer.number), (ReplicaId(1), SeqNum(8), 7));
    let bytes: usize = answer.nodes.iter().map(StateNode::weight).sum();
    assert!(bytes > NODES_BYTES_MAX && bytes <= NODES_BYTES_MAX + ENTRIES_BYTES_MAX, "{bytes}");
    assert!(answer.nodes.len() < 256 && answer.exceeded().is_none());
    assert!(server.answer(at(1)).is_none());
    assert_eq!(server.deadline(), None);
}

#[test]
fn a_node_that_is_not_held_ends_the_answer() {
    let mut server = StateServer::new(UNLIMITED);
    server.hold(state_at(8, spread(5_000, 0)), at(0));
    let mut asked = question(1, 3);
    asked.nodes[1].hash = quorate_crypto::Digest::ZERO;
    server.ask(ReplicaId(1), asked);
    assert_eq!(server.answer(at(0)).unwrap().1.nodes.len(), 1);
    server.ask(ReplicaId(1), FetchNodes { seq: SeqNum(9), ..question(2, 3) });
    assert!(server.answer(at(0)).unwrap().1.nodes.is_empty());
}

#[test]
fn no_more_leaves_per_second_than_the_rates_allow_and_peers_take_turns() {
    let (total, peer) = (4 << 20, 1 << 20);
    let mut server = StateServer::new(ServingRate { total, peer });
    server.hold(state_at(8, spread(5_000, 0)), at(0));
    let (mut sent, mut now, asked) = ([0_u64; 3], at(0), question(1, 256));
    while now < at(20) {
        for id in 1..=2 {
            // One of the two asks as often as it can.
            (0..5).for_each(|_| server.ask(ReplicaId(id), asked.clone()));
        }
        if let Some((to, answer)) = server.answer(now) {
            sent[usize::from(to.0)] += answer.nodes.iter().map(|node| node.weight() as u64).sum::<u64>();
        }
        now = server.deadline().unwrap().max(now.plus(Duration::from_millis(1)));
    }
    let second = sent.map(|bytes| bytes / 20);
    assert!(second[1] <= peer + (1 << 15) && second[2] <= peer + (1 << 15), "{second:?}");
    assert!(second[1] > peer / 2 && second[1].abs_diff(second[2]) < peer / 8, "{second:?}");
}

#[test]
fn the_rate_in_total_holds_however_many_ask() {
    let mut server = StateServer::new(ServingRate { total: 1 << 20, peer: 1 << 20 });
    server.hold(state_at(8, spread(5_000, 0)), at(0));
    let (mut now, mut bytes, mut served, asked) = (at(0), 0, [0; 11], question(1, 256));
    while now < at(30) {
        (1..=10).for_each(|id| server.ask(ReplicaId(id), asked.clone()));
        while let Some((to, answer)) = server.answer(now) {
            bytes += answer.nodes.iter().map(StateNode::weight).sum::<usize>();
            served[usize::from(to.0)] += 1;
        }
        now = server.deadline().unwrap();
    }
    assert!(bytes <= 31 << 20, "{bytes}");
    let least = served[1..].iter().min().unwrap();
    assert!(*least >= 5 && served[1..].iter().all(|count| count - least <= 1), "{served:?}");
}
