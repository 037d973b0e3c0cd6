//! What becomes of operations that are refused, go beyond a limit or panic: the same outcome everywhere, no trace.

use bytes::Bytes;

use super::world::{World, apply, done, id, limits, outcome_of, read, request, results};
use crate::execution::state::entry_weight;
use crate::execution::{Application, Refusal};
use crate::genesis::Limits;
use crate::outcome::{LimitExceeded, Outcome};

#[test]
fn a_poisoned_operation_is_an_outcome_and_leaves_no_trace() {
    let mut executor = World::new(limits()).executor(0);
    let root = executor.snapshot().parts().application;
    let operations = ["add a 1", "panic", "add a 1", "refuse 3", "add a 1", "answer 65", "skip"];
    let requests =
        (1..).zip(operations).map(|(number, text)| request(id(1 + number as u8 % 3, 1, 1 + number / 3), text));
    let mut outcomes: Vec<_> = results(&apply(&mut executor, requests.collect()));
    outcomes.sort_by_key(|result| result.index);
    let outcomes: Vec<_> = outcomes.into_iter().map(|result| result.outcome).collect();
    let refused = |text: &'static str| Outcome::Refused(Bytes::from_static(text.as_bytes()));
    let too_long = Outcome::OverLimit(LimitExceeded::Outcome);
    assert_eq!(outcomes, [done("1"), Outcome::Panicked, done("2"), refused("rrr"), done("3"), too_long, refused("")]);
    assert_eq!(read(&executor, "trace"), None);
    assert_eq!(outcome_of(&mut executor, "remove a"), done(""));
    assert_eq!(executor.snapshot().parts().application, root);
}

#[test]
fn the_size_of_an_outcome_is_limited_to_the_byte() {
    let mut executor = World::new(limits()).executor(0);
    let too_long = Outcome::OverLimit(LimitExceeded::Outcome);
    assert_eq!(outcome_of(&mut executor, "refuse 65"), too_long);
    assert_eq!(outcome_of(&mut executor, "refuse 64"), Outcome::Refused(vec![b'r'; 64].into()));
    assert_eq!(outcome_of(&mut executor, "answer 65"), too_long);
    assert_eq!(read(&executor, "trace"), None);
    assert_eq!(outcome_of(&mut executor, "answer 64"), done(&"a".repeat(64)));
    assert_eq!(read(&executor, "trace").as_deref(), Some(&b"left"[..]));
}

#[test]
fn keys_values_and_the_state_are_limited_to_the_byte() {
    let state_bytes_max = 2 * entry_weight(&[0; 20], &[0; 500]) as u64;
    let limits = Limits { key_bytes_max: 20, value_bytes_max: 500, state_bytes_max, ..limits() };
    let mut executor = World::new(limits).executor(0);
    assert_eq!(outcome_of(&mut executor, "insert 21 1"), Outcome::OverLimit(LimitExceeded::Key));
    assert_eq!(outcome_of(&mut executor, "insert 1 501"), Outcome::OverLimit(LimitExceeded::Value));
    assert_eq!(outcome_of(&mut executor, "insert 20 500"), done(""));
    assert_eq!(outcome_of(&mut executor, "insert 19 500"), done(""));
    assert_eq!(outcome_of(&mut executor, "insert 0 0"), Outcome::OverLimit(LimitExceeded::State));
    assert_eq!(outcome_of(&mut executor, "insert 19 499"), done(""));
    assert_eq!(outcome_of(&mut executor, "insert 1 0"), Outcome::OverLimit(LimitExceeded::State));
    assert_eq!(outcome_of(&mut executor, "insert 19 492"), done(""));
    assert_eq!(outcome_of(&mut executor, "insert 1 0"), done(""));
}

#[test]
fn a_limit_that_the_state_machine_ignores_leaves_that_write_out() {
    let mut executor = World::new(Limits { key_bytes_max: 20, ..limits() }).executor(0);
    let root = executor.snapshot().parts().application;
    assert_eq!(outcome_of(&mut executor, "ignore 21 1"), done(""));
    assert_eq!(executor.snapshot().parts().application, root);
}

#[test]
fn questions_and_admission_survive_a_panic() {
    let world = World::new(limits());
    let executor = world.executor(0);
    assert_eq!(executor.read(b"panic").1, Outcome::Panicked);
    let admission = world.application().admission();
    assert_eq!(admission.admit(b"panic"), Err(Refusal(Bytes::new())));
    assert_eq!(executor.admission().admit(b""), Err(Refusal(Bytes::from_static(b"empty"))));
    assert_eq!(admission.admit(b"add a 1"), Ok(()));
}

#[test]
#[should_panic(expected = "in the order of their slots")]
fn a_batch_out_of_order_is_our_own_fault() {
    World::new(limits()).executor(0).apply(&super::world::null_batch(2), crate::execution::Replies::Send);
}

#[test]
#[should_panic(expected = "is not the committed one")]
fn a_batch_that_was_not_committed_is_our_own_fault() {
    let mut committed = super::world::batch(1, 5, vec![]);
    committed.digest = quorate_crypto::Digest::ZERO;
    World::new(limits()).executor(0).apply(&committed, crate::execution::Replies::Send);
}
