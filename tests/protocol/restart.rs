//! A replica that ends at any point and starts again from its journal. It votes as it did before or not at all, asks for
//! no other view than it asked for, keeps its prepared certificates, and the cluster goes on, even if all of it ended.
//!
//! Keeps out: 13 (another vote after a restart), 14 (execution moves backwards), 34 (after losing everything at once every
//! replica starts in an old view).

use std::time::Duration;

use quorate::core::{Actions, Event, JournalRecord, Outgoing, Phase, Promises, Recovered, Report};
use quorate::messages::{HeldVotes, Message};
use quorate::{ReplicaId, SeqNum, View};
use quorate_crypto::Digest;

use crate::support::{Cluster, K, Solo, World, at, evidence, outputs, recovered, rejection};

fn held_votes(actions: &Actions) -> HeldVotes {
    let found = actions.send.iter().find_map(|outgoing| match outgoing {
        Outgoing::Replica { message: Message::Votes(held), .. } => Some(held.clone()),
        Outgoing::Replica { .. } | Outgoing::Client { .. } | Outgoing::History { .. } => None,
    });
    found.expect("the question is answered")
}

#[test]
fn a_backup_does_not_vote_for_another_batch_after_a_restart() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    backup.receive(0, world.proposal(at(0, 1), &world.batch(&[1])));
    let mut backup = backup.restart();
    let other = backup.receive(0, world.proposal(at(0, 1), &world.batch(&[2])));
    assert!(evidence(&other).is_some() && outputs(&other).is_empty());
    let same = backup.receive(0, world.proposal(at(0, 1), &world.batch(&[1])));
    assert!(outputs(&same).is_empty(), "its vote is repeated to who lacks it, not on every message");
    let digest = world.batch(&[1]).digest(SeqNum(1));
    let asked = backup.receive(2, Message::FetchVotes { signer: ReplicaId(1) });
    let held = held_votes(&asked);
    assert_eq!(held.prepares.iter().map(|vote| vote.payload.digest).collect::<Vec<_>>(), [digest]);
    let prepared = backup.receive(2, world.prepare(2, at(0, 1), digest));
    assert_eq!(outputs(&prepared), ["journal prepared v0 s1", "to all: commit v0 s1"], "the slot goes on from there");
}

#[test]
fn a_primary_does_not_assign_a_slot_twice_after_a_restart() {
    let world = World::new(4);
    let mut primary = Solo::new(&world, 0);
    primary.request(world.request(0, 1));
    let mut primary = primary.restart();
    let next = primary.request(world.request(0, 2));
    assert!(
        outputs(&next).is_empty() || outputs(&next).last().map(String::as_str) == Some("to all: pre_prepare v0 s2")
    );
    let later = primary.pass(Duration::from_millis(5));
    let all: Vec<_> = outputs(&next).into_iter().chain(outputs(&later)).collect();
    assert!(all.contains(&"to all: pre_prepare v0 s2".to_owned()), "{all:?}");
}

#[test]
fn who_asked_for_a_view_does_not_vote_in_the_old_one_after_a_restart_and_asks_for_the_same() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 2);
    backup.prepare(1, &[1]);
    backup.receive(0, Message::ViewChange(world.view_change(0, 1, Vec::new())));
    let mut backup = backup.restart();
    assert_eq!(backup.replica.phase(), Phase::ViewChanging { target: View(1) });
    assert_eq!(backup.replica.prepared().count(), 1);
    let proposal = backup.receive(0, world.proposal(at(0, 2), &world.batch(&[2])));
    assert!(outputs(&proposal).is_empty());
    let asked = backup.receive(1, Message::FetchVotes { signer: ReplicaId(2) });
    assert_eq!(held_votes(&asked).view_change.expect("it asked").payload.target, View(1));
}

