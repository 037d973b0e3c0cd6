//! A replica whose own state differs from the certified one, and one that has seen proof of more than f faulty members.
//! Neither may sign anything again in the course of ordering, whatever it was doing at that moment. The first names the
//! slot at which it went wrong, and votes again when it has taken over the certified state.
//!
//! Keeps out: 14 (execution moves backwards after a foreign checkpoint), 50 (a diverged state is noticed late, without a
//! hint where it diverged).

use std::time::Duration;

use quorate::core::{Event, Evidence, Notice, Phase, Rejection};
use quorate::messages::{CommittedSlot, Message, Standing};
use quorate::{SeqNum, View};

use crate::support::{Cluster, K, Solo, World, at, digest, evidence, outputs, rejection};

#[test]
fn a_diverged_replica_does_not_vote_and_names_the_first_slot_that_differs() {
    let mut cluster = Cluster::new(4);
    cluster.serve_states(false);
    cluster.nodes[3].executor.wrong_from = Some(SeqNum(2));
    for number in 1..=K {
        cluster.submit(0, number);
    }
    assert_eq!(cluster.replica(3).standing(), Standing::Diverged { at: SeqNum(K) });
    let found = cluster
        .node(3)
        .notices
        .iter()
        .filter_map(|(_, notice)| if let Notice::DivergedAt { seq, .. } = notice { Some(*seq) } else { None });
    assert_eq!(found.collect::<Vec<_>>(), [SeqNum(2); 3], "every peer's answer says so");
    let votes = |cluster: &Cluster| cluster.arrived(3, "prepare") + cluster.arrived(3, "commit");
    let before = votes(&cluster);
    for number in K + 1..=3 * K {
        cluster.submit(0, number);
    }
    assert_eq!(votes(&cluster), before, "it votes on nothing more");
    assert_eq!(cluster.executed(1).len() as u64, 3 * K, "the others go on");
    assert_eq!(cluster.replica(3).watermarks().0, SeqNum(0), "its own checkpoint is not stable");
    assert_eq!(cluster.replica(1).standing(), Standing::Voting);
}

#[test]
fn a_diverged_replica_takes_the_certified_state_in_place_of_its_own_and_votes_again() {
    let mut cluster = Cluster::new(4);
    cluster.nodes[3].executor.wrong_from = Some(SeqNum(2));
    for number in 1..=3 * K {
        cluster.submit(0, number);
    }
    assert_eq!(cluster.transfers, [(3, SeqNum(K))], "once");
    let said = |wanted: &Notice| cluster.node(3).notices.iter().any(|(_, notice)| notice == wanted);
    assert!(said(&Notice::StateDiscarded { executed: SeqNum(K) }));
    assert!(said(&Notice::StateInstalled { seq: SeqNum(K) }));
    assert_eq!(cluster.replica(3).standing(), Standing::Voting);
    assert_eq!(cluster.executed(3), cluster.executed(1), "exactly once, the client table came with the state");
    assert_eq!(cluster.replica(3).watermarks().0, SeqNum(3 * K));
}

#[test]
fn a_diverged_replica_that_had_executed_further_goes_back_to_the_certified_state_and_executes_again() {
    let mut cluster = Cluster::new(4);
    cluster.nodes[3].executor.wrong_from = Some(SeqNum(2));
    // It hears of no certificate before it has executed half a window more.
    cluster.drop_when(|envelope| {
        envelope.to == 3 && matches!(envelope.message, Message::Checkpoint(_) | Message::CheckpointCertificate(_))
    });
    for number in 1..=K + 2 {
        cluster.submit(0, number);
    }
    assert_eq!(cluster.replica(3).execution().1, SeqNum(K + 2));
    cluster.heal();
    cluster.pass(Duration::from_secs(2));
    assert_eq!(cluster.transfers, [(3, SeqNum(K))]);
    assert_eq!(cluster.replica(3).standing(), Standing::Voting);
    assert_eq!(cluster.executed(3), cluster.executed(1));
    assert_eq!(cluster.replica(3).chain(), cluster.replica(1).chain());
    for number in K + 3..=3 * K {
        cluster.submit(0, number);
    }
    assert_eq!(cluster.replica(3).watermarks().0, SeqNum(3 * K), "its later checkpoints agree");
}

