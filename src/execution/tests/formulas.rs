//! The formulas of docs/PROTOCOL.md. Receipts and state roots rest on them, so that they can never change unnoticed:
//! each is pinned to a value that was computed by another program from the formula's text, and the executor's use of
//! them is compared with a naive restatement.

use quorate_crypto::merkle;
use quorate_crypto::{Digest, Hasher};

use super::world::{GENESIS_TIME, World, batch, id, limits, null_batch, request};
use crate::codec;
use crate::execution::{Link, Replies, genesis_chain};
use crate::messages::client::RootParts;
use crate::messages::request::operation_digest;
use crate::outcome::{Outcome, SkipReason, result_leaf};
use crate::types::{ClientId, RequestId, RequestNumber, SeqNum, Session, WallTime};

fn bytes(byte: u8) -> Digest {
    Digest::from_bytes([byte; 32])
}

#[test]
fn formulas_have_the_values_of_an_independent_program() {
    assert_eq!(
        genesis_chain(&bytes(7)).to_string(),
        "22e1b1401ae4498e245704be0381cb9f8bf9852ab144a30da0f835356523b76d"
    );
    let link = Link { seq: SeqNum(5), digest: bytes(1), time: WallTime(99), results_root: bytes(2) };
    assert_eq!(link.chain(&bytes(3)).to_string(), "9b325ffa9f518b08c2dc14994c111e75920f4921de74de3f33e6bbb66f40a9d5");
    let id = RequestId {
        client: ClientId(quorate_crypto::PublicKey::from_bytes([4; 32])),
        session: Session(6),
        number: RequestNumber(8),
    };
    let leaf = result_leaf(3, &id, &bytes(5), &Outcome::Done(b"ok"[..].into()));
    assert_eq!(leaf.to_string(), "4293cba9cd8abedcb6aae68f39235f058b8c6e9d6906202f2d95e9ed7bfea20d");
    let parts = RootParts { application: bytes(1), client_table: bytes(2), chain: bytes(3), time: WallTime(4) };
    assert_eq!(parts.root(SeqNum(5)).to_string(), "df2f2da1cfd01f038b249498499ef4422f0b4b2be2a9bbc7625188dfa40fe5ca");
}

#[test]
fn the_chain_is_that_of_a_naive_restatement() {
    let world = World::new(limits());
    let mut executor = world.executor(0);
    let first = executor
        .apply(&batch(1, 5_000, vec![request(id(0, 1, 1), "add a 5"), request(id(1, 1, 9), "add a 5")]), Replies::Send);
    let second = executor.apply(&null_batch(2), Replies::Send);
    let third = executor.apply(&batch(3, 4_000, vec![]), Replies::Send);

    let leaf = |index: u64, who: RequestId, outcome: &Outcome| {
        Hasher::new("quorate/result/v1")
            .u64(index)
            .bytes(who.client.0.as_bytes())
            .u64(who.session.0)
            .u64(who.number.0)
            .digest(&operation_digest(b"add a 5"))
            .bytes(&codec::canonical(outcome))
            .finish()
    };
    let leaves = [
        leaf(0, id(0, 1, 1), &Outcome::Done(b"5"[..].into())),
        leaf(1, id(1, 1, 9), &Outcome::Skipped(SkipReason::OutsideWindow)),
    ];
    let chain = |previous: &Digest, seq: u64, digest: Digest, leaves: &[Digest]| {
        // Every slot here is executed at 5,000: the null batch has no time, and the third was proposed earlier.
        Hasher::new("quorate/chain/v1")
            .digest(previous)
            .u64(seq)
            .digest(&digest)
            .u64(5_000)
            .digest(&merkle::root(leaves))
            .finish()
    };
    let genesis = Hasher::new("quorate/chain-genesis/v1").digest(&world.genesis.chain_id()).finish();
    let requests = vec![request(id(0, 1, 1), "add a 5"), request(id(1, 1, 9), "add a 5")];
    let expected = chain(&genesis, 1, batch(1, 5_000, requests).digest, &leaves);
    assert_eq!(first.report.chain, expected);
    let expected = chain(&expected, 2, null_batch(2).digest, &[]);
    assert_eq!(second.report.chain, expected);
    assert_eq!(third.report.chain, chain(&expected, 3, batch(3, 4_000, vec![]).digest, &[]));
}

#[test]
fn the_agreed_time_starts_at_the_genesis_and_never_goes_back() {
    let world = World::new(limits());
    let mut executor = world.executor(0);
    let mut time_at = |committed| {
        executor.apply(&committed, Replies::Send);
        executor.snapshot().time()
    };
    assert_eq!(time_at(null_batch(1)), GENESIS_TIME);
    assert_eq!(time_at(batch(2, 10, vec![])), GENESIS_TIME);
    assert_eq!(time_at(batch(3, 7_000, vec![])), WallTime(7_000));
    assert_eq!(time_at(batch(4, 6_999, vec![])), WallTime(7_000));
    assert_eq!(time_at(null_batch(5)), WallTime(7_000));
}

#[test]
fn operations_see_the_agreed_time_and_not_the_proposed() {
    let world = World::new(limits());
    let mut executor = world.executor(0);
    executor.apply(&batch(1, 7_000, vec![]), Replies::Send);
    executor.apply(&batch(2, 6_000, vec![request(id(0, 1, 1), "time")]), Replies::Send);
    assert_eq!(super::world::read(&executor, "time").as_deref(), Some(&7_000u64.to_le_bytes()[..]));
}

#[test]
fn the_root_of_a_checkpoint_is_made_of_its_parts_and_taken_every_k_slots() {
    let world = World::new(limits());
    let mut executor = world.executor(0);
    for seq in 1..=9 {
        let applied = executor.apply(&batch(seq, 1, vec![request(id(0, 1, seq), "add a 1")]), Replies::Send);
        let parts = executor.snapshot().parts();
        let expected = Hasher::new("quorate/root/v1")
            .u64(seq)
            .digest(&parts.application)
            .digest(&parts.client_table)
            .digest(&applied.report.chain)
            .u64(GENESIS_TIME.0)
            .finish();
        assert_eq!(applied.report.root, (seq % 4 == 0).then_some(expected));
    }
}
