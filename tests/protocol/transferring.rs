//! When the core asks for a state instead of a log: there is none, nobody keeps the log, or it would take too long. While
//! it comes nothing is executed; what comes after it is executed once.
//!
//! Keeps out: 15 (a decision delivered twice when catch-up and view change run at once), 19 (a replica that timed out
//! while catching up never rejoins), 35 (a poisoned maximum height).

use std::time::Duration;

use quorate::client_window::ClientWindow;
use quorate::core::{Event, ExecutedBatch, Notice, Recovered, Report, TransferCause};
use quorate::messages::{Message, Standing};
use quorate::runtime::ReplicaView;
use quorate::{RequestNumber, SeqNum, View};

use crate::support::{Cluster, K, L, SESSION, Solo, World, at, digest, outputs};

#[test]
fn a_replica_without_a_state_gets_the_highest_certified_one() {
    let world = World::new(4);
    let mut solo = Solo::not_installed(&world, 1, Recovered::default());
    let missing = solo.step(Event::Executor(Report::StateMissing));
    assert!(outputs(&missing).is_empty(), "no certificate names one yet");
    let told = solo.receive(2, Message::CheckpointCertificate(world.certified(K, digest("root"))));
    assert_eq!(outputs(&told), [format!("catch up to s{K}")]);
    assert!(told.notices.contains(&Notice::StateTransferStarted { goal: SeqNum(K), cause: TransferCause::NoState }));
    let newer = solo.receive(2, Message::CheckpointCertificate(world.certified(3 * K, digest("root"))));
    assert_eq!(outputs(&newer), [format!("catch up to s{}", 3 * K)], "the goal moves");
    let older = solo.receive(3, Message::CheckpointCertificate(world.certified(2 * K, digest("root"))));
    assert!(outputs(&older).is_empty());
}

#[test]
fn a_replica_without_a_state_does_not_say_that_it_votes() {
    let world = World::new(4);
    let mut solo = Solo::not_installed(&world, 1, Recovered::default());
    let why = |solo: &Solo| ReplicaView::of(&solo.replica).why_not_voting;
    solo.step(Event::Executor(Report::StateMissing));
    let expected = "has no usable state: waits for a certified checkpoint to fetch";
    assert_eq!(why(&solo).as_deref(), Some(expected));
    let certificate = world.certified(K, digest("root"));
    solo.receive(2, Message::CheckpointCertificate(certificate.clone()));
    assert_eq!(why(&solo), Some(format!("has no usable state: fetches the state of slot {K}")));
    assert!(!ReplicaView::of(&solo.replica).voting);
    let (seq, chain, root) = (SeqNum(K), digest("chain"), digest("root"));
    let installed = Report::Installed { seq, chain, root, certificate: Some(certificate), windows: Vec::new() };
    solo.step(Event::Executor(installed));
    assert_eq!(why(&solo), None);
}

#[test]
fn nothing_is_executed_between_the_order_for_a_state_and_its_arrival() {
    let world = World::new(4);
    let mut solo = Solo::not_installed(&world, 1, Recovered::default());
    solo.step(Event::Executor(Report::StateMissing));
    solo.receive(2, Message::CheckpointCertificate(world.certified(K, digest("root"))));
    let committed = solo.receive(2, Message::Committed(vec![world.committed_slot(1, &[1])]));
    assert!(committed.execute.is_empty());
    let voted = solo.commit(2, &[2]);
    assert!(voted.execute.is_empty());
    solo.commit(K + 1, &[K + 1]);
    let installed = Report::Installed {
        seq: SeqNum(K),
        chain: digest("chain"),
        root: digest("root"),
        certificate: Some(world.certified(K, digest("root"))),
        windows: Vec::new(),
    };
    let after = solo.step(Event::Executor(installed));
    let lines = outputs(&after);
    assert!(lines.contains(&format!("journal stable s{K}")), "{lines:?}");
    assert_eq!(lines.last(), Some(&format!("apply s{}", K + 1)), "what was committed meanwhile follows: {lines:?}");
    assert_eq!(solo.replica.watermarks().0, SeqNum(K));
}

#[test]
fn requests_that_a_fetched_state_contains_wait_no_more_and_the_others_wait_again() {
    let world = World::new(4);
    let mut solo = Solo::not_installed(&world, 1, Recovered::default());
    solo.step(Event::Executor(Report::StateMissing));
    for number in [1, 2, 3] {
        solo.request(world.request(0, number));
    }
    // One of them is in a slot that the state takes the place of, another one in a slot behind it.
    solo.receive(0, world.proposal(at(0, 1), &world.batch(&[2])));
    solo.receive(0, world.proposal(at(0, K + 1), &world.batch(&[3])));
    solo.receive(2, Message::CheckpointCertificate(world.certified(K, digest("root"))));
    let mut window = ClientWindow::new(world.genesis.limits.client_window);
    window.record(SESSION, RequestNumber(1));
    let installed = Report::Installed {
        seq: SeqNum(K),
        chain: digest("chain"),
        root: digest("root"),
        certificate: Some(world.certified(K, digest("root"))),
        windows: vec![(world.client(0), window)],
    };
    solo.step(Event::Executor(installed));
    assert_eq!(solo.replica.load().0, 2, "the first is executed");
    let later = outputs(&solo.pass(Duration::from_millis(600)));
    let forwarded: Vec<_> = later.iter().filter(|line| line.contains("forward")).collect();
    assert_eq!(forwarded, ["to 0: forward 2"]);
}