#[test]
fn what_was_entered_and_prepared_is_not_forgotten_by_a_restart() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 3);
    let digest = world.batch(&[1]).digest(SeqNum(1));
    backup.prepare(1, &[1]);
    let view_changes: Vec<_> =
        (0..3).map(|signer| world.view_change(signer, 1, vec![world.prepared(at(0, 1), digest)])).collect();
    for view_change in &view_changes {
        backup.receive(view_change.signer.0, Message::ViewChange(view_change.clone()));
    }
    backup.receive(1, Message::NewView(world.new_view(1, &view_changes)));
    let mut backup = backup.restart();
    assert_eq!((backup.replica.view(), backup.replica.phase()), (View(1), Phase::Active));
    let of_view_0: Vec<_> = backup.replica.prepared().map(|certificate| certificate.view()).collect();
    assert_eq!(of_view_0, [View(0)]);
    let above = backup.receive(1, world.proposal(at(1, 1), &world.batch(&[2])));
    assert!(outputs(&above).is_empty(), "slot 1 came from the NewView");
    let prepared = backup.receive(2, world.prepare(2, at(1, 1), digest));
    assert_eq!(outputs(&prepared), ["journal prepared v1 s1", "to all: commit v1 s1"]);
}

#[test]
fn every_prefix_of_a_journal_is_a_place_to_go_on_from() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    for seq in 1..=K + 1 {
        backup.commit_and_execute(seq, &[seq]);
    }
    let root = backup.journal.iter().find_map(|record| {
        if let JournalRecord::CheckpointTaken(checkpoint) = record { Some(checkpoint.root) } else { None }
    });
    backup.receive(2, Message::CheckpointCertificate(world.certified(K, root.expect("a checkpoint was taken"))));
    backup.receive(0, Message::ViewChange(world.view_change(0, 1, Vec::new())));
    for length in 0..=backup.journal.len() {
        let mut again = Solo::start(&world, 1, backup.journal[..length].to_vec());
        again.pass(Duration::from_millis(50));
        let slots: Vec<_> = (1..=K + 2).map(|seq| world.committed_slot(seq, &[seq])).collect();
        let actions = again.receive(2, Message::Committed(slots));
        again.execute(&actions);
        assert_eq!(again.replica.execution().1, SeqNum(K + 2), "from {length} records");
    }
}

#[test]
fn a_replica_alone_goes_on_from_every_prefix_of_its_journal() {
    let world = World::new(1);
    let mut alone = Solo::new(&world, 0);
    let mut actions = alone.request(world.request(0, 1));
    for number in 2..=K + 2 {
        alone.execute(&actions);
        actions = alone.request(world.request(0, number));
    }
    for length in 0..=alone.journal.len() {
        let mut again = Solo::start(&world, 0, alone.journal[..length].to_vec());
        for number in 1..=K + 2 {
            let actions = again.request(world.request(0, number));
            again.execute(&actions);
        }
        let (ordered, executed) = again.replica.execution();
        assert_eq!(ordered, executed);
        assert_eq!(again.executor.requests.len() as u64, K + 2, "from {length} records");
    }
}

#[test]
fn a_checkpoint_is_signed_again_as_it_was_signed_before() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    for seq in 1..=K {
        backup.commit_and_execute(seq, &[seq]);
    }
    let said = |solo: &mut Solo| {
        let behind = solo.receive(2, Message::Status(world.status_at(View(0), SeqNum::GENESIS)));
        let mut sent = behind.send.into_iter().filter_map(|outgoing| match outgoing {
            Outgoing::Replica { message: Message::Checkpoint(vote), .. } => Some(vote),
            Outgoing::Replica { .. } | Outgoing::Client { .. } | Outgoing::History { .. } => None,
        });
        sent.next().expect("a member behind a checkpoint is told of it")
    };
    let before = said(&mut backup);
    let after = said(&mut backup.restart());
    assert_eq!(before, after, "byte for byte, the signature included");
}

#[test]
fn votes_for_a_slot_that_came_with_a_loaded_state_do_not_commit_it_a_second_time() {
    let world = World::new(4);
    let mut backup = Solo::not_installed(&world, 1, Recovered::default());
    // The snapshot on disk is ahead of the committed prefix of the journal.
    backup.step(Event::Executor(Report::Installed {
        seq: SeqNum(3),
        chain: Digest::ZERO,
        root: Digest::ZERO,
        certificate: None,
        windows: Vec::new(),
    }));
    let digest = world.batch(&[2]).digest(SeqNum(2));
    for member in [0, 2, 3] {
        let actions = backup.receive(member, world.commit(member, at(0, 2), digest));
        assert!(outputs(&actions).is_empty(), "{:?}", outputs(&actions));
    }
    let history = backup.receive(2, Message::Committed(vec![world.committed_slot(2, &[2])]));
    assert!(outputs(&history).is_empty());
    let proposal = backup.receive(0, world.proposal(at(0, 2), &world.batch(&[2])));
    assert!(rejection(&proposal).is_some(), "it is not voted on again");
}

