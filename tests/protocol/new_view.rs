//! What a backup does with a NewView: its ViewChanges are held, and the primary of the next view sends the right one, or
//! one that deviates in a single assignment. And what the view then binds it to.
//!
//! Keeps out: 1, 2, 3 and 8 against a lying primary, 4 (ViewChanges that are for another view), 17 (different checkpoints),
//! 20, 22 (a message of a far-future view blocks a later primary).

use quorate::batch::null_digest;
use quorate::core::{Notice, Phase, Rejection};
use quorate::messages::{Message, NewView, Proposal, Signed, ViewChange};
use quorate::{SeqNum, View};
use quorate_crypto::Digest;

use crate::support::{K, Solo, World, at, digest, outputs, rejection};

/// Members 0 to 2 ask for view 1: slot 1 is prepared at one of them in view 0, slot 3 at another.
fn view_changes(world: &World) -> Vec<Signed<ViewChange>> {
    vec![
        world.view_change(0, 1, vec![world.prepared(at(0, 1), digest("a"))]),
        world.view_change(1, 1, Vec::new()),
        world.view_change(2, 1, vec![world.prepared(at(0, 3), digest("c"))]),
    ]
}

/// Member 3 holds these ViewChanges.
fn backup_with(world: &World, view_changes: &[Signed<ViewChange>]) -> Solo {
    let mut backup = Solo::new(world, 3);
    for view_change in view_changes {
        backup.receive(view_change.signer.0, Message::ViewChange(view_change.clone()));
    }
    backup
}

/// The right NewView of view 1 with other assignments.
fn with_assignments(world: &World, right: &Signed<NewView>, assignments: &[(u64, Digest)]) -> Message {
    let pre_prepares = assignments.iter().map(|(seq, digest)| world.header(at(1, *seq), *digest)).collect();
    Message::NewView(world.sign(1, NewView { pre_prepares, ..right.payload.clone() }))
}

#[test]
fn a_new_view_is_durable_before_the_first_vote_of_its_view() {
    let world = World::new(4);
    let view_changes = view_changes(&world);
    let mut backup = backup_with(&world, &view_changes);
    let entered = backup.receive(1, Message::NewView(world.new_view(1, &view_changes)));
    let expected = [
        "journal view_entered v1",
        "journal pre_prepared v1 s2", // The null batch has no body to wait for.
        "to all: prepare v1 s2",
        "to 0: fetch_batch s1",
        "to 0: fetch_batch s3",
    ];
    assert_eq!(outputs(&entered), expected);
    assert!(entered.notices.contains(&Notice::ViewEntered { view: View(1), re_proposed: 2, null_filled: 1 }));
}

#[test]
fn a_new_view_whose_assignments_do_not_follow_from_its_view_changes_is_not_entered() {
    let world = World::new(4);
    let view_changes = view_changes(&world);
    let right = world.new_view(1, &view_changes);
    let (a, null, c) = (digest("a"), null_digest(SeqNum(2)), digest("c"));
    let wrong: [&[(u64, Digest)]; 9] = [
        &[],
        &[(1, a), (2, null)],
        &[(2, null), (3, c)],
        &[(1, a), (3, c)],
        &[(1, null_digest(SeqNum(1))), (2, null), (3, c)],
        &[(1, a), (2, digest("b")), (3, c)],
        &[(1, c), (2, null), (3, a)],
        &[(1, a), (2, null), (3, c), (4, digest("d"))],
        &[(1, a), (2, null_digest(SeqNum(1))), (3, c)],
    ];
    for assignments in wrong {
        let mut backup = backup_with(&world, &view_changes);
        let actions = backup.receive(1, with_assignments(&world, &right, assignments));
        assert_eq!(rejection(&actions), Some(Rejection::WrongReProposals), "{assignments:?}");
        assert_eq!((outputs(&actions).len(), backup.replica.view()), (0, View(0)));
        // The right one is not blocked by it.
        backup.receive(1, Message::NewView(right.clone()));
        assert_eq!(backup.replica.view(), View(1));
    }
}

#[test]
fn a_new_view_that_takes_a_certificate_of_a_lower_view_is_not_entered() {
    let world = World::new(4);
    let view_changes = [
        world.view_change(0, 5, vec![world.prepared(at(0, 1), digest("old"))]),
        world.view_change(1, 5, vec![world.prepared(at(3, 1), digest("new"))]),
        world.view_change(2, 5, vec![world.prepared(at(2, 1), digest("between"))]),
    ];
    let right = world.new_view(5, &view_changes);
    for (name, enters) in [("old", false), ("between", false), ("new", true)] {
        let mut backup = backup_with(&world, &view_changes);
        let pre_prepares = vec![world.header(at(5, 1), digest(name))];
        let new_view = world.sign(1, NewView { pre_prepares, ..right.payload.clone() });
        backup.receive(1, Message::NewView(new_view));
        assert_eq!(backup.replica.view() == View(5), enters, "{name}");
    }
}

