//! When a backup suspects its primary, and when not. One backup of four is given heartbeats, requests and executions at
//! exact times; then clusters in which a few suspect, an idle primary dies, or a primary hands over the lead.
//!
//! Keeps out: 24 (a request known only to the primary starts no timer), 26 (an idle primary dies unnoticed, or an idle
//! cluster changes views), 45 (garbage from a member that is not the primary starts a view change).

use std::time::Duration;

use quorate::core::{Actions, Event, Notice, Phase, SuspicionCause, ViewChangeCause};
use quorate::messages::{Message, Standing, Status};
use quorate::{ReplicaId, SeqNum, View};
use quorate_crypto::Digest;

use crate::support::{Cluster, K, Solo, World, at, digest, outputs};

const T: Duration = Duration::from_secs(1);
const BEAT: Duration = Duration::from_millis(100);

fn healthy() -> Status {
    Status {
        view: View(0),
        target: None,
        suspects: false,
        standing: Standing::Voting,
        stable: SeqNum(0),
        executed: SeqNum(0),
        chain: Digest::ZERO,
        slots: Vec::new(),
    }
}

/// What it said of its suspicion: a cause, or that it withdraws it.
fn said(actions: &Actions) -> Vec<Option<SuspicionCause>> {
    let said = actions.notices.iter().filter_map(|notice| {
        if let Notice::Suspected { cause, .. } = notice {
            Some(Some(*cause))
        } else {
            matches!(notice, Notice::SuspicionWithdrawn { .. }).then_some(None)
        }
    });
    said.collect()
}

/// Time passes while the primary's heart beats; what the backup said meanwhile.
fn beat(backup: &mut Solo, beats: u32) -> Vec<Option<SuspicionCause>> {
    let mut all = Vec::new();
    for _ in 0..beats {
        all.extend(said(&backup.pass(BEAT)));
        all.extend(said(&backup.receive(0, Message::Status(healthy()))));
    }
    all
}

fn link(peer: u16, up: bool) -> Event {
    Event::Link { peer: ReplicaId(peer), up }
}

#[test]
fn a_request_that_waits_longer_than_the_time_out_without_any_execution_is_cause_a() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    let forwarded = backup.request(world.request(0, 1));
    assert_eq!(outputs(&forwarded), ["to 0: forward 1"]);
    assert_eq!(beat(&mut backup, 9), []);
    assert_eq!(beat(&mut backup, 1), [Some(SuspicionCause::NoProgress)]);
    // It ends with the first request that is executed.
    let executed = backup.commit_and_execute(1, &[1]);
    assert_eq!(said(&executed), [None]);
    assert_eq!(beat(&mut backup, 30), [], "nothing waits any more");
}

#[test]
fn a_request_in_an_accepted_batch_waits_too_and_slots_without_new_requests_are_no_progress() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    backup.commit_and_execute(1, &[1]);
    backup.receive(0, world.proposal((View(0), SeqNum(4)), &world.batch(&[2])));
    assert_eq!(beat(&mut backup, 5), []);
    backup.commit_and_execute(2, &[]);
    backup.commit_and_execute(3, &[1]);
    assert_eq!(beat(&mut backup, 5), [Some(SuspicionCause::NoProgress)]);
}

#[test]
fn a_request_whose_assignment_came_to_nothing_is_handed_on_again_unless_a_later_one_has_it() {
    let world = World::new(4);
    for is_assigned_again in [false, true] {
        let mut backup = Solo::new(&world, 1);
        backup.request(world.request(0, 1));
        backup.receive(0, world.proposal(at(0, 1), &world.batch(&[1])));
        if is_assigned_again {
            backup.receive(0, world.proposal(at(0, 2), &world.batch(&[1])));
        }
        // To the others the primary assigned another batch.
        let committed = backup.receive(2, Message::Committed(vec![world.committed_slot(1, &[2])]));
        backup.execute(&committed);
        let later = outputs(&backup.pass(T * 6 / 10));
        assert_eq!(later.contains(&"to 0: forward 1".to_owned()), !is_assigned_again, "{later:?}");
    }
}

#[test]
fn a_request_that_is_assigned_to_a_slot_that_is_taken_goes_on_waiting() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    backup.request(world.request(0, 1));
    let committed = backup.receive(2, Message::Committed(vec![world.committed_slot(1, &[2])]));
    backup.execute(&committed);
    backup.receive(0, world.proposal(at(0, 1), &world.batch(&[1])));
    let later = outputs(&backup.pass(T * 6 / 10));
    assert!(later.contains(&"to 0: forward 1".to_owned()), "{later:?}");
}

#[test]
fn progress_with_other_requests_is_not_cause_a() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    backup.request(world.request(0, 50));
    for seq in 1..=4 {
        assert_eq!(beat(&mut backup, 6), []);
        backup.commit_and_execute(seq, &[seq]);
    }
}

