//! The normal case, one replica at a time: a backup or the primary is given messages one by one, and after each the test
//! says exactly what becomes durable, what leaves and what is executed. And as a cluster of every size that matters.
//!
//! Keeps out: 6 (the primary's Prepare is counted), 7 (2f+1 as the quorum), 10 (a PrePrepare of a higher view handled
//! under the local one), 13 (a vote leaves before it is durable), 16 (a vote for seq + 1 at one replica only).

use quorate::core::{Evidence, Rejection};
use quorate::messages::{Message, Proposal};
use quorate::{SeqNum, View};

use crate::support::{Cluster, K, L, Solo, World, at, digest, evidence, outputs, rejection};

const NOTHING: [&str; 0] = [];

#[test]
fn a_backup_does_not_prepare_before_its_acceptance_is_durable_nor_commit_before_it_is_prepared() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    let batch = world.batch(&[1]);
    let (place, digest) = (at(0, 1), batch.digest(SeqNum(1)));

    let accepted = backup.receive(0, world.proposal(place, &batch));
    assert_eq!(outputs(&accepted), ["journal batch s1", "journal pre_prepared v0 s1", "to all: prepare v0 s1"]);

    let prepared = backup.receive(2, world.prepare(2, place, digest));
    assert_eq!(outputs(&prepared), ["journal prepared v0 s1", "to all: commit v0 s1"]);

    let first = backup.receive(0, world.commit(0, place, digest));
    assert_eq!(outputs(&first), NOTHING, "two Commits are no quorum");

    let committed = backup.receive(3, world.commit(3, place, digest));
    assert_eq!(outputs(&committed), ["journal committed v0 s1", "apply s1"]);
}

#[test]
fn a_primary_journals_its_assignment_before_it_leaves_and_sends_no_prepare() {
    let world = World::new(4);
    let mut primary = Solo::new(&world, 0);
    let proposed = primary.request(world.request(0, 1));
    assert_eq!(outputs(&proposed), ["journal batch s1", "journal pre_prepared v0 s1", "to all: pre_prepare v0 s1"]);
}

#[test]
fn the_assignment_does_not_count_as_a_prepare_of_its_primary() {
    for n in [4, 5, 6, 7, 8, 10] {
        let world = World::new(n);
        let mut backup = Solo::new(&world, 1);
        let batch = world.batch(&[1]);
        let (place, digest) = (at(0, 1), batch.digest(SeqNum(1)));
        backup.receive(0, world.proposal(place, &batch));
        let needed = world.quorum() - 1; // Prepares of distinct backups, the own one included.
        let others: Vec<_> = world.backups(View(0)).filter(|member| *member != 1).collect();
        for (sent, other) in others.into_iter().enumerate() {
            let actions = backup.receive(other, world.prepare(other, place, digest));
            let is_prepared = outputs(&actions).contains(&"to all: commit v0 s1".to_owned());
            assert_eq!(is_prepared, sent + 2 == needed, "n = {n}, {} Prepares", sent + 2);
        }
    }
}

#[test]
fn a_slot_is_not_committed_by_fewer_than_a_quorum_of_equal_commits() {
    for n in [4, 5, 6, 7, 8, 10] {
        let world = World::new(n);
        let mut backup = Solo::new(&world, 1);
        let batch = world.batch(&[1]);
        let (place, digest) = (at(0, 1), batch.digest(SeqNum(1)));
        backup.prepare(1, &[1]);
        for (count, other) in (2..).zip((0..n).filter(|member| *member != 1)) {
            let actions = backup.receive(other, world.commit(other, place, digest));
            let is_committed = outputs(&actions).contains(&"apply s1".to_owned());
            assert_eq!(is_committed, count == world.quorum(), "n = {n}, {count} Commits");
        }
    }
}

#[test]
fn votes_for_another_batch_or_view_do_not_count() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    let batch = world.batch(&[1]);
    backup.receive(0, world.proposal(at(0, 1), &batch));
    assert_eq!(outputs(&backup.receive(2, world.prepare(2, at(0, 1), digest("other")))), NOTHING);
    let later = backup.receive(3, world.prepare(3, at(1, 1), batch.digest(SeqNum(1))));
    assert_eq!(rejection(&later), Some(Rejection::FutureView { view: View(1), current: View(0) }));
    for member in [0, 2, 3] {
        let commit = backup.receive(member, world.commit(member, at(0, 1), digest(&member.to_string())));
        assert_eq!(outputs(&commit), NOTHING);
    }
}

