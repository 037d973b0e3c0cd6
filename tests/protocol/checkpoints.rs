//! Checkpoints and watermarks: one backup executes up to a checkpoint and is given the others' votes one by one; members
//! that lie or flood must change nothing.
//!
//! Keeps out: 5 (votes counted without removing duplicates of one sender), 7 (a checkpoint stable at too few votes), 14
//! (moving backwards), 35 (a poisoned maximum), 42 (memory for unverified futures).

use quorate::core::{Evidence, Order, Rejection};
use quorate::messages::Message;
use quorate::{SeqNum, View};
use quorate_crypto::Digest;

use crate::support::{Cluster, K, L, Solo, World, at, digest, evidence, outputs, rejection};

/// A backup that has executed up to the first checkpoint, and its root there.
fn at_checkpoint(world: &World) -> (Solo, Digest) {
    let mut backup = Solo::new(world, 1);
    for seq in 1..K {
        backup.commit_and_execute(seq, &[seq]);
    }
    let taken = backup.commit_and_execute(K, &[K]);
    assert_eq!(outputs(&taken), ["journal checkpoint s4", "to all: checkpoint s4"], "durable before it leaves");
    let root = backup.executor.root();
    (backup, root)
}

#[test]
fn a_checkpoint_is_not_stable_at_fewer_than_a_quorum_of_equal_votes() {
    for n in [4, 5, 6, 7, 8, 10] {
        let world = World::new(n);
        let (mut backup, root) = at_checkpoint(&world);
        for (count, member) in (2..).zip((0..n).filter(|member| *member != 1)) {
            let before = backup.replica.watermarks().0;
            let actions = backup.receive(member, world.checkpoint(member, K, root));
            if count == world.quorum() {
                assert_eq!(outputs(&actions), ["journal stable s4", "stable s4"], "n = {n}");
                let [Order::Stable(certificate)] = &actions.execute[..] else { unreachable!("it stands above") };
                let message = Message::CheckpointCertificate(certificate.clone());
                assert!(world.verifier().message(message).is_ok(), "it convinces anyone");
            } else {
                assert!(outputs(&actions).is_empty() && backup.replica.watermarks().0 == before, "n = {n}, {count}");
            }
        }
        assert_eq!(backup.replica.watermarks(), (SeqNum(K), SeqNum(K + L)));
    }
}

#[test]
fn votes_of_one_signer_or_for_other_roots_do_not_make_a_checkpoint_stable() {
    let world = World::new(4);
    let (mut backup, root) = at_checkpoint(&world);
    backup.receive(2, world.checkpoint(2, K, root));
    for from in [0, 2, 3] {
        let again = backup.receive(from, world.checkpoint(2, K, root));
        assert_eq!(rejection(&again), Some(Rejection::Duplicate), "the signer counts, not who relays it");
        let own = backup.receive(from, world.checkpoint(1, K, root));
        assert_eq!(rejection(&own), Some(Rejection::Duplicate));
    }
    backup.receive(3, world.checkpoint(3, K, digest("another root")));
    assert_eq!(backup.replica.watermarks().0, SeqNum(0));
    let contradiction = backup.receive(3, world.checkpoint(3, K, root));
    assert!(matches!(evidence(&contradiction), Some(Evidence::Checkpoints(..))));
    assert_eq!(backup.replica.watermarks().0, SeqNum(0), "the first claim stands");
    backup.receive(0, world.checkpoint(0, K, root));
    assert_eq!(backup.replica.watermarks().0, SeqNum(K));
}

#[test]
fn a_certified_checkpoint_that_was_not_executed_here_does_not_move_the_watermarks() {
    let world = World::new(4);
    let (_, root) = at_checkpoint(&world);
    let mut backup = Solo::new(&world, 1);
    for seq in 1..K {
        backup.commit_and_execute(seq, &[seq]);
    }
    for member in [0, 2, 3] {
        assert!(outputs(&backup.receive(member, world.checkpoint(member, K, root))).is_empty());
    }
    assert_eq!(backup.replica.watermarks().0, SeqNum(0));
    let last = backup.commit_and_execute(K, &[K]);
    assert_eq!(outputs(&last), ["journal stable s4", "stable s4"], "a quorum has said so: the own vote helps nobody");
}

#[test]
fn old_votes_and_certificates_do_not_move_the_watermarks_back() {
    let world = World::new(4);
    let (mut backup, root) = at_checkpoint(&world);
    for member in [0, 2] {
        backup.receive(member, world.checkpoint(member, K, root));
    }
    let old = backup.receive(3, world.checkpoint(3, K, root));
    assert!(matches!(rejection(&old), Some(Rejection::OutsideWindow { .. })));
    backup.receive(2, Message::CheckpointCertificate(world.certified(K, root)));
    assert_eq!(backup.replica.watermarks().0, SeqNum(K));
    let below = backup.receive(0, world.proposal(at(0, K), &world.batch(&[9])));
    assert!(matches!(rejection(&below), Some(Rejection::OutsideWindow { .. })));
}

#[test]
fn a_flood_of_far_checkpoints_of_one_member_displaces_nobody_elses_votes() {
    let world = World::new(4);
    let (mut backup, root) = at_checkpoint(&world);
    backup.receive(2, world.checkpoint(2, K, root));
    let before = format!("{:?}", backup.replica).len();
    for far in 1..=50 {
        backup.receive(3, world.checkpoint(3, 1_000_000 * K * far, digest("far")));
    }
    let after = format!("{:?}", backup.replica).len();
    assert!(after < before + 2_000, "two votes of a member are kept, not {} more bytes", after - before);
    backup.receive(0, world.checkpoint(0, K, root));
    assert_eq!(backup.replica.watermarks().0, SeqNum(K));
}

#[test]
fn what_lies_at_or_below_the_low_watermark_is_forgotten() {
    let mut cluster = Cluster::new(4);
    let mut sizes = Vec::new();
    for round in 0..10 {
        for number in 1..=K {
            cluster.submit(0, round * K + number);
        }
        sizes.push(format!("{:?}", cluster.replica(1)).len());
    }
    assert_eq!(cluster.replica(1).watermarks().0, SeqNum(10 * K));
    assert!(sizes[9] < sizes[3] + 3_000, "the memory of a replica does not grow with its history: {sizes:?}");
}

#[test]
fn a_primary_stops_at_the_high_watermark_and_goes_on_when_it_rises() {
    let mut cluster = Cluster::new(4);
    cluster
        .drop_when(|envelope| matches!(envelope.message, Message::Checkpoint(_) | Message::CheckpointCertificate(_)));
    for number in 1..=L + 3 {
        cluster.submit(0, number);
    }
    assert_eq!(cluster.executed(1).len() as u64, L, "not one slot above");
    assert_eq!(cluster.agreed(L + 1), None);
    cluster.heal();
    cluster.pass(std::time::Duration::from_millis(500));
    for id in cluster.ids() {
        assert_eq!(cluster.executed(id).len() as u64, L + 3, "replica {id}");
        assert_eq!(cluster.replica(id).view(), View(0));
    }
}