#[test]
fn a_slot_that_was_committed_before_the_state_above_it_was_loaded_is_not_executed_again() {
    let world = World::new(4);
    let mut backup = Solo::not_installed(&world, 1, Recovered::default());
    backup.receive(2, Message::Committed(vec![world.committed_slot(2, &[2])]));
    backup.step(Event::Executor(Report::Installed {
        seq: SeqNum(3),
        chain: Digest::ZERO,
        root: Digest::ZERO,
        certificate: None,
        windows: Vec::new(),
    }));
    let next = backup.receive(2, Message::Committed(vec![world.committed_slot(4, &[4])]));
    assert_eq!(outputs(&next), ["journal batch s4", "journal committed v0 s4", "apply s4"]);
}

#[test]
fn a_cluster_that_ended_as_a_whole_starts_in_its_last_view_with_everything_that_was_executed() {
    let mut cluster = Cluster::new(4);
    cluster.event(0, Event::StepDown);
    for number in 1..=2 * K + 3 {
        cluster.submit(1, number);
    }
    let agreed: Vec<_> = (1..=2 * K + 3).map(|seq| cluster.agreed(seq)).collect();
    for id in 0..4 {
        cluster.crash(id);
    }
    for id in 0..4 {
        cluster.restart(id);
    }
    cluster.pass(Duration::from_millis(500));
    cluster.submit(1, 2 * K + 4);
    cluster.pass(Duration::from_millis(500));
    assert_eq!((1..=2 * K + 3).map(|seq| cluster.agreed(seq)).collect::<Vec<_>>(), agreed);
    for id in 0..4 {
        assert_eq!(cluster.replica(id).view(), View(1));
        assert_eq!(cluster.executed(id), (1..=2 * K + 4).collect::<Vec<_>>(), "replica {id}");
    }
}

#[test]
fn a_cluster_that_ended_in_the_middle_of_a_slot_commits_it_after_the_start() {
    for dropped in ["prepare", "commit"] {
        let mut cluster = Cluster::new(4);
        cluster.drop_when(move |envelope| envelope.message.kind() == dropped);
        cluster.submit(0, 1);
        for id in 0..4 {
            cluster.crash(id);
        }
        cluster.heal();
        for id in 0..4 {
            cluster.restart(id);
        }
        cluster.pass(Duration::from_millis(500));
        for id in 0..4 {
            assert_eq!(cluster.executed(id), [1], "replica {id}, without any {dropped} before");
        }
    }
}

#[test]
fn replicas_that_end_one_after_the_other_in_the_middle_of_slots_lose_nothing() {
    let mut cluster = Cluster::new(4);
    for round in 0..8 {
        let id = (round % 4) as u16;
        cluster.submit((id + 1) % 4, 3 * round + 1);
        cluster.crash(id);
        cluster.submit((id + 1) % 4, 3 * round + 2);
        cluster.pass(Duration::from_millis(700));
        cluster.restart(id);
        cluster.submit((id + 2) % 4, 3 * round + 3);
        cluster.pass(Duration::from_millis(700));
    }
    for id in 0..4 {
        let mut executed = cluster.executed(id);
        executed.sort_unstable();
        assert_eq!(executed, (1..=24).collect::<Vec<_>>(), "replica {id}");
    }
}

#[test]
fn the_fold_of_a_journal_does_not_depend_on_where_it_was_folded_before() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    for seq in 1..=K + 2 {
        backup.commit_and_execute(seq, &[seq]);
    }
    backup.receive(0, Message::ViewChange(world.view_change(0, 1, Vec::new())));
    let whole = recovered(&backup.journal).promises;
    for cut in 0..=backup.journal.len() {
        let bytes = quorate::codec::encode(&recovered(&backup.journal[..cut]).promises);
        let mut promises: Promises = quorate::codec::decode(&bytes).expect("what was written can be read");
        for record in &backup.journal[cut..] {
            promises.fold(record);
        }
        assert_eq!(promises, whole);
    }
}
