//! The agreed time: the primary proposes its clock, and a backup delays its vote on a fresh proposal whose time is too
//! far ahead of its own clock. It never refuses it, and never looks at the time of a re-proposal.
//!
//! A replica with a wrong clock must neither fork nor stop the others; a primary whose clock runs ahead is replaced.

use std::time::Duration;

use quorate::batch::Batch;
use quorate::core::Notice;
use quorate::messages::{Message, ViewChange};
use quorate::{SeqNum, View, WallTime};

use crate::support::{Cluster, START, Solo, World, at, outputs};

const DRIFT: Duration = Duration::from_secs(1);

fn batch_ahead(world: &World, ahead: Duration) -> Batch {
    Batch::new(START.wall.plus(ahead), vec![world.request(0, 1)])
}

#[test]
fn a_vote_is_not_given_before_the_proposed_time_is_near_enough() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    let near = backup.receive(0, world.proposal(at(0, 1), &batch_ahead(&world, DRIFT)));
    assert_eq!(outputs(&near).last().map(String::as_str), Some("to all: prepare v0 s1"), "the limit itself is near");
    let late = Duration::from_millis(10);
    let far = backup.receive(0, world.proposal(at(0, 2), &batch_ahead(&world, DRIFT + late)));
    assert!(outputs(&far).is_empty());
    assert!(far.notices.contains(&Notice::VoteDelayed { seq: SeqNum(2) }));
    assert!(outputs(&backup.pass(late - Duration::from_millis(1))).is_empty());
    let voted = backup.pass(Duration::from_millis(1));
    assert_eq!(outputs(&voted), ["journal batch s2", "journal pre_prepared v0 s2", "to all: prepare v0 s2"]);
}

#[test]
fn a_delayed_vote_does_not_keep_a_quorum_of_others_from_committing_here() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    let batch = batch_ahead(&world, Duration::from_secs(60));
    let digest = batch.digest(SeqNum(1));
    backup.receive(0, world.proposal(at(0, 1), &batch));
    for other in [2, 3] {
        assert!(outputs(&backup.receive(other, world.prepare(other, at(0, 1), digest))).is_empty(), "no Commit either");
    }
    let mut last = Vec::new();
    for other in [0, 2, 3] {
        last = outputs(&backup.receive(other, world.commit(other, at(0, 1), digest)));
    }
    assert_eq!(last, ["journal batch s1", "journal committed v0 s1", "apply s1"]);
}

#[test]
fn the_time_of_a_re_proposal_is_not_looked_at() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 3);
    let batch = batch_ahead(&world, Duration::from_secs(3600));
    backup.receive(0, world.proposal(at(0, 1), &batch));
    let prepared = world.prepared(at(0, 1), batch.digest(SeqNum(1)));
    let view_changes: Vec<_> = (0..3)
        .map(|signer| {
            world.sign(signer, ViewChange { target: View(1), stable: None, prepared: vec![prepared.clone()] })
        })
        .collect();
    for view_change in &view_changes {
        backup.receive(view_change.signer.0, Message::ViewChange(view_change.clone()));
    }
    let entered = backup.receive(1, Message::NewView(world.new_view(1, &view_changes)));
    assert_eq!(outputs(&entered).last().map(String::as_str), Some("to all: prepare v1 s1"));
}

#[test]
fn the_end_of_time_does_not_overflow() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    let batch = Batch::new(WallTime(u64::MAX), vec![world.request(0, 1)]);
    assert!(outputs(&backup.receive(0, world.proposal(at(0, 1), &batch))).is_empty());
    assert!(outputs(&backup.pass(Duration::from_secs(60))).iter().all(|line| !line.contains("prepare")));
}

#[test]
fn a_primary_whose_clock_is_far_ahead_is_replaced_and_its_request_is_not_lost() {
    let mut cluster = Cluster::new(4);
    cluster.nodes[0].ahead = Duration::from_secs(3600);
    cluster.submit(0, 1);
    assert!(cluster.executed(1).is_empty(), "everybody waits");
    cluster.pass(Duration::from_secs(3));
    for id in cluster.ids() {
        assert_eq!((cluster.executed(id), cluster.replica(id).view()), (vec![1], View(1)), "replica {id}");
    }
}

#[test]
fn a_backup_whose_clock_is_far_behind_executes_what_the_others_commit() {
    let mut cluster = Cluster::new(4);
    for id in 0..3 {
        cluster.nodes[id].ahead = Duration::from_secs(3600);
    }
    for number in 1..=20 {
        cluster.submit(0, number);
    }
    cluster.pass(Duration::from_secs(2));
    assert_eq!(cluster.executed(3), (1..=20).collect::<Vec<_>>());
    assert!(cluster.entered(3).is_empty());
}
