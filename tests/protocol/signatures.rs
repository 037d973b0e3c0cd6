//! What a signature covers. A statement is signed by its member; then one thing about it is changed, or it is shown
//! under another name, network, epoch or type. Every one of these must be noticed.
//!
//! Keeps out: 11 (the signature does not cover all fields, or not the network, epoch, view and type), 12 (signatures that
//! were verified before are judged by another predicate), 5 (the claimed signer instead of the signing key).

use std::sync::Arc;

use bytes::Bytes;
use quorate::messages::{
    Attestation, Checkpoint, Commit, Invalid, Message, NewView, Payload, PrePrepare, Prepare, Request, Signed,
    SigningContext, Verifier, ViewChange,
};
use quorate::{ClientId, Epoch, ReplicaId, RequestId, RequestNumber, SeqNum, Session, View};
use quorate_crypto::{Digest, Ed25519, Signature};

use crate::support::{SESSION, World, at, client_key, digest, member_key};

/// Asserts that the statement is judged valid, and none of `others` under its signature.
fn only_valid_as_signed<P: Payload + Clone>(world: &World, payload: P, others: Vec<P>) {
    let verifier = world.verifier();
    let signed = world.sign(2, payload);
    assert_eq!(verifier.check_signed(&signed), Ok(()));
    for other in others {
        let changed = Signed { payload: other, ..signed.clone() };
        assert_eq!(verifier.check_signed(&changed), Err(Invalid::Signature));
    }
    let renamed = Signed { signer: ReplicaId(1), ..signed.clone() };
    assert_eq!(verifier.check_signed(&renamed), Err(Invalid::Signature));
    let stranger = Signed { signer: ReplicaId(4), ..signed.clone() };
    assert_eq!(verifier.check_signed(&stranger), Err(Invalid::NotAMember(ReplicaId(4))));
    let last = Signed { signer: ReplicaId(u16::MAX), ..signed };
    assert_eq!(verifier.check_signed(&last), Err(Invalid::NotAMember(ReplicaId(u16::MAX))));
}

#[test]
fn no_field_of_an_ordering_statement_is_left_out_of_its_signature() {
    let world = World::new(4);
    let (view, seq, digest) = (View(1), SeqNum(2), digest("a"));
    let other = crate::support::digest("b");
    let pre_prepare = PrePrepare { view, seq, digest };
    let changed = [
        PrePrepare { view: View(2), ..pre_prepare },
        PrePrepare { seq: SeqNum(3), ..pre_prepare },
        PrePrepare { digest: other, ..pre_prepare },
    ];
    only_valid_as_signed(&world, pre_prepare, changed.to_vec());
    let prepare = Prepare { view, seq, digest };
    let changed = [
        Prepare { view: View(2), ..prepare },
        Prepare { seq: SeqNum(3), ..prepare },
        Prepare { digest: other, ..prepare },
    ];
    only_valid_as_signed(&world, prepare, changed.to_vec());
    let commit = Commit { view, seq, digest };
    let changed =
        [Commit { view: View(2), ..commit }, Commit { seq: SeqNum(3), ..commit }, Commit { digest: other, ..commit }];
    only_valid_as_signed(&world, commit, changed.to_vec());
    let checkpoint = Checkpoint { seq, root: digest };
    let changed = [Checkpoint { seq: SeqNum(4), ..checkpoint }, Checkpoint { root: other, ..checkpoint }];
    only_valid_as_signed(&world, checkpoint, changed.to_vec());
    let attestation = Attestation { seq, chain: digest, results_root: digest };
    let changed = [
        Attestation { seq: SeqNum(3), ..attestation },
        Attestation { chain: other, ..attestation },
        Attestation { results_root: other, ..attestation },
    ];
    only_valid_as_signed(&world, attestation, changed.to_vec());
}

#[test]
fn no_field_of_a_view_change_or_new_view_is_left_out_of_its_signature() {
    let world = World::new(4);
    let certificate = world.prepared(at(0, 5), digest("a"));
    let view_change = ViewChange {
        target: View(1),
        stable: Some(world.certified(4, digest("root"))),
        prepared: vec![certificate.clone()],
    };
    let mut fewer_votes = certificate.clone();
    fewer_votes.prepares.pop();
    let changed = vec![
        ViewChange { target: View(2), ..view_change.clone() },
        ViewChange { stable: None, ..view_change.clone() },
        ViewChange { stable: Some(world.certified(4, digest("other"))), ..view_change.clone() },
        ViewChange { prepared: Vec::new(), ..view_change.clone() },
        ViewChange { prepared: vec![fewer_votes], ..view_change.clone() },
        ViewChange { prepared: vec![world.prepared(at(0, 5), digest("b"))], ..view_change.clone() },
    ];
    only_valid_as_signed(&world, view_change, changed);

    let new_view = NewView {
        target: View(1),
        view_changes: vec![(ReplicaId(0), digest("a"))],
        pre_prepares: vec![world.header(at(1, 5), digest("a"))],
    };
    let changed = vec![
        NewView { target: View(5), ..new_view.clone() },
        NewView { view_changes: Vec::new(), ..new_view.clone() },
        NewView { view_changes: vec![(ReplicaId(1), digest("a"))], ..new_view.clone() },
        NewView { view_changes: vec![(ReplicaId(0), digest("b"))], ..new_view.clone() },
        NewView { pre_prepares: Vec::new(), ..new_view.clone() },
        NewView { pre_prepares: vec![world.header(at(1, 5), digest("b"))], ..new_view.clone() },
    ];
    only_valid_as_signed(&world, new_view, changed);
}

