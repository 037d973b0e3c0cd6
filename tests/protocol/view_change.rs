//! View changes of a whole cluster. A primary fails at the worst moment: when a batch is prepared at some, committed at
//! one, or known to a few. What may have been executed anywhere must stand at the same slot afterwards, requests are not
//! lost, and the cluster goes on. Agreement, durable votes and one vote for each place are checked at every step.
//!
//! Keeps out: 1 (a committed slot lost), 2 (the first certificate), 3 (a prepared slot filled with null), 15 (a decision
//! delivered twice), 16, 18 (outstanding requests lost or executed twice), 20 (a replica stays in ViewChanging), 21 (commit
//! and view change block each other).

use std::time::Duration;

use quorate::batch::null_digest;
use quorate::core::{Event, Notice, Phase, ViewChangeCause};
use quorate::messages::Message;
use quorate::{SeqNum, View};

use crate::support::{Cluster, Envelope, Fate};

const LONG_ENOUGH: Duration = Duration::from_millis(600);

fn is_commit(envelope: &Envelope) -> bool {
    matches!(envelope.message, Message::Commit(_))
}

fn is_prepare(envelope: &Envelope) -> bool {
    matches!(envelope.message, Message::Prepare(_))
}

/// The view and slot of an assignment, or of a vote on it.
fn place(message: &Message) -> Option<(View, SeqNum)> {
    if let Message::PrePrepare(proposal) = message {
        Some((proposal.header.payload.view, proposal.header.payload.seq))
    } else if let Message::Prepare(vote) = message {
        Some((vote.payload.view, vote.payload.seq))
    } else if let Message::Commit(vote) = message {
        Some((vote.payload.view, vote.payload.seq))
    } else {
        None
    }
}

fn slot(message: &Message) -> Option<SeqNum> {
    place(message).map(|(_, seq)| seq)
}

/// The batch that the primary of view 0 assigned to slot 1.
fn assigned(cluster: &Cluster) -> quorate_crypto::Digest {
    let mut prepared = cluster.ids().filter(|id| *id != 0).flat_map(|id| cluster.replica(id).prepared());
    prepared.find(|certificate| certificate.seq() == SeqNum(1)).expect("prepared somewhere").digest()
}

fn re_proposed(cluster: &Cluster, id: u16) -> Vec<(usize, usize)> {
    let entered = cluster.node(id).notices.iter().filter_map(|(_, notice)| {
        if let Notice::ViewEntered { re_proposed, null_filled, .. } = notice {
            Some((*re_proposed, *null_filled))
        } else {
            None
        }
    });
    entered.collect()
}

#[test]
fn a_slot_prepared_everywhere_is_not_lost_by_a_view_change() {
    for n in [4, 5, 6, 7] {
        let mut cluster = Cluster::new(n);
        cluster.drop_when(is_commit);
        cluster.submit(0, 1);
        let digest = assigned(&cluster);
        cluster.crash(0);
        cluster.heal();
        cluster.pass(LONG_ENOUGH);
        for id in 1..n {
            assert_eq!(cluster.executed(id), [1], "replica {id} of {n}");
            assert_eq!(cluster.entered(id), [View(1)]);
            assert_eq!(re_proposed(&cluster, id), [(1, 0)]);
        }
        assert_eq!(cluster.agreed(1), Some(digest));
    }
}

#[test]
fn a_slot_prepared_at_one_replica_only_is_not_lost_by_a_view_change() {
    let mut cluster = Cluster::new(4);
    cluster.drop_when(|envelope| is_commit(envelope) || (is_prepare(envelope) && envelope.to != 2));
    cluster.submit(0, 1);
    assert_eq!([1, 2, 3].map(|id| cluster.replica(id).prepared().count()), [0, 1, 0]);
    let digest = assigned(&cluster);
    cluster.crash(0);
    cluster.heal();
    cluster.pass(LONG_ENOUGH);
    assert_eq!(cluster.agreed(1), Some(digest));
    assert_eq!([1, 2, 3].map(|id| cluster.executed(id)), [[1], [1], [1]]);
}

