//! Stateless validity of ViewChange and NewView: every certificate inside is judged in full, not only the signature
//! around it. The good message is accepted; each single deviation is refused with its own reason.
//!
//! Keeps out: 4 (ViewChanges not verified, or only their signatures), 5 (doubled signers), 6 (the primary's Prepare in a
//! certificate), 8 (a missing certificate read as one of view 0), 9 (a certificate with some invalid signatures passes).

use quorate::messages::{Invalid, Message, NewView, PrePrepare, Prepare, PreparedCertificate, ViewChange};
use quorate::{ReplicaId, SeqNum, View};
use quorate_crypto::{Digest, Signature};

use crate::support::{K, L, World, at, digest};
use crate::valid_ordering::spoiled;

fn judge(world: &World, message: Message) -> Result<(), Invalid> {
    world.verifier().message(message).map(|_| ())
}

/// The verdict on a ViewChange for view 5 by member 2, whose signature is right.
fn judge_view_change(world: &World, stable: Option<u64>, prepared: Vec<PreparedCertificate>) -> Result<(), Invalid> {
    let stable = stable.map(|seq| world.certified(seq, digest("root")));
    judge(world, Message::ViewChange(world.sign(2, ViewChange { target: View(5), stable, prepared })))
}

#[test]
fn a_view_change_is_valid_with_and_without_checkpoint_and_certificates() {
    for n in [4, 5, 6, 7, 8, 10] {
        let world = World::new(n);
        let prepared = |slots: &[(u64, u64)]| {
            slots.iter().map(|(view, seq)| world.prepared(at(*view, *seq), digest("a"))).collect::<Vec<_>>()
        };
        assert_eq!(judge_view_change(&world, None, Vec::new()), Ok(()));
        assert_eq!(judge_view_change(&world, None, prepared(&[(0, 1), (4, 2), (1, L)])), Ok(()));
        assert_eq!(judge_view_change(&world, Some(K), prepared(&[(0, K + 1), (0, K + L)])), Ok(()));
    }
}

#[test]
fn a_prepared_certificate_with_anything_but_a_quorum_is_not_valid_inside_a_view_change() {
    for n in [4, 5, 6, 7] {
        let world = World::new(n);
        let good = world.prepared(at(0, 1), digest("a"));
        let last = good.prepares.last().expect("a quorum").signer.0;
        let unequal = Prepare { view: View(0), seq: SeqNum(1), digest: digest("b") };
        let of_another_view = Prepare { view: View(1), seq: SeqNum(1), digest: digest("a") };
        let of_another_slot = Prepare { view: View(0), seq: SeqNum(2), digest: digest("a") };
        for other in [unequal, of_another_view, of_another_slot] {
            let signature = world.votes(&other, [last])[0].signature;
            for (prepares, reason) in spoiled(&world, &good.prepares, signature) {
                let bad = PreparedCertificate { prepares, ..good.clone() };
                assert_eq!(judge_view_change(&world, None, vec![bad]), Err(reason), "n = {n}");
            }
        }
        let mut more = good.clone();
        more.prepares.extend(world.votes(&good.prepare(), [last + 1]));
        assert_eq!(judge_view_change(&world, None, vec![more]), Err(Invalid::NotAQuorum), "one too many");
    }
}

#[test]
fn the_primarys_own_prepare_does_not_complete_a_certificate() {
    let world = World::new(4);
    let mut certificate = world.prepared(at(0, 1), digest("a"));
    certificate.prepares = world.votes(&certificate.prepare(), [0, 1]);
    assert_eq!(judge_view_change(&world, None, vec![certificate]), Err(Invalid::PrimaryPrepare));
}

#[test]
fn a_certificate_of_the_wrong_primary_or_with_a_forged_assignment_is_not_valid() {
    let world = World::new(4);
    let good = world.prepared(at(0, 1), digest("a"));
    let by_backup = PreparedCertificate { pre_prepare: world.sign(3, good.pre_prepare.payload), ..good.clone() };
    assert_eq!(judge_view_change(&world, None, vec![by_backup]), Err(Invalid::NotPrimary));
    let mut forged = good.clone();
    forged.pre_prepare.payload.digest = digest("b");
    assert_eq!(judge_view_change(&world, None, vec![forged]), Err(Invalid::Signature));
    let mut unsigned = good;
    unsigned.pre_prepare.signature = Signature::from_bytes([0; 64]);
    assert_eq!(judge_view_change(&world, None, vec![unsigned]), Err(Invalid::Signature));
}

#[test]
fn one_bad_certificate_among_good_ones_is_not_overlooked() {
    let world = World::new(4);
    for bad in 0..3 {
        let mut prepared: Vec<_> = (1..=3).map(|seq| world.prepared(at(0, seq), digest("a"))).collect();
        prepared[bad].prepares[1].signature = Signature::from_bytes([0; 64]);
        assert_eq!(judge_view_change(&world, None, prepared), Err(Invalid::Signature));
    }
}

#[test]
fn slots_outside_the_window_of_the_messages_own_checkpoint_or_twice_are_not_valid() {
    let world = World::new(4);
    let at_slots = |slots: &[u64]| slots.iter().map(|seq| world.prepared(at(0, *seq), digest("a"))).collect();
    for (stable, slots) in [
        (None, &[L + 1][..]),
        (Some(K), &[K]),
        (Some(K), &[1]),
        (Some(K), &[K + L + 1]),
        (None, &[1, 1]),
        (None, &[2, 1]),
        (Some(K), &[K, K + 1]),
    ] {
        assert_eq!(judge_view_change(&world, stable, at_slots(slots)), Err(Invalid::Slots), "{stable:?} {slots:?}");
    }
    let two_views = vec![world.prepared(at(0, 1), digest("a")), world.prepared(at(1, 1), digest("b"))];
    assert_eq!(judge_view_change(&world, None, two_views), Err(Invalid::Slots), "one certificate for a slot");
}