#[test]
fn a_new_view_made_of_view_changes_for_another_view_is_not_entered() {
    let world = World::new(4);
    let mut view_changes = view_changes(&world);
    view_changes[1] = world.view_change(1, 2, Vec::new());
    let mut backup = backup_with(&world, &view_changes);
    assert_eq!(backup.replica.phase(), Phase::ViewChanging { target: View(1) });
    let actions = backup.receive(1, Message::NewView(world.new_view(1, &view_changes)));
    assert_eq!(rejection(&actions), Some(Rejection::WrongReProposals));
    assert_eq!(backup.replica.view(), View(0));
}

#[test]
fn a_view_change_that_is_missing_is_asked_for_and_kept_beside_another_of_its_signer() {
    let world = World::new(4);
    let view_changes = view_changes(&world);
    let mut backup = backup_with(&world, &view_changes[..2]);
    // Member 2 has gone on to another view in the meantime; the NewView names its older ViewChange.
    backup.receive(2, Message::ViewChange(world.view_change(2, 7, Vec::new())));
    let asked = backup.receive(0, Message::NewView(world.new_view(1, &view_changes)));
    assert_eq!(outputs(&asked), ["to 0: fetch_view_change of 2"], "whoever sent the NewView has it");
    let other = backup.receive(0, Message::ViewChange(world.view_change(2, 1, Vec::new())));
    assert_eq!(rejection(&other), Some(Rejection::Duplicate), "not the one that is named");
    backup.receive(0, Message::ViewChange(view_changes[2].clone()));
    assert_eq!(backup.replica.view(), View(1));
}

#[test]
fn a_new_view_is_accepted_by_who_asked_for_nothing_and_by_who_asked_for_less_but_not_for_more() {
    let world = World::new(4);
    let entered = world.empty_view(2);
    for (own, enters) in [(None, true), (Some(1), true), (Some(2), true), (Some(4), false)] {
        let mut backup = Solo::new(&world, 3);
        for signer in own.iter().flat_map(|_| [0, 1]) {
            let target = own.expect("there is one");
            backup.receive(signer, Message::ViewChange(world.view_change(signer, target, Vec::new())));
        }
        backup.receive(2, Message::NewView(entered.new_view.clone()));
        for view_change in &entered.view_changes {
            backup.receive(2, Message::ViewChange(view_change.clone()));
        }
        assert_eq!(backup.replica.view() == View(2), enters, "own target {own:?}");
    }
}

#[test]
fn a_new_view_that_has_passed_is_not_entered_again() {
    let world = World::new(4);
    let entered = world.empty_view(1);
    let mut backup = backup_with(&world, &entered.view_changes);
    backup.receive(1, Message::NewView(entered.new_view.clone()));
    let again = backup.receive(1, Message::NewView(entered.new_view));
    assert_eq!(rejection(&again), Some(Rejection::OldView { view: View(1), current: View(1) }));
    let old = backup.receive(0, Message::ViewChange(world.view_change(0, 1, Vec::new())));
    assert_eq!(rejection(&old), Some(Rejection::OldView { view: View(1), current: View(1) }));
}

#[test]
fn slots_of_the_new_view_come_from_nowhere_else_and_later_ones_only_from_its_primary() {
    let world = World::new(4);
    let view_changes = view_changes(&world);
    let mut backup = backup_with(&world, &view_changes);
    backup.receive(1, Message::NewView(world.new_view(1, &view_changes)));
    for seq in 1..=3 {
        let actions = backup.receive(1, world.proposal(at(1, seq), &world.batch(&[9])));
        assert!(rejection(&actions).is_some() && outputs(&actions).is_empty(), "slot {seq}");
    }
    let next = backup.receive(1, world.proposal(at(1, 4), &world.batch(&[9])));
    assert_eq!(outputs(&next).last().map(String::as_str), Some("to all: prepare v1 s4"));
}

#[test]
fn slots_at_or_below_the_proven_checkpoint_of_a_new_view_are_not_assigned_again() {
    let world = World::new(4);
    let view_changes: Vec<_> = (0..3)
        .map(|signer| {
            let stable = Some(world.certified(K, digest("root")));
            world.sign(signer, ViewChange { target: View(1), stable, prepared: Vec::new() })
        })
        .collect();
    let mut backup = backup_with(&world, &view_changes);
    backup.receive(1, Message::NewView(world.new_view(1, &view_changes)));
    let below = backup.receive(1, world.proposal(at(1, K), &world.batch(&[9])));
    assert_eq!(rejection(&below), Some(Rejection::AssignedByNewView { seq: SeqNum(K) }));
    let above = backup.receive(1, world.proposal(at(1, K + 1), &world.batch(&[9])));
    assert_eq!(outputs(&above).last().map(String::as_str), Some("to all: prepare v1 s5"));
}