#[test]
fn a_slot_committed_at_one_replica_only_keeps_its_batch_in_a_view_that_begins_without_that_replica() {
    let mut cluster = Cluster::new(4);
    cluster.drop_when(|envelope| is_commit(envelope) && envelope.to != 3);
    cluster.submit(0, 1);
    assert_eq!([0, 1, 2, 3].map(|id| cluster.executed(id).len()), [0, 0, 0, 1]);
    cluster.drop_when(|envelope| envelope.to == 3 || envelope.from == 3 || is_commit(envelope));
    cluster.event(0, Event::StepDown);
    assert_eq!([0, 1, 2, 3].map(|id| cluster.replica(id).view()), [View(1), View(1), View(1), View(0)]);
    cluster.heal();
    cluster.pass(LONG_ENOUGH);
    for id in 0..4 {
        assert_eq!((cluster.executed(id), cluster.replica(id).view()), (vec![1], View(1)), "replica {id}");
    }
}

#[test]
fn a_gap_below_a_prepared_slot_is_filled_with_null_and_its_request_is_ordered_later() {
    let mut cluster = Cluster::new(4);
    cluster.drop_when(|envelope| {
        slot(&envelope.message) == Some(SeqNum(1))
            || is_commit(envelope)
            || matches!(envelope.message, Message::Forward(_))
    });
    cluster.submit(0, 1);
    cluster.submit(0, 2);
    cluster.submit(1, 1);
    cluster.crash(0);
    cluster.heal();
    cluster.pass(LONG_ENOUGH);
    assert_eq!(cluster.agreed(1), Some(null_digest(SeqNum(1))));
    for id in 1..4 {
        assert_eq!(re_proposed(&cluster, id), [(1, 1)], "replica {id}");
        assert_eq!(cluster.executed(id), [2, 1], "replica {id}");
    }
}

#[test]
fn a_new_primary_without_the_body_fetches_it() {
    let mut cluster = Cluster::new(4);
    cluster.drop_when(|envelope| is_commit(envelope) || (envelope.to == 1 && slot(&envelope.message).is_some()));
    cluster.submit(0, 1);
    assert_eq!([1, 2, 3].map(|id| cluster.replica(id).prepared().count()), [0, 1, 1]);
    // Nobody hands it the assignment of view 0 later either.
    cluster.drop_when(|envelope| envelope.to == 1 && place(&envelope.message).is_some_and(|(view, _)| view == View(0)));
    cluster.crash(0);
    cluster.pass(LONG_ENOUGH);
    assert!(cluster.arrived(1, "fetch_batch s1") > 0);
    assert_eq!([1, 2, 3].map(|id| cluster.executed(id)), [[1], [1], [1]]);
    assert_eq!(cluster.entered(1), [View(1)]);
}

#[test]
fn a_batch_prepared_again_in_a_later_view_is_not_replaced_by_an_older_one() {
    // Prepared in view 0 and again in view 1; then a third view begins, and must take it too.
    let mut cluster = Cluster::new(7);
    cluster.drop_when(is_commit);
    cluster.submit(0, 1);
    let digest = assigned(&cluster);
    for leader in [0, 1] {
        cluster.event(leader, Event::StepDown);
    }
    let views: Vec<_> = cluster.replica(3).prepared().map(|certificate| certificate.view()).collect();
    assert_eq!(views, [View(2)], "the certificate with the highest view is kept");
    cluster.heal();
    cluster.pass(LONG_ENOUGH);
    assert_eq!(cluster.agreed(1), Some(digest));
    for id in 0..7 {
        assert_eq!(cluster.executed(id), [1], "replica {id}");
    }
}

#[test]
fn requests_outstanding_at_a_view_change_are_neither_lost_nor_executed_twice() {
    let mut cluster = Cluster::new(4);
    // Slot 1 prepares and does not commit, slot 2 stops at its assignment, request 3 waits at backups only.
    cluster.drop_when(|envelope| {
        is_commit(envelope)
            || (is_prepare(envelope) && slot(&envelope.message) == Some(SeqNum(2)))
            || matches!(envelope.message, Message::Forward(_))
    });
    cluster.submit(0, 1);
    cluster.submit(0, 2);
    cluster.submit(2, 3);
    cluster.submit(3, 1);
    cluster.crash(0);
    cluster.heal();
    cluster.pass(LONG_ENOUGH);
    for id in 1..4 {
        let mut executed = cluster.executed(id);
        assert_eq!(executed.first(), Some(&1), "replica {id}");
        executed.sort_unstable();
        assert_eq!(executed, [1, 2, 3], "replica {id}");
        assert_eq!(cluster.replica(id).load().0, 0, "nothing is left in the pool of {id}");
    }
}