#[test]
fn a_certificate_of_the_target_or_a_later_view_is_not_valid() {
    let world = World::new(4);
    for (view, expected) in [(4, Ok(())), (5, Err(Invalid::View)), (6, Err(Invalid::View))] {
        assert_eq!(judge_view_change(&world, None, vec![world.prepared(at(view, 1), digest("a"))]), expected);
    }
    let target_0 = world.view_change(2, 0, vec![world.prepared(at(0, 1), digest("a"))]);
    assert_eq!(judge(&world, Message::ViewChange(target_0)), Err(Invalid::View));
}

#[test]
fn an_unproven_checkpoint_inside_a_view_change_is_not_valid() {
    let world = World::new(4);
    let good = world.certified(K, digest("root"));
    let other = world.certified(K, digest("other")).signatures.last().expect("a quorum").signature;
    for (signatures, reason) in spoiled(&world, &good.signatures, other) {
        let mut stable = good.clone();
        stable.signatures = signatures;
        let view_change = ViewChange { target: View(5), stable: Some(stable), prepared: Vec::new() };
        assert_eq!(judge(&world, Message::ViewChange(world.sign(2, view_change))), Err(reason));
    }
}

/// A NewView for view 1 that re-proposes slots 1 and 2.
fn new_view(world: &World) -> NewView {
    let view_change = |signer| {
        let prepared = vec![world.prepared(at(0, 1), digest("a")), world.prepared(at(0, 2), digest("b"))];
        world.view_change(signer, 1, prepared)
    };
    let view_changes: Vec<_> = (0..world.quorum() as u16).map(view_change).collect();
    world.new_view(1, &view_changes).payload
}

#[test]
fn a_new_view_of_another_member_than_the_targets_primary_is_not_valid() {
    let world = World::new(4);
    let good = new_view(&world);
    for signer in 0..4 {
        let expected = if signer == 1 { Ok(()) } else { Err(Invalid::NotPrimary) };
        assert_eq!(judge(&world, Message::NewView(world.sign(signer, good.clone()))), expected);
    }
}

type Named = Vec<(ReplicaId, Digest)>;

#[test]
fn a_new_view_that_names_anything_but_a_quorum_of_distinct_members_is_not_valid() {
    for n in [4, 5, 6, 7] {
        let world = World::new(n);
        let good = new_view(&world);
        let verdict = |change: &dyn Fn(&mut Named)| {
            let mut bad = good.clone();
            change(&mut bad.view_changes);
            judge(&world, Message::NewView(world.sign(1, bad)))
        };
        assert_eq!(verdict(&|_| {}), Ok(()), "n = {n}");
        assert_eq!(verdict(&|named| named.truncate(world.quorum() - 1)), Err(Invalid::NotAQuorum));
        assert_eq!(verdict(&|named| named.clear()), Err(Invalid::NotAQuorum));
        assert_eq!(verdict(&|named| named[1] = named[0]), Err(Invalid::NotAQuorum));
        assert_eq!(verdict(&|named| named[1].0 = named[0].0), Err(Invalid::NotAQuorum));
        assert_eq!(verdict(&|named| named.reverse()), Err(Invalid::NotAQuorum));
        let one_more = world.quorum() as u16;
        assert_eq!(verdict(&|named| named.push((ReplicaId(one_more), digest("x")))), Err(Invalid::NotAQuorum));
        let stranger = ReplicaId(n);
        assert_eq!(verdict(&|named| named[0].0 = stranger), Err(Invalid::NotAMember(stranger)));
    }
}

#[test]
fn a_new_view_with_assignments_of_another_view_signer_or_order_is_not_valid() {
    let world = World::new(4);
    let good = new_view(&world);
    let verdict = |change: &dyn Fn(&mut NewView)| {
        let mut bad = good.clone();
        change(&mut bad);
        judge(&world, Message::NewView(world.sign(1, bad)))
    };
    let of_view = |view| world.header(at(view, 1), digest("a"));
    assert_eq!(verdict(&|bad| bad.pre_prepares[0] = of_view(0)), Err(Invalid::View));
    assert_eq!(verdict(&|bad| bad.pre_prepares[0] = of_view(5)), Err(Invalid::View));
    let payload = PrePrepare { view: View(1), seq: SeqNum(1), digest: digest("a") };
    assert_eq!(verdict(&|bad| bad.pre_prepares[0] = world.sign(2, payload)), Err(Invalid::NotPrimary));
    let forged = Signature::from_bytes([0; 64]);
    assert_eq!(verdict(&|bad| bad.pre_prepares[1].signature = forged), Err(Invalid::Signature));
    assert_eq!(verdict(&|bad| bad.pre_prepares.reverse()), Err(Invalid::Slots));
    assert_eq!(verdict(&|bad| bad.pre_prepares[1] = bad.pre_prepares[0].clone()), Err(Invalid::Slots));
    let at_genesis = world.header(at(1, 0), digest("a"));
    assert_eq!(verdict(&|bad| bad.pre_prepares[0] = at_genesis.clone()), Err(Invalid::Slots));
    let many = |count| (1..=count).map(|seq| world.header(at(1, seq), digest("a"))).collect::<Vec<_>>();
    assert_eq!(verdict(&|bad| bad.pre_prepares = many(L)), Ok(()));
    assert_eq!(verdict(&|bad| bad.pre_prepares = many(L + 1)), Err(Invalid::Limit("assignments of a new view")));
}