#[test]
fn different_checkpoints_in_its_view_changes_do_not_make_a_new_view_invalid() {
    let world = World::new(4);
    let stable = Some(world.certified(K, digest("root")));
    let view_changes = [
        world.view_change(0, 1, vec![world.prepared(at(0, 2), digest("b")), world.prepared(at(0, 5), digest("e"))]),
        world.sign(1, ViewChange { target: View(1), stable, prepared: Vec::new() }),
        world.view_change(2, 1, Vec::new()),
    ];
    let mut backup = backup_with(&world, &view_changes);
    let new_view = world.new_view(1, &view_changes);
    let slots: Vec<_> = new_view.payload.pre_prepares.iter().map(|header| header.payload.seq).collect();
    assert_eq!(slots, [SeqNum(5)]);
    backup.receive(1, Message::NewView(new_view));
    assert_eq!(backup.replica.view(), View(1));
}

#[test]
fn a_primary_leads_exactly_when_a_quorum_asks_for_its_view_and_proposes_above_what_it_took_over() {
    let world = World::new(4);
    let mut primary = Solo::new(&world, 1);
    let view_changes = view_changes(&world);
    let first = primary.receive(0, Message::ViewChange(view_changes[0].clone()));
    assert_eq!(outputs(&first), ["journal view_change v1", "to all: view_change v1 of 1"]);
    let led = primary.receive(2, Message::ViewChange(view_changes[2].clone()));
    let expected = [
        "journal view_entered v1",
        "journal pre_prepared v1 s1",
        "journal pre_prepared v1 s2",
        "journal pre_prepared v1 s3",
        "to all: new_view v1",
        "to 0: fetch_batch s1",
        "to 0: fetch_batch s3",
    ];
    assert_eq!(outputs(&led), expected);
    primary.request(world.request(0, 1));
    primary.pass(std::time::Duration::from_millis(5));
    let slots: Vec<_> = primary
        .journal
        .iter()
        .filter_map(|record| {
            if let quorate::core::JournalRecord::PrePrepared(header) = record {
                Some(header.payload.seq.0)
            } else {
                None
            }
        })
        .collect();
    assert_eq!(slots.last(), Some(&4));
}

#[test]
fn messages_of_far_future_views_do_not_block_the_next_primary() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 3);
    // Primary 1 proves, to nobody's knowledge, view 1001; member 2 asks for the last view.
    backup.receive(1, Message::NewView(world.empty_view(1001).new_view));
    backup.receive(2, Message::ViewChange(world.view_change(2, u64::MAX, Vec::new())));
    for seq in 1..=3 {
        let early = backup.receive(1, world.proposal(at(1, seq), &world.batch(&[seq])));
        assert!(matches!(rejection(&early), Some(Rejection::FutureView { .. })));
        let early = backup.receive(2, world.prepare(2, at(1, seq), digest("early")));
        assert!(matches!(rejection(&early), Some(Rejection::FutureView { .. })));
    }
    let entered = world.empty_view(1);
    backup.receive(1, Message::NewView(entered.new_view.clone()));
    for view_change in entered.view_changes {
        backup.receive(1, Message::ViewChange(view_change));
    }
    assert_eq!(backup.replica.view(), View(1));
    let vote = backup.receive(1, world.proposal(at(1, 1), &world.batch(&[1])));
    assert_eq!(outputs(&vote).last().map(String::as_str), Some("to all: prepare v1 s1"));
}

#[test]
fn a_header_of_the_new_view_that_is_relayed_alone_does_not_replace_its_body() {
    let world = World::new(4);
    let batch = world.batch(&[1]);
    let prepared = world.prepared(at(0, 1), batch.digest(SeqNum(1)));
    let view_changes: Vec<_> = (0..3).map(|signer| world.view_change(signer, 1, vec![prepared.clone()])).collect();
    let mut backup = backup_with(&world, &view_changes);
    backup.receive(1, Message::NewView(world.new_view(1, &view_changes)));
    let header = world.header(at(1, 1), batch.digest(SeqNum(1)));
    let alone = backup.receive(2, Message::PrePrepare(Proposal { header: header.clone(), batch: None }));
    assert!(outputs(&alone).is_empty(), "no vote without the body");
    let whole = backup.receive(2, Message::PrePrepare(Proposal { header, batch: Some(batch) }));
    assert_eq!(outputs(&whole), ["journal batch s1", "journal pre_prepared v1 s1", "to all: prepare v1 s1"]);
}
