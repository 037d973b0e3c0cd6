//! Receipts: a third party with the committee's keys and the chain id checks them offline.

use quorate_crypto::Digest;

use super::world::{World, apply, batch, client, id, limits, request, results};
use crate::execution::{InvalidReceipt, Receipt, ReceiptBuilder, Replies};
use crate::messages::client::{AttestedResult, RequestResult};
use crate::messages::{ReplicaMessage, SigningContext};
use crate::outcome::Outcome;
use crate::types::{Epoch, ReplicaId, RequestNumber, SeqNum, Session};

/// The result of the third of four requests, and what each member attests.
fn attested(world: &World) -> (RequestResult, Vec<AttestedResult>) {
    let requests: Vec<_> = (1..=4).map(|number| request(id(0, 1, number), "add a 2")).collect();
    let mut result = None;
    let parts = (0..4).map(|member| {
        let mut executor = world.executor(member);
        let applied = apply(&mut executor, requests.clone());
        result = results(&applied).into_iter().find(|result| result.index == 2);
        let ReplicaMessage::Attestation(part) = executor.attest(SeqNum(1), 2) else { panic!("not attested") };
        part
    });
    let parts = parts.collect();
    (result.unwrap(), parts)
}

fn receipt(world: &World) -> Receipt {
    let (result, parts) = attested(world);
    let mut builder = ReceiptBuilder::new(client(0), result);
    let mut add = |member: usize| builder.add(parts[member].clone(), &world.genesis.committee, &world.context);
    assert_eq!(add(3), Ok(None));
    assert_eq!(add(3), Ok(None), "one member counts once");
    add(1).unwrap().unwrap()
}

fn verify(world: &World, receipt: &Receipt) -> Result<(), InvalidReceipt> {
    receipt.verify(&world.genesis.committee, &world.context)
}

#[test]
fn a_receipt_verifies_offline_and_names_its_operation() {
    let world = World::new(limits());
    let receipt = receipt(&world);
    let read = Receipt::decode(&receipt.encode()).unwrap();
    assert_eq!(read, receipt);
    assert_eq!(verify(&world, &read), Ok(()));
    assert_eq!(read.result.outcome, super::world::done("6"));
    assert!(read.is_for(b"add a 2"));
    assert!(!read.is_for(b"add a 3"));
    assert_eq!(read.signatures.iter().map(|vote| vote.signer).collect::<Vec<_>>(), [ReplicaId(1), ReplicaId(3)]);
}

#[test]
fn every_mutation_of_a_receipt_fails() {
    let world = World::new(limits());
    let honest = receipt(&world);
    let mutations: &[fn(&mut Receipt)] = &[
        |it| it.client = client(1),
        |it| it.result.session = Session(2),
        |it| it.result.number = RequestNumber(4),
        |it| it.result.seq = SeqNum(2),
        |it| it.result.index = 1,
        |it| (it.result.index, it.path.index) = (1, 1),
        |it| it.result.operation = Digest::ZERO,
        |it| it.result.outcome = Outcome::Done(b"7"[..].into()),
        |it| it.result.outcome = Outcome::Refused(b"6"[..].into()),
        |it| it.attestation.seq = SeqNum(2),
        |it| (it.result.seq, it.attestation.seq) = (SeqNum(2), SeqNum(2)),
        |it| it.attestation.chain = Digest::ZERO,
        |it| it.attestation.results_root = Digest::ZERO,
        |it| it.path.index = 3,
        |it| it.path.path.clear(),
        |it| it.path.path.push(Digest::ZERO),
        |it| it.path.path.reverse(),
        |it| it.signatures.clear(),
        |it| it.signatures.truncate(1),
        |it| it.signatures.reverse(),
        |it| it.signatures[1] = it.signatures[0].clone(),
        |it| it.signatures.push(it.signatures[1].clone()),
        |it| it.signatures[0].signer = ReplicaId(0),
        |it| it.signatures[1].signer = ReplicaId(4),
        |it| it.signatures[1].signature = it.signatures[0].signature,
    ];
    for (number, mutate) in mutations.iter().enumerate() {
        let mut receipt = honest.clone();
        mutate(&mut receipt);
        assert!(verify(&world, &receipt).is_err(), "mutation {number}");
    }
}