#[test]
fn a_diverged_primary_is_replaced() {
    let mut cluster = Cluster::new(4);
    cluster.serve_states(false);
    cluster.nodes[0].executor.wrong_from = Some(SeqNum(1));
    for number in 1..=K {
        cluster.submit(0, number);
    }
    assert_eq!(cluster.replica(0).standing(), Standing::Diverged { at: SeqNum(K) });
    cluster.pass(Duration::from_millis(500));
    assert_eq!([1, 2, 3].map(|id| cluster.replica(id).view()), [View(1); 3]);
    cluster.submit(1, K + 1);
    assert_eq!(cluster.executed(2).last(), Some(&(K + 1)));
}

/// Replica 1 of four has executed up to the first checkpoint, and asks for view 1, which it leads.
fn about_to_lead(world: &World) -> Solo {
    let mut solo = Solo::new(world, 1);
    for seq in 1..=K {
        solo.commit_and_execute(seq, &[seq]);
    }
    solo.receive(0, Message::ViewChange(world.view_change(0, 1, Vec::new())));
    assert_eq!(solo.replica.phase(), Phase::ViewChanging { target: View(1) });
    solo
}

#[test]
fn a_replica_that_diverges_while_it_changes_views_does_not_lead_the_next_one() {
    let world = World::new(4);
    let mut solo = about_to_lead(&world);
    solo.receive(2, Message::CheckpointCertificate(world.certified(K, digest("another root"))));
    assert_eq!(solo.replica.standing(), Standing::Diverged { at: SeqNum(K) });
    let actions = solo.receive(2, Message::ViewChange(world.view_change(2, 1, Vec::new())));
    assert!(outputs(&actions).is_empty(), "{:?}", outputs(&actions));
    assert_eq!(solo.replica.view(), View(0));
}

#[test]
fn a_replica_that_diverges_while_it_waits_for_a_new_view_is_not_woken_without_end() {
    let world = World::new(4);
    let mut solo = Solo::new(&world, 3);
    for seq in 1..=K {
        solo.commit_and_execute(seq, &[seq]);
    }
    for signer in [0, 2] {
        solo.receive(signer, Message::ViewChange(world.view_change(signer, 1, Vec::new())));
    }
    solo.receive(2, Message::CheckpointCertificate(world.certified(K, digest("another root"))));
    let actions = solo.pass(Duration::from_secs(20));
    assert!(outputs(&actions).is_empty(), "{:?}", outputs(&actions));
}

#[test]
fn a_diverged_replica_does_not_enter_a_view_by_a_view_change_that_came_late() {
    let world = World::new(4);
    let mut solo = Solo::new(&world, 3);
    for seq in 1..=K {
        solo.commit_and_execute(seq, &[seq]);
    }
    let entered = world.empty_view(1);
    solo.receive(1, Message::NewView(entered.new_view.clone()));
    solo.receive(2, Message::CheckpointCertificate(world.certified(K, digest("another root"))));
    for view_change in entered.view_changes {
        solo.receive(1, Message::ViewChange(view_change));
    }
    assert_eq!(solo.replica.view(), View(0));
}

#[test]
fn a_root_that_differs_from_the_own_promise_is_not_signed() {
    let world = World::new(4);
    let mut solo = Solo::new(&world, 1);
    for seq in 1..=K {
        solo.commit_and_execute(seq, &[seq]);
    }
    let mut again = Solo::not_replayed(&world, 1, solo.journal.clone());
    again.executor.wrong_from = Some(SeqNum(1));
    let actions = again.replay();
    assert!(!outputs(&actions).iter().any(|line| line.contains("checkpoint s")), "{:?}", outputs(&actions));
    assert_eq!(again.replica.standing(), Standing::Diverged { at: SeqNum(K) });
}