#[test]
fn a_signature_for_one_type_is_worth_nothing_under_another() {
    let world = World::new(4);
    let (view, seq, digest) = (View(1), SeqNum(2), digest("a"));
    let verifier = world.verifier();
    let commit = world.sign(2, Commit { view, seq, digest });
    let as_prepare =
        Signed { signer: commit.signer, payload: Prepare { view, seq, digest }, signature: commit.signature };
    assert_eq!(verifier.check_signed(&as_prepare), Err(Invalid::Signature));
    let prepare = world.sign(2, Prepare { view, seq, digest });
    let as_commit =
        Signed { signer: prepare.signer, payload: Commit { view, seq, digest }, signature: prepare.signature };
    assert_eq!(verifier.check_signed(&as_commit), Err(Invalid::Signature));
    let domains = [
        PrePrepare::DOMAIN,
        Prepare::DOMAIN,
        Commit::DOMAIN,
        Checkpoint::DOMAIN,
        ViewChange::DOMAIN,
        NewView::DOMAIN,
        Attestation::DOMAIN,
    ];
    for (index, domain) in domains.iter().enumerate() {
        assert!(domain.starts_with("quorate/"), "no domain is one of libp2p's");
        assert!(!domains.iter().skip(index + 1).any(|other| other == domain), "{domain} stands twice");
    }
}

#[test]
fn a_signature_of_another_network_or_epoch_is_worth_nothing() {
    let world = World::new(4);
    let payload = Commit { view: View(0), seq: SeqNum(1), digest: digest("a") };
    let contexts = [
        SigningContext::new(Arc::new(Ed25519), digest("another network"), Epoch(0)),
        SigningContext::new(Arc::new(Ed25519), world.genesis.chain_id(), Epoch(1)),
    ];
    for context in contexts {
        let foreign = context.sign(&member_key(2), ReplicaId(2), payload);
        assert_eq!(world.verifier().message(Message::Commit(foreign)), Err(Invalid::Signature));
    }
    let home = world.sign(2, payload);
    assert!(world.verifier().message(Message::Commit(home)).is_ok());
}

#[test]
fn no_field_of_a_request_is_left_out_of_its_signature() {
    let world = World::new(4);
    let request = world.request(0, 1);
    let id = request.id;
    let named = |id: RequestId| Request { id, ..request.clone() };
    let changed = [
        named(RequestId { session: Session(SESSION.0 + 1), ..id }),
        named(RequestId { number: RequestNumber(2), ..id }),
        named(RequestId { client: world.client(1), ..id }),
        Request { operation: Bytes::from_static(b"other"), ..request.clone() },
        Request { signature: Signature::from_bytes([0; 64]), ..request.clone() },
    ];
    let verifier = world.verifier();
    assert!(verifier.request(request.clone()).is_ok());
    for changed in changed {
        assert_eq!(verifier.request(changed.clone()), Err(Invalid::Signature));
        assert_eq!(verifier.message(Message::Forward(changed)), Err(Invalid::Signature));
    }
}

#[test]
fn a_request_for_another_network_is_worth_nothing_and_one_for_another_epoch_is() {
    let world = World::new(4);
    let sign = |chain: Digest, epoch| {
        let context = SigningContext::new(Arc::new(Ed25519), chain, epoch);
        Request::sign(&context, &client_key(0), world.request_id(0, 1), Bytes::new())
    };
    let foreign = sign(digest("another network"), Epoch(0));
    assert_eq!(world.verifier().request(foreign), Err(Invalid::Signature));
    assert!(world.verifier().request(sign(world.genesis.chain_id(), Epoch(1))).is_ok(), "a request outlives epochs");
}

#[test]
fn a_request_of_somebody_whom_the_genesis_does_not_list_is_not_taken_nor_is_an_oversized_one() {
    let world = World::new(4);
    let verifier = world.verifier();
    let stranger = ClientId(client_key(9).public());
    let id = RequestId { client: stranger, ..world.request_id(0, 1) };
    let request = Request::sign(&world.context, &client_key(9), id, Bytes::new());
    assert_eq!(verifier.request(request), Err(Invalid::UnknownClient(stranger)));
    let sized = |bytes: usize| world.request_for(world.request_id(0, 1), "x".repeat(bytes));
    let max = usize::try_from(world.genesis.limits.operation_bytes_max).expect("small");
    assert!(verifier.request(sized(max)).is_ok());
    assert_eq!(verifier.request(sized(max + 1)), Err(Invalid::Limit("operation_bytes_max")));
}

#[test]
fn the_memo_of_verified_signatures_never_vouches_for_anything_else() {
    let world = World::new(4);
    let payload = Commit { view: View(0), seq: SeqNum(1), digest: digest("a") };
    for memo in [0, 1, 1000] {
        let verifier = Verifier::new(Arc::clone(&world.genesis), world.context.clone(), memo);
        let good = world.sign(2, payload);
        let mut forged = *good.signature.as_bytes();
        forged[0] ^= 1;
        let forged = Signed { signature: Signature::from_bytes(forged), ..good.clone() };
        let other = Signed { payload: Commit { seq: SeqNum(2), ..payload }, ..good.clone() };
        for _ in 0..3 {
            assert_eq!(verifier.check_signed(&forged), Err(Invalid::Signature));
            assert_eq!(verifier.check_signed(&good), Ok(()));
            assert_eq!(verifier.check_signed(&other), Err(Invalid::Signature));
        }
    }
}