#[test]
fn a_vote_that_comes_twice_counts_once() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    let batch = world.batch(&[1]);
    let (place, digest) = (at(0, 1), batch.digest(SeqNum(1)));
    backup.prepare(1, &[1]);
    assert_eq!(rejection(&backup.receive(2, world.prepare(2, place, digest))), Some(Rejection::Duplicate));
    backup.receive(0, world.commit(0, place, digest));
    // The second time over another member's channel: the signer counts, not the sender.
    for from in [0, 2, 3] {
        let again = backup.receive(from, world.commit(0, place, digest));
        assert_eq!((outputs(&again).len(), rejection(&again)), (0, Some(Rejection::Duplicate)));
    }
}

#[test]
fn own_votes_that_come_back_do_not_count_twice() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    let (place, batch) = (at(0, 1), world.batch(&[1]));
    backup.receive(0, world.proposal(place, &batch));
    let digest = batch.digest(SeqNum(1));
    for own in [world.prepare(1, place, digest), world.commit(1, place, digest)] {
        let actions = backup.receive(3, own);
        assert_eq!((outputs(&actions).len(), rejection(&actions)), (0, Some(Rejection::Duplicate)));
    }
}

#[test]
fn a_second_assignment_of_a_slot_is_evidence_and_changes_nothing() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    let (first, second) = (world.batch(&[1]), world.batch(&[2]));
    backup.receive(0, world.proposal(at(0, 1), &first));
    let actions = backup.receive(0, world.proposal(at(0, 1), &second));
    let headers = [&first, &second].map(|batch| world.header(at(0, 1), batch.digest(SeqNum(1))));
    let [known, new] = headers;
    assert_eq!(evidence(&actions), Some(Evidence::PrePrepares(known, new)));
    assert_eq!(outputs(&actions), NOTHING);
    let prepared = backup.receive(2, world.prepare(2, at(0, 1), first.digest(SeqNum(1))));
    assert_eq!(outputs(&prepared), ["journal prepared v0 s1", "to all: commit v0 s1"], "the first one stands");
}

#[test]
fn contradicting_votes_are_evidence_and_the_first_stands() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    let place = at(0, 1);
    backup.receive(2, world.prepare(2, place, digest("a")));
    let prepares = backup.receive(2, world.prepare(2, place, digest("b")));
    assert!(matches!(evidence(&prepares), Some(Evidence::Prepares(..))), "{prepares:?}");
    backup.receive(2, world.commit(2, place, digest("a")));
    let commits = backup.receive(2, world.commit(2, place, digest("b")));
    assert!(matches!(evidence(&commits), Some(Evidence::Commits(..))), "{commits:?}");
    assert_eq!(outputs(&commits), NOTHING);
}

#[test]
fn an_assignment_of_another_view_is_not_handled_under_the_local_one() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 2);
    let actions = backup.receive(1, world.proposal(at(1, 1), &world.batch(&[1])));
    assert_eq!(rejection(&actions), Some(Rejection::FutureView { view: View(1), current: View(0) }));
    assert_eq!(outputs(&actions), NOTHING);
    let current = backup.receive(0, world.proposal(at(0, 1), &world.batch(&[2])));
    assert_eq!(outputs(&current).last().map(String::as_str), Some("to all: prepare v0 s1"));
}

#[test]
fn nothing_outside_the_watermarks_is_voted_on_and_both_edges_are_exact() {
    let world = World::new(4);
    let batch = world.batch(&[1]);
    let mut backup = Solo::new(&world, 1);
    let last = backup.receive(0, world.proposal(at(0, L), &batch));
    assert_eq!(outputs(&last).len(), 3, "the high watermark itself is inside");
    let outside = Some(Rejection::OutsideWindow { seq: SeqNum(L + 1), low: SeqNum(0), high: SeqNum(L) });
    let place = at(0, L + 1);
    assert_eq!(rejection(&backup.receive(0, world.proposal(place, &batch))), outside);
    assert_eq!(rejection(&backup.receive(2, world.prepare(2, place, digest("a")))), outside);
    assert_eq!(rejection(&backup.receive(2, world.commit(2, place, digest("a")))), outside);
    let far = backup.receive(2, world.commit(2, at(0, u64::MAX), digest("a")));
    assert!(matches!(rejection(&far), Some(Rejection::OutsideWindow { .. })));
}

