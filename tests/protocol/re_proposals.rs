//! The rule of the new view, against an independent and naive restatement.
//!
//! Any set of ViewChanges: replicas with different checkpoints, certificates of several views for one slot, gaps. Which
//! batch must each slot take?
//!
//! Keeps out: 2 (the first certificate instead of the highest view), 3 (a prepared slot filled with null), 8 (a missing
//! entry read as view 0), 17 (different checkpoints make every NewView invalid).

use proptest::prelude::*;
use quorate::batch::null_digest;
use quorate::core::new_view::{Plan, plan};
use quorate::messages::{PreparedCertificate, ViewChange};
use quorate::{SeqNum, View};
use quorate_crypto::Digest;

use crate::support::{World, at, digest};

/// The rule in plain words, slot by slot.
pub(crate) fn naive_plan(view_changes: &[ViewChange]) -> Plan {
    let mut min_s = 0;
    for view_change in view_changes {
        if let Some(stable) = &view_change.stable {
            min_s = min_s.max(stable.checkpoint.seq.0);
        }
    }
    let all: Vec<&PreparedCertificate> = view_changes.iter().flat_map(|view_change| &view_change.prepared).collect();
    let mut max_s = min_s;
    for certificate in &all {
        max_s = max_s.max(certificate.pre_prepare.payload.seq.0);
    }
    let mut assignments = Vec::new();
    for seq in min_s + 1..=max_s {
        let here = all.iter().filter(|certificate| certificate.pre_prepare.payload.seq.0 == seq);
        let best = here.max_by_key(|certificate| certificate.pre_prepare.payload.view);
        let digest = best.map_or(null_digest(SeqNum(seq)), |certificate| certificate.pre_prepare.payload.digest);
        assignments.push((SeqNum(seq), digest));
    }
    Plan { min_s: SeqNum(min_s), max_s: SeqNum(max_s), assignments }
}

/// The batch that a view had at a slot: one for each, so that certificates never conflict.
fn batch_of(view: u64, seq: u64) -> Digest {
    digest(&format!("v{view} s{seq}"))
}

fn certificate(world: &World, view: u64, seq: u64, digest: Digest) -> PreparedCertificate {
    // The rule looks at no signature: those were checked before.
    PreparedCertificate { pre_prepare: world.header(at(view, seq), digest), prepares: Vec::new() }
}

fn view_change(world: &World, stable: u64, prepared: &[(u64, u64)]) -> ViewChange {
    let stable = (stable > 0).then(|| world.certified(stable, digest("root")));
    let prepared = prepared.iter().map(|(view, seq)| certificate(world, *view, *seq, batch_of(*view, *seq))).collect();
    ViewChange { target: View(9), stable, prepared }
}

fn view_changes() -> impl Strategy<Value = Vec<(u64, Vec<(u64, u64)>)>> {
    let prepared = prop::collection::btree_map(1u64..=12, 0u64..5, 0..6);
    let prepared = prepared.prop_map(|views| views.into_iter().map(|(seq, view)| (view, seq)).collect());
    prop::collection::vec((prop::sample::select(vec![0u64, 0, 4, 8]), prepared), 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_plan_is_that_of_the_naive_rule(shapes in view_changes()) {
        let world = World::new(4);
        let view_changes: Vec<_> =
            shapes.iter().map(|(stable, prepared)| view_change(&world, *stable, prepared)).collect();
        let expected = naive_plan(&view_changes);
        prop_assert_eq!(plan(&view_changes).map_err(|_| "conflict"), Ok(expected.clone()));
        let backwards: Vec<_> = view_changes.into_iter().rev().collect();
        prop_assert_eq!(plan(&backwards).map_err(|_| "conflict"), Ok(expected), "the order does not matter");
    }
}

#[test]
fn the_certificate_of_the_highest_view_wins_wherever_it_stands() {
    let world = World::new(4);
    for order in [[0, 3, 1], [3, 1, 0], [1, 0, 3]] {
        let view_changes: Vec<_> = order.iter().map(|view| view_change(&world, 0, &[(*view, 1)])).collect();
        let plan = plan(&view_changes).expect("no conflict");
        assert_eq!(plan.assignments, [(SeqNum(1), batch_of(3, 1))], "{order:?}");
    }
}

#[test]
fn a_slot_that_one_replica_alone_has_prepared_is_not_filled_with_null_and_a_gap_is() {
    let world = World::new(4);
    let view_changes = [view_change(&world, 0, &[]), view_change(&world, 0, &[(0, 3)]), view_change(&world, 0, &[])];
    let plan = plan(&view_changes).expect("no conflict");
    let null = |seq| (SeqNum(seq), null_digest(SeqNum(seq)));
    assert_eq!(plan.assignments, [null(1), null(2), (SeqNum(3), batch_of(0, 3))]);
}

#[test]
fn a_certificate_of_view_0_is_not_mistaken_for_a_missing_one() {
    let world = World::new(4);
    let view_changes = [view_change(&world, 0, &[]), view_change(&world, 0, &[(0, 1)])];
    assert_eq!(plan(&view_changes).expect("no conflict").assignments, [(SeqNum(1), batch_of(0, 1))]);
}

#[test]
fn different_checkpoints_do_not_make_a_new_view_impossible() {
    let world = World::new(4);
    let view_changes =
        [view_change(&world, 0, &[(0, 3), (0, 5)]), view_change(&world, 4, &[(0, 6)]), view_change(&world, 0, &[])];
    let plan = plan(&view_changes).expect("no conflict");
    assert_eq!((plan.min_s, plan.max_s), (SeqNum(4), SeqNum(6)));
    assert_eq!(plan.assignments, [(SeqNum(5), batch_of(0, 5)), (SeqNum(6), batch_of(0, 6))]);
}

#[test]
fn two_certificates_of_one_view_with_different_batches_are_not_silently_resolved() {
    let world = World::new(4);
    let with = |name: &str| ViewChange {
        target: View(9),
        stable: None,
        prepared: vec![certificate(&world, 2, 1, digest(name))],
    };
    assert!(plan(&[with("a"), with("b")]).is_err());
    assert!(plan(&[with("a"), with("a")]).is_ok());
    // Below the checkpoint nobody is bound any more.
    let stable = view_change(&world, 4, &[]);
    assert!(plan(&[with("a"), stable, with("b")]).is_ok());
}
