//! Certified checkpoints, and the reads that are proven against them.

use super::world::{TestExecutor, World, apply, id, limits, request};
use crate::codec;
use crate::execution::state::Proof;
use crate::execution::{InstallError, Stability};
use crate::messages::ReplicaMessage;
use crate::messages::client::Answer;
use crate::types::SeqNum;

fn run_to(executor: &mut TestExecutor, last: u64) {
    for seq in executor.executed().up_to(SeqNum(last)).map(|seq| seq.0).collect::<Vec<_>>() {
        apply(executor, vec![request(id(0, 1, seq), "add a 1")]);
    }
}

fn answer(executor: &TestExecutor, key: &str) -> Answer {
    let ReplicaMessage::Answer(answer) = executor.query(77, key.as_bytes()) else { panic!("not an answer") };
    answer
}

/// What a client believes after it has checked the certificate.
fn proven(executor: &TestExecutor, key: &str) -> (SeqNum, Option<Vec<u8>>) {
    let answer = answer(executor, key);
    assert_eq!(answer.tag, 77);
    let proven = answer.proven.unwrap();
    assert_eq!(proven.parts.root(proven.certificate.seq()), proven.certificate.root());
    let proof: Proof = codec::decode(&proven.proof).unwrap();
    (proven.certificate.seq(), proof.verify(&proven.parts.application, key.as_bytes()).unwrap())
}

#[test]
fn reads_are_proven_against_the_last_certified_checkpoint_and_not_a_later_state() {
    let world = World::new(limits());
    let mut executor = world.executor(0);
    run_to(&mut executor, 4);
    let root = executor.snapshot().root();
    assert_eq!(answer(&executor, "a").proven, None, "nothing is certified yet");
    run_to(&mut executor, 9);
    let stability = executor.stable(world.certificate(SeqNum(4), root));
    assert!(matches!(stability, Stability::Certified(snapshot) if snapshot.root() == root));
    assert_eq!(proven(&executor, "a"), (SeqNum(4), Some(b"4".to_vec())));
    assert_eq!(proven(&executor, "b"), (SeqNum(4), None));
    assert_eq!(executor.read(b"a"), (SeqNum(9), super::world::done("9")));
}

#[test]
fn certificates_out_of_order_never_take_a_read_back() {
    let world = World::new(limits());
    let mut executor = world.executor(0);
    run_to(&mut executor, 4);
    let first = world.certificate(SeqNum(4), executor.snapshot().root());
    run_to(&mut executor, 8);
    let second = world.certificate(SeqNum(8), executor.snapshot().root());
    assert!(matches!(executor.stable(second.clone()), Stability::Certified(_)));
    assert!(matches!(executor.stable(first), Stability::NotKept));
    assert!(matches!(executor.stable(second), Stability::NotKept));
    assert_eq!(proven(&executor, "a").0, SeqNum(8));
}

#[test]
fn a_certificate_for_another_state_is_a_divergence_and_proves_nothing() {
    let world = World::new(limits());
    let mut executor = world.executor(0);
    run_to(&mut executor, 4);
    let own = executor.snapshot().root();
    let other = quorate_crypto::Digest::ZERO;
    let stability = executor.stable(world.certificate(SeqNum(4), other));
    assert!(
        matches!(stability, Stability::Diverged { seq: SeqNum(4), own: o, certified } if o == own && certified == other)
    );
    assert_eq!(answer(&executor, "a").proven, None);
}

#[test]
fn states_that_wait_for_a_certificate_are_bounded() {
    let world = World::new(limits());
    let mut executor = world.executor(0);
    run_to(&mut executor, 4);
    let old = world.certificate(SeqNum(4), executor.snapshot().root());
    run_to(&mut executor, 400);
    assert!(matches!(executor.stable(old), Stability::NotKept));
    let newest = world.certificate(SeqNum(400), executor.snapshot().root());
    assert!(matches!(executor.stable(newest), Stability::Certified(_)));
}

#[test]
fn an_installed_checkpoint_can_be_certified() {
    let world = World::new(limits());
    let mut executor = world.executor(0);
    run_to(&mut executor, 4);
    let state = executor.snapshot().replicated();
    let mut restored = world.executor(0);
    restored.install(state.clone(), None).unwrap();
    assert_eq!(answer(&restored, "a").proven, None);
    restored.stable(world.certificate(SeqNum(4), state.root()));
    assert_eq!(proven(&restored, "a"), (SeqNum(4), Some(b"4".to_vec())));
    assert_eq!(restored.certified().map(|(certificate, _)| certificate.seq()), Some(SeqNum(4)));
    assert_eq!(restored.read(b"a").1, super::world::done("4"));
}

#[test]
fn reads_are_proven_at_once_against_a_state_that_comes_with_its_certificate() {
    let world = World::new(limits());
    let mut executor = world.executor(0);
    run_to(&mut executor, 4);
    let state = executor.snapshot().replicated();
    let mut behind = world.executor(1);
    run_to(&mut behind, 2);
    behind.install(state.clone(), Some(world.certificate(SeqNum(4), state.root()))).unwrap();
    assert_eq!(proven(&behind, "a"), (SeqNum(4), Some(b"4".to_vec())));
}

#[test]
fn a_state_is_not_taken_over_under_the_certificate_of_another() {
    let world = World::new(limits());
    let mut executor = world.executor(0);
    run_to(&mut executor, 4);
    let state = executor.snapshot().replicated();
    let mut behind = world.executor(1);
    run_to(&mut behind, 2);
    let before = behind.snapshot().root();
    for certificate in [world.certificate(SeqNum(8), state.root()), world.certificate(SeqNum(4), before)] {
        let refused = behind.install(state.clone(), Some(certificate));
        assert!(matches!(refused, Err(InstallError::Root { seq: SeqNum(4), .. })), "{refused:?}");
        assert_eq!((behind.executed(), behind.snapshot().root()), (SeqNum(2), before));
    }
}