#[test]
fn a_header_without_its_batch_is_not_accepted_nor_is_a_null_batch_of_a_primary() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    for digest in [world.batch(&[1]).digest(SeqNum(1)), quorate::batch::null_digest(SeqNum(1))] {
        let header = world.header(at(0, 1), digest);
        let actions = backup.receive(0, Message::PrePrepare(Proposal { header, batch: None }));
        assert_eq!((outputs(&actions).len(), rejection(&actions)), (0, Some(Rejection::BodyMissing)));
    }
}

#[test]
fn an_assignment_may_come_from_anyone_who_relays_it() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    let actions = backup.receive(3, world.proposal(at(0, 1), &world.batch(&[1])));
    assert_eq!(outputs(&actions).last().map(String::as_str), Some("to all: prepare v0 s1"));
}

#[test]
fn slots_commit_in_any_order_but_never_execute_out_of_order() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    for seq in [3, 2] {
        let actions = backup.commit(seq, &[seq]);
        assert!(!outputs(&actions).iter().any(|line| line.starts_with("apply")), "slot 1 is missing");
    }
    let actions = backup.commit(1, &[1]);
    let applied: Vec<_> = outputs(&actions).into_iter().filter(|line| line.starts_with("apply")).collect();
    assert_eq!(applied, ["apply s1", "apply s2", "apply s3"]);
}

#[test]
fn what_a_quorum_committed_is_executed_whatever_was_accepted_here() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    let (wrong, right) = (world.batch(&[1]), world.batch(&[2]));
    backup.receive(0, world.proposal(at(0, 1), &wrong));
    let digest = right.digest(SeqNum(1));
    let mut last = Vec::new();
    for member in [0, 2, 3] {
        last = outputs(&backup.receive(member, world.commit(member, at(0, 1), digest)));
    }
    assert_eq!(last, ["to 0: fetch_batch s1"], "the body is fetched");
    let body = backup.receive(0, Message::Batch { seq: SeqNum(1), batch: right });
    assert_eq!(outputs(&body), ["journal batch s1", "journal committed v0 s1", "apply s1"]);
}

#[test]
fn a_body_that_nobody_asked_for_is_not_kept() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    backup.receive(0, world.proposal(at(0, 1), &world.batch(&[1])));
    for seq in [1, 2] {
        let actions = backup.receive(3, Message::Batch { seq: SeqNum(seq), batch: world.batch(&[9]) });
        assert_eq!(rejection(&actions), Some(Rejection::NotAskedFor));
    }
}

#[test]
fn every_size_of_committee_commits_and_all_members_execute_the_same() {
    for n in [1, 4, 5, 6, 7, 8, 10] {
        let mut cluster = Cluster::new(n);
        for number in 1..=K + 1 {
            cluster.submit(0, number);
        }
        for id in cluster.ids() {
            assert_eq!(cluster.executed(id), (1..=K + 1).collect::<Vec<_>>(), "replica {id} of {n}");
            assert_eq!(cluster.replica(id).watermarks().0, SeqNum(K), "replica {id} of {n}");
            assert!(cluster.entered(id).is_empty(), "without a view change");
        }
    }
}

#[test]
fn f_silent_members_do_not_stop_a_committee_of_any_size_and_one_more_does() {
    for n in [4u16, 5, 6, 7, 8, 10] {
        let f = (n - 1) / 3;
        for (silent, commits) in [(f, true), (f + 1, n - (f + 1) >= World::new(n).quorum() as u16)] {
            let mut cluster = Cluster::new(n);
            cluster.drop_when(move |envelope| envelope.from >= n - silent || envelope.to >= n - silent);
            cluster.submit(0, 1);
            assert_eq!(!cluster.executed(0).is_empty(), commits, "n = {n}, {silent} silent");
        }
    }
}
