//! Time-outs of the view change: they double while views are fruitless, stop at the cap, and are the base again as soon
//! as a new request executes. A clock that was cancelled does not run out later.
//!
//! Keeps out: 19 (who timed out alone can never come back), 23 (a commit after asking for a view change, or a late
//! timer), 25 (back-off to hours, and views at the end of their type).

use std::time::Duration;

use quorate::core::{Event, Phase, Rejection, ViewChangeCause};
use quorate::messages::Message;
use quorate::{SeqNum, View};

use crate::support::{Cluster, Solo, World, at, outputs, rejection};

/// The times between one request for a view and the next, in milliseconds.
fn pauses(cluster: &Cluster, id: u16) -> Vec<u128> {
    let asked = cluster.asked_at(id);
    asked.iter().zip(asked.iter().skip(1)).map(|(a, b)| b.0.since(a.0).as_millis()).collect()
}

fn without_new_views() -> Cluster {
    let mut cluster = Cluster::of(World::with(4, |_, config| config.timeout_cap_ms = 4_000));
    cluster.drop_when(|envelope| matches!(envelope.message, Message::NewView(_)) || envelope.from == envelope.to);
    cluster
}

#[test]
fn time_outs_do_not_grow_beyond_their_cap() {
    let mut cluster = without_new_views();
    cluster.submit(1, 1);
    cluster.crash(0);
    cluster.pass(Duration::from_secs(30));
    let pauses = pauses(&cluster, 3);
    assert!(pauses.len() > 5, "{pauses:?}");
    assert!(pauses.iter().all(|pause| *pause <= 4_100), "never beyond the cap: {pauses:?}");
    assert!(pauses.iter().filter(|pause| **pause >= 4_000).count() >= 3, "and up to it: {pauses:?}");
}

#[test]
fn a_time_out_doubles_with_each_fruitless_view_and_is_the_base_again_after_a_new_request() {
    let mut cluster = Cluster::new(4);
    // Nothing is ever prepared: every view is fruitless while the request waits.
    cluster.drop_when(|envelope| matches!(envelope.message, Message::Prepare(_)));
    for id in 0..4 {
        cluster.submit(id, 1);
    }
    cluster.pass(Duration::from_secs(12));
    let fruitless = pauses(&cluster, 3);
    let rounded: Vec<_> = fruitless.iter().map(|pause| pause / 100 * 100).collect();
    assert_eq!(rounded, [1_000, 2_000, 4_000], "{fruitless:?}");
    cluster.heal();
    cluster.pass(Duration::from_secs(20));
    assert_eq!(cluster.executed(3), [1]);

    let before = cluster.asked_at(3).len();
    cluster.drop_when(|envelope| matches!(envelope.message, Message::Prepare(_)));
    for id in 0..4 {
        cluster.submit(id, 2);
    }
    let waits_since = cluster.now.monotonic;
    cluster.pass(Duration::from_secs(3));
    let (asked, ..) = cluster.asked_at(3)[before];
    assert_eq!(asked.since(waits_since).as_millis() / 100, 10, "T is one second again");
}

#[test]
fn a_new_view_that_does_not_come_is_not_waited_for_longer_than_the_time_out() {
    let mut cluster = without_new_views();
    cluster.event(0, Event::StepDown);
    cluster.pass(Duration::from_millis(1_050));
    assert_eq!(
        cluster.asked(3)[..2],
        [(View(1), ViewChangeCause::PrimaryAsked), (View(2), ViewChangeCause::NewViewLate)]
    );
}

#[test]
fn the_clock_of_the_new_view_does_not_run_before_a_quorum_asks() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 3);
    backup.receive(0, Message::ViewChange(world.view_change(0, 1, Vec::new())));
    assert_eq!(backup.replica.phase(), Phase::ViewChanging { target: View(1) });
    backup.pass(Duration::from_secs(60));
    assert_eq!(backup.replica.phase(), Phase::ViewChanging { target: View(1) }, "two of four is no quorum");
    backup.receive(2, Message::ViewChange(world.view_change(2, 1, Vec::new())));
    backup.pass(Duration::from_millis(999));
    assert_eq!(backup.replica.phase(), Phase::ViewChanging { target: View(1) });
    backup.pass(Duration::from_millis(2));
    assert_eq!(backup.replica.phase(), Phase::ViewChanging { target: View(2) });
}

#[test]
fn a_timer_of_a_view_that_has_passed_does_not_fire() {
    let mut cluster = Cluster::new(4);
    cluster.submit(0, 1);
    cluster.event(0, Event::StepDown);
    assert_eq!(cluster.entered(3), [View(1)]);
    cluster.pass(Duration::from_secs(60));
    for id in 0..4 {
        assert_eq!(cluster.replica(id).view(), View(1), "an idle cluster with a live primary stays in its view");
    }
}

#[test]
fn nobody_votes_in_a_view_that_it_wants_to_leave() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    backup.prepare(1, &[1]);
    let batch = world.batch(&[2]);
    backup.receive(0, world.proposal(at(0, 2), &batch));
    let left = backup.receive(0, Message::ViewChange(world.view_change(0, 1, Vec::new())));
    assert_eq!(outputs(&left), ["journal view_change v1", "to all: view_change v1 of 1"]);

    let prepared = backup.receive(2, world.prepare(2, at(0, 2), batch.digest(SeqNum(2))));
    assert!(outputs(&prepared).is_empty(), "no Commit: {:?}", outputs(&prepared));
    let proposed = backup.receive(0, world.proposal(at(0, 3), &world.batch(&[3])));
    assert_eq!(rejection(&proposed), Some(Rejection::ViewInactive));
    assert!(outputs(&proposed).is_empty());

    // What the others committed there still executes.
    let digest = world.batch(&[1]).digest(SeqNum(1));
    backup.receive(0, world.commit(0, at(0, 1), digest));
    let committed = backup.receive(2, world.commit(2, at(0, 1), digest));
    assert_eq!(outputs(&committed), ["journal committed v0 s1", "apply s1"]);
}

#[test]
fn the_last_view_of_all_does_not_overflow() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 2);
    for signer in [0, 1, 3] {
        backup.receive(signer, Message::ViewChange(world.view_change(signer, u64::MAX, Vec::new())));
    }
    backup.pass(Duration::from_secs(5));
    assert_eq!(backup.replica.phase(), Phase::ViewChanging { target: View(u64::MAX) });
}

#[test]
fn a_replica_alone_in_a_later_view_is_let_back_in() {
    let mut cluster = Cluster::new(4);
    cluster.drop_when(|envelope| envelope.to == 3 || envelope.from == 3);
    // It suspects, and one Byzantine member says to it alone that it suspects too.
    cluster.pass(Duration::from_secs(1));
    let mut status = cluster.replica(2).status();
    status.suspects = true;
    cluster.drop_when(|envelope| (envelope.to == 3 && envelope.from != 2) || envelope.from == 3);
    cluster.inject(2, 3, Message::Status(status));
    cluster.pass(Duration::from_millis(200));
    assert_eq!(cluster.replica(3).phase(), Phase::ViewChanging { target: View(1) }, "alone");
    assert_eq!(cluster.replica(0).view(), View(0));
    cluster.heal();
    cluster.pass(Duration::from_secs(4));
    for id in 0..4 {
        assert_eq!((cluster.replica(id).view(), cluster.replica(id).phase()), (View(1), Phase::Active), "{id}");
    }
    cluster.submit(1, 1);
    assert_eq!(cluster.executed(3), [1]);
}