#[test]
fn a_forwarded_request_that_waits_for_the_cap_is_cause_b_although_others_execute() {
    let world = World::with(4, |_, config| config.timeout_cap_ms = 2_000);
    let mut backup = Solo::new(&world, 1);
    backup.request(world.request(0, 50));
    let mut all = Vec::new();
    for seq in 1..=4 {
        all.extend(beat(&mut backup, 5));
        all.extend(said(&backup.commit_and_execute(seq, &[seq])));
    }
    assert_eq!(all, [Some(SuspicionCause::Censorship)]);
    assert_eq!(said(&backup.commit_and_execute(5, &[50])), [None]);
}

#[test]
fn a_forwarded_request_overtaken_by_two_pools_of_later_ones_is_cause_b_at_once() {
    let world = World::with(4, |_, config| config.pool_requests_max = 1);
    let mut backup = Solo::new(&world, 1);
    backup.request(world.request(0, 50));
    assert_eq!(said(&backup.commit_and_execute(1, &[1, 2])), []);
    assert_eq!(said(&backup.commit_and_execute(2, &[3])), [Some(SuspicionCause::Censorship)]);
}

#[test]
fn a_primary_that_is_silent_for_the_time_out_is_cause_c_on_an_idle_cluster_too() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    assert_eq!(beat(&mut backup, 30), []);
    assert_eq!(said(&backup.pass(T - Duration::from_millis(1))), []);
    assert_eq!(said(&backup.pass(Duration::from_millis(1))), [Some(SuspicionCause::Silence)]);
    // Others who are heard do not stand in for it.
    assert_eq!(said(&backup.receive(2, Message::Status(healthy()))), []);
    assert_eq!(said(&backup.receive(0, Message::Status(healthy()))), [None]);
}

#[test]
fn a_broken_connection_is_cause_d_after_its_grace_only() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    assert_eq!(said(&backup.step(link(0, false))), [], "it never stood");
    assert_eq!(beat(&mut backup, 5), []);
    backup.step(link(0, true));
    backup.step(link(0, false));
    assert_eq!(said(&backup.pass(Duration::from_millis(249))), []);
    backup.step(link(0, true));
    assert_eq!(beat(&mut backup, 5), [], "it came back in time");
    backup.step(link(0, false));
    assert_eq!(said(&backup.pass(Duration::from_millis(250))), [Some(SuspicionCause::LinkBroken)]);
    assert_eq!(said(&backup.step(link(0, true))), [None]);
}

#[test]
fn a_broken_connection_to_a_backup_is_no_cause() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    for peer in [2, 3] {
        backup.step(link(peer, true));
        backup.step(link(peer, false));
    }
    assert_eq!(beat(&mut backup, 20), []);
}

#[test]
fn a_primary_that_says_it_cannot_vote_is_cause_e_and_a_backup_that_says_so_is_not() {
    let world = World::new(4);
    for standing in [Standing::Diverged { at: SeqNum(4) }, Standing::Halted] {
        let mut backup = Solo::new(&world, 1);
        let unable = Message::Status(Status { standing, ..healthy() });
        assert_eq!(said(&backup.receive(2, unable.clone())), []);
        assert_eq!(said(&backup.receive(0, unable)), [Some(SuspicionCause::CannotVote)]);
        assert_eq!(said(&backup.receive(0, Message::Status(healthy()))), [None]);
    }
}

#[test]
fn who_is_far_behind_a_certificate_does_not_blame_the_primary_for_it() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    backup.request(world.request(0, 1));
    backup.receive(2, Message::CheckpointCertificate(world.certified(2 * K, digest("root"))));
    assert_eq!(beat(&mut backup, 30), []);
}

#[test]
fn a_primary_does_not_suspect_itself() {
    let world = World::new(4);
    let mut primary = Solo::new(&world, 0);
    primary.request(world.request(0, 1));
    assert_eq!(said(&primary.pass(Duration::from_secs(30))), []);
}

#[test]
fn suspicion_is_said_at_once_and_requests_go_to_everybody_while_voting_goes_on() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    backup.request(world.request(0, 1));
    let actions = backup.pass(T);
    assert!(outputs(&actions).contains(&"to all: forward 1".to_owned()), "{:?}", outputs(&actions));
    assert!(backup.replica.status().suspects);
    let vote = backup.receive(0, world.proposal((View(0), SeqNum(1)), &world.batch(&[2])));
    assert_eq!(outputs(&vote).last().map(String::as_str), Some("to all: prepare v0 s1"));
}