#[test]
fn commits_of_the_old_view_still_count_after_a_view_change_began() {
    // Commits are on their way while the view change begins; both may finish first.
    let mut cluster = Cluster::new(4);
    cluster.rule(|envelope| if is_commit(envelope) { Fate::Hold } else { Fate::Deliver });
    cluster.submit(0, 1);
    cluster.rule(|envelope| if matches!(envelope.message, Message::NewView(_)) { Fate::Hold } else { Fate::Deliver });
    cluster.event(0, Event::StepDown);
    assert!(matches!(cluster.replica(2).phase(), Phase::ViewChanging { .. }));
    cluster.heal();
    for id in 0..4 {
        assert_eq!((cluster.executed(id), cluster.replica(id).phase()), (vec![1], Phase::Active), "replica {id}");
    }
    cluster.submit(1, 2);
    assert_eq!(cluster.executed(3), [1, 2]);
}

#[test]
fn f_plus_one_who_ask_for_a_view_take_the_others_along() {
    let mut cluster = Cluster::new(4);
    cluster.drop_when(|envelope| envelope.from == 0 && (envelope.to == 1 || envelope.to == 2));
    cluster.pass(Duration::from_millis(1100));
    assert_eq!(cluster.asked(3), [(View(1), ViewChangeCause::Join)], "it heard its primary all the time");
    assert_eq!(cluster.entered(3), [View(1)]);
}

#[test]
fn f_who_ask_for_a_view_do_not_take_the_others_along() {
    let mut cluster = Cluster::new(4);
    let view_change = cluster.world.view_change(2, u64::MAX, Vec::new());
    for id in [0, 1, 3] {
        cluster.inject(2, id, Message::ViewChange(view_change.clone()));
    }
    cluster.pass(LONG_ENOUGH);
    cluster.submit(0, 1);
    for id in [0, 1, 3] {
        assert!(cluster.asked(id).is_empty(), "replica {id}");
        assert_eq!(cluster.executed(id), [1]);
    }
}

#[test]
fn a_replica_that_missed_the_new_view_does_not_stay_in_view_changing() {
    let mut cluster = Cluster::new(4);
    cluster.drop_when(|envelope| envelope.to == 3 && matches!(envelope.message, Message::NewView(_)));
    cluster.event(0, Event::StepDown);
    assert_eq!(cluster.replica(3).phase(), Phase::ViewChanging { target: View(1) });
    cluster.submit(1, 1);
    cluster.heal();
    cluster.pass(LONG_ENOUGH);
    assert_eq!((cluster.replica(3).phase(), cluster.replica(3).view()), (Phase::Active, View(1)));
    assert_eq!(cluster.executed(3), [1]);
}

#[test]
fn a_replica_that_was_cut_off_during_several_views_finds_the_latest() {
    let mut cluster = Cluster::new(4);
    cluster.drop_when(|envelope| envelope.to == 3);
    for leader in [0, 1, 2] {
        cluster.event(leader, Event::StepDown);
        // Without member 3 the fourth view waits for it; it leads it.
    }
    cluster.heal();
    cluster.pass(Duration::from_secs(2));
    cluster.submit(0, 1);
    cluster.pass(LONG_ENOUGH);
    let views: Vec<_> = cluster.ids().map(|id| cluster.replica(id).view()).collect();
    assert!(views.iter().all(|view| view == &views[3]), "{views:?}");
    assert_eq!(cluster.executed(3), [1]);
}

#[test]
fn a_view_change_lacking_at_a_backup_is_fetched_from_whoever_sent_the_new_view() {
    let mut cluster = Cluster::new(4);
    // Replica 3 hears the ViewChange of the new primary only, and joins nobody.
    cluster.drop_when(|envelope| {
        envelope.to == 3
            && envelope.from != 1
            && matches!(envelope.message, Message::ViewChange(_) | Message::Status(_))
    });
    cluster.event(0, Event::StepDown);
    assert!(cluster.arrived(3, "fetch_view_change of") > 0);
    assert_eq!(cluster.entered(3), [View(1)]);
}