#[test]
fn two_commit_certificates_for_one_slot_halt_the_replica_with_the_evidence() {
    let world = World::new(4);
    let mut solo = Solo::new(&world, 1);
    // Slot 1 is missing, so that slot 2 stays in memory.
    let first = world.committed_slot(2, &[2]);
    let second = world.committed_slot(2, &[3]);
    for slot in [&first, &second] {
        solo.receive(2, Message::Committed(vec![slot.clone()]));
    }
    assert_eq!(solo.replica.standing(), Standing::Halted);
    let proposal = solo.receive(0, world.proposal(at(0, 1), &world.batch(&[1])));
    assert_eq!((outputs(&proposal).len(), rejection(&proposal)), (0, Some(Rejection::NotVoting)));
    assert!(outputs(&solo.step(Event::StepDown)).is_empty());
}

#[test]
fn certificates_that_disagree_inside_view_changes_halt_the_replica_with_the_evidence() {
    let world = World::new(4);
    let mut solo = Solo::new(&world, 1);
    let with = |signer, name| world.view_change(signer, 1, vec![world.prepared(at(0, 1), digest(name))]);
    solo.receive(0, Message::ViewChange(with(0, "a")));
    let actions = solo.receive(2, Message::ViewChange(with(2, "b")));
    assert!(matches!(evidence(&actions), Some(Evidence::PreparedCertificates(..))));
    assert_eq!(solo.replica.standing(), Standing::Halted);
    assert_eq!(solo.replica.view(), View(0), "no view begins on contradictions");
    assert!(outputs(&solo.pass(Duration::from_secs(5))).is_empty());
}

#[test]
fn a_new_view_that_contradicts_a_committed_slot_is_not_followed() {
    let world = World::new(4);
    let mut solo = Solo::new(&world, 3);
    let committed = world.committed_slot(1, &[1]);
    let executed = solo.receive(2, Message::Committed(vec![committed.clone()]));
    solo.execute(&executed);
    let other = world.prepared(at(0, 1), digest("other"));
    let view_changes: Vec<_> = (0..3).map(|signer| world.view_change(signer, 1, vec![other.clone()])).collect();
    for view_change in &view_changes {
        solo.receive(view_change.signer.0, Message::ViewChange(view_change.clone()));
    }
    let actions = solo.receive(1, Message::NewView(world.new_view(1, &view_changes)));
    match evidence(&actions) {
        Some(Evidence::ContradictsCommitted(_, certificate)) => assert_eq!(certificate, committed.certificate),
        other => panic!("no evidence but {other:?}"),
    }
    assert_eq!((solo.replica.standing(), solo.replica.view()), (Standing::Halted, View(0)));
}

#[test]
fn execution_does_not_move_backwards_whatever_checkpoint_is_proven() {
    let world = World::new(4);
    let mut solo = Solo::new(&world, 1);
    for seq in 1..=K + 2 {
        solo.commit_and_execute(seq, &[seq]);
    }
    let root = root_at(&world, K);
    let stable = solo.receive(2, Message::CheckpointCertificate(world.certified(K, root)));
    assert_eq!(outputs(&stable), ["journal stable s4", "stable s4"]);
    assert_eq!(solo.replica.execution(), (SeqNum(K + 2), SeqNum(K + 2)));
    let old = solo.receive(2, Message::CheckpointCertificate(world.certified(K, root)));
    assert_eq!(rejection(&old), Some(Rejection::Duplicate));
    let ahead = solo.receive(2, Message::CheckpointCertificate(world.certified(100 * K, digest("far"))));
    assert!(outputs(&ahead).is_empty(), "only a goal");
    assert_eq!(solo.replica.watermarks().0, SeqNum(K));
    let again: Vec<CommittedSlot> = (1..=K + 2).map(|seq| world.committed_slot(seq, &[seq])).collect();
    let repeated = solo.receive(2, Message::Committed(again));
    assert!(outputs(&repeated).is_empty(), "nothing is executed twice");
}

/// The root after slots 1 to `seq`, each with the request of its own number.
fn root_at(world: &World, seq: u64) -> quorate_crypto::Digest {
    let mut solo = Solo::new(world, 1);
    for seq in 1..=seq {
        solo.commit_and_execute(seq, &[seq]);
    }
    solo.executor.root()
}