#[test]
fn a_state_that_comes_when_the_core_has_gone_on_without_it_leaves_no_gap() {
    let world = World::new(4);
    let mut solo = Solo::not_installed(&world, 1, Recovered::default());
    let installed = |at: u64| {
        let (chain, root) = (digest("chain"), digest("root"));
        let certificate = Some(world.certified(at, root));
        Event::Executor(Report::Installed { seq: SeqNum(at), chain, root, certificate, windows: Vec::new() })
    };
    solo.step(Event::Executor(Report::StateMissing));
    for goal in [K, 2 * K] {
        let told = solo.receive(2, Message::CheckpointCertificate(world.certified(goal, digest("root"))));
        assert_eq!(outputs(&told), [format!("catch up to s{goal}")]);
    }
    solo.step(installed(K));
    for seq in K + 1..=2 * K + 1 {
        let committed = solo.commit(seq, &[seq]);
        assert!(outputs(&committed).contains(&format!("apply s{seq}")), "{:?}", outputs(&committed));
    }
    solo.step(installed(2 * K));
    assert_eq!(solo.replica.execution(), (SeqNum(2 * K + 1), SeqNum(2 * K)));
    assert_eq!(solo.replica.watermarks().0, SeqNum(2 * K));
    let next = ExecutedBatch { seq: SeqNum(2 * K + 1), chain: digest("next"), requests: Vec::new(), root: None };
    solo.step(Event::Executor(Report::Executed(next)));
    assert_eq!(solo.replica.execution().1, SeqNum(2 * K + 1));
}

/// Replica 3 was away for three windows, and nobody keeps the log below the last one.
fn behind_all_logs(serves_states: bool) -> Cluster {
    let mut cluster = Cluster::new(4);
    cluster.serve_states(serves_states);
    cluster.crash(3);
    for number in 1..=3 * L {
        cluster.submit(0, number);
    }
    cluster.history_from = SeqNum(2 * L);
    cluster.restart(3);
    cluster
}

#[test]
fn a_replica_that_finds_the_log_nowhere_gets_the_state_and_then_the_rest_of_the_log() {
    let mut cluster = behind_all_logs(true);
    cluster.pass(Duration::from_secs(3));
    assert_eq!(cluster.transfers.len(), 1, "{:?}", cluster.transfers);
    assert_eq!(cluster.executed(3), cluster.executed(0));
    assert_eq!(cluster.replica(3).standing(), Standing::Voting);
    for number in 3 * L + 1..=4 * L {
        cluster.submit(0, number);
    }
    assert_eq!(cluster.replica(3).watermarks().0, SeqNum(4 * L), "its checkpoints are those of the others");
}

#[test]
fn one_peer_that_says_the_log_is_gone_does_not_decide_it() {
    let mut cluster = Cluster::new(4);
    cluster.crash(3);
    for number in 1..=L {
        cluster.submit(0, number);
    }
    cluster.drop_when(|envelope| envelope.from == 1 && matches!(envelope.message, Message::Committed(_)));
    cluster.restart(3);
    for _ in 0..3 {
        cluster.inject(1, 3, Message::HistoryGone { after: SeqNum(0) });
        cluster.pass(Duration::from_millis(100));
    }
    cluster.pass(Duration::from_secs(2));
    assert!(cluster.transfers.is_empty(), "{:?}", cluster.transfers);
    assert_eq!(cluster.executed(3), cluster.executed(0));
}

#[test]
fn a_view_change_during_the_transfer_delivers_nothing_twice_and_leaves_nobody_behind() {
    let mut cluster = behind_all_logs(false);
    cluster.pass(Duration::from_secs(1));
    cluster.crash(0);
    cluster.pass(Duration::from_secs(3));
    assert_eq!(cluster.replica(3).view(), View(1), "it follows into the new view while its state is on the way");
    cluster.submit(1, 3 * L + 1);
    cluster.serve_states(true);
    for number in 3 * L + 2..=4 * L {
        cluster.submit(1, number);
    }
    cluster.pass(Duration::from_secs(3));
    assert_eq!(cluster.executed(3), cluster.executed(1));
    assert_eq!(cluster.executed(1).len() as u64, 4 * L);
}

#[test]
fn views_that_move_on_while_its_state_is_on_the_way_do_not_keep_a_replica_out() {
    let mut cluster = behind_all_logs(false);
    cluster.pass(Duration::from_secs(1));
    // It hears nothing while the lead is handed on, past its own turn.
    cluster.drop_when(|envelope| envelope.from == 3 || envelope.to == 3);
    for primary in [0, 1, 2] {
        cluster.event(primary, Event::StepDown);
        cluster.pass(Duration::from_secs(10));
    }
    let newest = cluster.replica(0).view();
    assert!(newest >= View(4) && cluster.replica(3).view() < newest, "{newest}, {}", cluster.replica(3).view());
    assert_eq!((&cluster.transfers, cluster.executed(3)), (&Vec::new(), Vec::new()), "its state is still on the way");

    cluster.heal();
    cluster.serve_states(true);
    let primary = cluster.world.primary(newest);
    for number in 3 * L + 1..=4 * L {
        cluster.submit(primary, number);
    }
    cluster.pass(Duration::from_secs(3));
    assert_eq!((cluster.replica(3).view(), cluster.replica(3).standing()), (newest, Standing::Voting));
    assert_eq!(cluster.executed(3), cluster.executed(0));

    // Without its votes there is no quorum now.
    let other = (0..3).find(|id| *id != primary).expect("one of three");
    cluster.crash(other);
    cluster.submit(primary, 4 * L + 1);
    assert_eq!(cluster.executed(primary).last(), Some(&(4 * L + 1)));
    assert_eq!(cluster.executed(3), cluster.executed(primary));
}