#[test]
fn one_member_alone_does_not_begin_a_view_change_and_w_do() {
    for (n, others) in [(4, 1), (7, 2)] {
        let world = World::new(n);
        let mut backup = Solo::new(&world, 1);
        backup.pass(T);
        let suspects = Message::Status(Status { suspects: true, ..healthy() });
        for other in 2..2 + others {
            assert_eq!(backup.replica.phase(), Phase::Active, "n = {n}: fewer than W suspect");
            let of_another_view = Status { view: View(1), suspects: true, ..healthy() };
            backup.receive(n - 1, Message::Status(of_another_view));
            assert_eq!(backup.replica.phase(), Phase::Active, "n = {n}: it suspects another view");
            backup.receive(other, suspects.clone());
        }
        assert_eq!(backup.replica.phase(), Phase::ViewChanging { target: View(1) }, "n = {n}");
    }
}

#[test]
fn the_suspicion_of_all_others_does_not_move_who_has_no_cause() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    for other in [2, 3] {
        backup.receive(other, Message::Status(Status { suspects: true, ..healthy() }));
    }
    assert_eq!(beat(&mut backup, 20), []);
    assert_eq!(backup.replica.phase(), Phase::Active);
}

#[test]
fn an_idle_primary_that_dies_is_noticed_and_replaced() {
    let mut cluster = Cluster::new(4);
    cluster.pass(Duration::from_secs(5));
    cluster.drop_when(|envelope| envelope.from == 0 || envelope.to == 0);
    cluster.pass(Duration::from_millis(1_300));
    assert_eq!([1, 2, 3].map(|id| cluster.replica(id).view()), [View(1); 3]);
    assert_eq!(cluster.suspicions(1), [Some(SuspicionCause::Silence)]);
}

#[test]
fn a_request_known_to_one_backup_only_is_executed_although_the_primary_ignores_it() {
    let mut cluster = Cluster::new(4);
    cluster.drop_when(|envelope| envelope.to == 0 && matches!(envelope.message, Message::Forward(_)));
    cluster.submit(2, 1);
    cluster.pass(Duration::from_secs(3));
    for id in cluster.ids() {
        assert_eq!(cluster.executed(id), [1], "replica {id}");
        assert_eq!(cluster.replica(id).view(), View(1));
    }
}

#[test]
fn a_request_whose_first_forward_got_lost_is_handed_on_again_before_the_primary_is_suspected() {
    let mut cluster = Cluster::new(4);
    cluster.drop_when(|envelope| matches!(envelope.message, Message::Forward(_)));
    cluster.submit(2, 1);
    cluster.heal();
    cluster.pass(Duration::from_secs(3));
    for id in cluster.ids() {
        assert_eq!(cluster.executed(id), [1], "replica {id}");
        assert_eq!((cluster.replica(id).view(), cluster.suspicions(id)), (View(0), Vec::new()));
    }
}

#[test]
fn a_primary_that_stops_hands_over_the_lead_without_any_suspicion_and_a_backup_cannot() {
    let mut cluster = Cluster::new(4);
    cluster.event(2, Event::StepDown);
    assert!(cluster.asked(2).is_empty());
    cluster.event(0, Event::StepDown);
    for id in cluster.ids() {
        assert_eq!(cluster.asked(id), [(View(1), ViewChangeCause::PrimaryAsked)]);
        assert_eq!((cluster.entered(id), cluster.suspicions(id)), (vec![View(1)], Vec::new()));
    }
    let mut alone = Cluster::new(1);
    alone.event(0, Event::StepDown);
    alone.submit(0, 1);
    assert_eq!(alone.executed(0), [1]);
}

#[test]
fn a_view_change_that_the_primary_signs_for_any_view_but_the_next_moves_nobody() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    backup.receive(0, Message::ViewChange(world.view_change(0, 2, Vec::new())));
    assert_eq!(backup.replica.phase(), Phase::Active);
    backup.receive(2, Message::ViewChange(world.view_change(2, 1, Vec::new())));
    assert_eq!(backup.replica.phase(), Phase::ViewChanging { target: View(1) }, "two of four join");
}

#[test]
fn messages_of_a_backup_that_mean_nothing_do_not_start_a_view_change() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    let place = (View(0), SeqNum(1));
    let garbage = [
        world.prepare(3, (View(9), SeqNum(1)), digest("a")),
        world.commit(3, (View(u64::MAX), SeqNum(u64::MAX)), digest("a")),
        world.commit(3, place, digest("a")),
        world.commit(3, place, digest("b")),
        Message::Status(Status {
            view: View(u64::MAX),
            target: Some(View(3)),
            executed: SeqNum(u64::MAX),
            ..healthy()
        }),
        Message::NewView(world.new_view(3, &[0, 1, 2].map(|signer| world.view_change(signer, 3, Vec::new())))),
    ];
    for message in garbage {
        for _ in 0..3 {
            backup.receive(3, message.clone());
        }
    }
    assert_eq!(beat(&mut backup, 20), []);
    assert_eq!((backup.replica.phase(), backup.replica.view()), (Phase::Active, View(0)));
}