#[test]
fn every_changed_bit_of_a_receipt_fails_or_claims_the_same() {
    let world = World::new(limits());
    let honest = receipt(&world);
    let file = honest.encode();
    for at in 0..file.len() {
        let mut changed = file.to_vec();
        changed[at] ^= 1 << (at % 8);
        let Ok(receipt) = Receipt::decode(&changed) else { continue };
        if verify(&world, &receipt).is_ok() {
            // Only the size of the tree, which is no claim.
            assert_eq!(Receipt { path: honest.path.clone(), ..receipt }, honest, "byte {at}");
        }
    }
}

#[test]
fn a_receipt_is_worth_nothing_in_another_network_or_epoch_or_committee() {
    let world = World::new(limits());
    let receipt = receipt(&world);
    let scheme = || std::sync::Arc::new(quorate_crypto::Ed25519);
    let others = [
        SigningContext::new(scheme(), Digest::ZERO, Epoch(0)),
        SigningContext::new(scheme(), world.context.chain_id(), Epoch(1)),
    ];
    for context in others {
        let wrong = Err(InvalidReceipt::Signature(ReplicaId(1)));
        assert_eq!(receipt.verify(&world.genesis.committee, &context), wrong);
    }
    let mut keys = world.genesis.committee.keys().to_vec();
    keys.swap(1, 2);
    let committee = crate::committee::Committee::new(keys).unwrap();
    assert_eq!(receipt.verify(&committee, &world.context), Err(InvalidReceipt::Signature(ReplicaId(1))));
}

#[test]
fn a_bad_part_is_refused_and_does_not_spoil_the_others() {
    let world = World::new(limits());
    let (result, parts) = attested(&world);
    let mut builder = ReceiptBuilder::new(client(0), result);
    let mut add = |part: AttestedResult| builder.add(part, &world.genesis.committee, &world.context);
    assert_eq!(add(parts[0].clone()), Ok(None));

    let mut forged = parts[1].clone();
    forged.attestation.signer = ReplicaId(2);
    assert_eq!(add(forged), Err(InvalidReceipt::Signature(ReplicaId(2))));
    let mut stranger = parts[1].clone();
    stranger.attestation.signer = ReplicaId(4);
    assert_eq!(add(stranger), Err(InvalidReceipt::NotAMember(ReplicaId(4))));
    let mut elsewhere = parts[1].clone();
    elsewhere.attestation.payload.results_root = Digest::ZERO;
    assert!(matches!(add(elsewhere), Err(InvalidReceipt::Path(_))));

    // A faulty member attests the right results in another history.
    let signer = world.signer(2);
    let mut lie = parts[2].clone();
    lie.attestation.payload.chain = Digest::ZERO;
    lie.attestation = signer.context.sign(&signer.key, signer.id, lie.attestation.payload);
    assert_eq!(add(lie), Ok(None));
    assert!(add(parts[1].clone()).unwrap().is_some());
}

#[test]
fn parts_are_assembled_whatever_stands_among_them() {
    let world = World::new(limits());
    let (result, parts) = attested(&world);
    let assemble = |members: &[usize]| {
        let parts = members.iter().map(|member| {
            let mut part = parts[*member].clone();
            part.path.index += u64::from(*member == 0);
            part
        });
        Receipt::assemble(client(0), result.clone(), parts, &world.genesis.committee, &world.context)
    };
    assert_eq!(assemble(&[0, 3, 3]), None);
    assert_eq!(assemble(&[2, 0, 3]).map(|receipt| verify(&world, &receipt)), Some(Ok(())));
}

#[test]
fn batches_of_the_last_two_checkpoints_are_attested_and_older_ones_refused() {
    let world = World::new(limits());
    let mut executor = world.executor(0);
    for seq in 1..=14 {
        executor.apply(&batch(seq, 1, vec![request(id(0, 1, seq), "add a 1")]), Replies::Send);
    }
    let mut attests = |seq, index| {
        let (seq, message) = (SeqNum(seq), executor.attest(SeqNum(seq), index));
        let refusal = ReplicaMessage::NotAttested { seq, index, from: SeqNum(5), to: SeqNum(14) };
        let is_attestation = matches!(&message, ReplicaMessage::Attestation(it) if it.attestation.payload.seq == seq);
        assert!(is_attestation || message == refusal, "{message:?}");
        is_attestation
    };
    let attested: Vec<_> = (0..20).filter(|seq| attests(*seq, 0)).collect();
    assert_eq!(attested, (5..=14).collect::<Vec<_>>());
    assert!(!attests(14, 1), "the batch has one request");
    assert!(!attests(14, u32::MAX));
}
