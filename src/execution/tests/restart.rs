//! A state that is taken over is the state that it was, and what follows is as if there had been no restart.

use proptest::prelude::*;

use super::world::{TestExecutor, World, apply, batch, id, limits, null_batch, read, request};
use crate::batch::CommittedBatch;
use crate::execution::state::{State, StateLimits};
use crate::execution::{InstallError, ReplicatedState, Replies};
use crate::genesis::Limits;
use crate::messages::ReplicaMessage;
use crate::types::SeqNum;

fn restart(world: &World, executor: &TestExecutor) -> TestExecutor {
    let mut restarted = world.executor(0);
    restarted.install(executor.snapshot().replicated(), None).unwrap();
    restarted
}

fn sample(world: &World) -> TestExecutor {
    let mut executor = world.executor(0);
    for seq in 1..=6 {
        let requests = [request(id(0, 1, seq), "add a 1"), request(id(1, 2, seq), "insert 3 900")];
        apply(&mut executor, requests.to_vec());
    }
    executor
}

#[test]
fn an_operation_does_not_run_twice_after_a_restore() {
    let world = World::new(limits());
    let executor = sample(&world);
    let mut restored = restart(&world, &executor);
    assert_eq!(restored.installed(), executor.installed());
    let applied = apply(&mut restored, vec![request(id(0, 1, 6), "add a 1")]);
    assert!(!applied.report.requests[0].executed);
    assert_eq!(read(&restored, "a").as_deref(), Some(&b"6"[..]));
    assert_eq!(restored.resend(&id(0, 1, 6)), executor.resend(&id(0, 1, 6)));
    assert!(restored.resend(&id(0, 1, 6)).is_some());
}

#[test]
fn the_root_tells_states_apart_that_differ_in_their_client_tables_only() {
    let world = World::new(limits());
    let mut parts = [1, 2].map(|number| {
        let mut executor = world.executor(0);
        apply(&mut executor, vec![request(id(0, 1, number), "add a 1")]);
        executor.snapshot().parts()
    });
    assert_eq!(parts[0].application, parts[1].application);
    assert_ne!(parts[0].client_table, parts[1].client_table);
    parts[1].chain = parts[0].chain;
    assert_ne!(parts[0].root(SeqNum(1)), parts[1].root(SeqNum(1)));
}

#[test]
fn rejects_the_state_of_another_network_and_a_client_table_that_is_none() {
    let world = World::new(limits());
    let state = sample(&world).snapshot().replicated();
    let other = World::new(Limits { checkpoint_interval: 5, ..limits() });
    let mut executor = other.executor(0);
    let refused = executor.install(state.clone(), None);
    assert_eq!(refused, Err(InstallError::OtherNetwork(world.genesis.chain_id())));
    let clients = State::from_entries(StateLimits::default(), [("no client", "nothing")]).unwrap();
    let mut executor = sample(&world);
    let refused = executor.install(ReplicatedState { clients, ..state.clone() }, None);
    assert_eq!(refused, Err(InstallError::ClientTable(SeqNum(6))));
    assert_eq!(executor.snapshot().root(), state.root(), "nothing has changed");
}

#[test]
fn the_state_may_fall_back_to_an_earlier_one() {
    let world = World::new(limits());
    let mut executor = sample(&world);
    let (earlier, then) = (executor.snapshot().replicated(), executor.installed());
    apply(&mut executor, vec![request(id(0, 1, 7), "add a 1")]);
    apply(&mut executor, vec![request(id(0, 1, 8), "add a 1")]);
    executor.install(earlier, None).unwrap();
    assert_eq!((executor.installed(), executor.executed()), (then, SeqNum(6)));
    assert_eq!(read(&executor, "a").as_deref(), Some(&b"6"[..]));
    assert!(apply(&mut executor, vec![request(id(0, 1, 7), "add a 1")]).report.requests[0].executed);
}

#[test]
fn limits_of_the_application_hold_for_what_follows_a_restart() {
    let world = World::new(Limits { value_bytes_max: 100, ..limits() });
    let mut state = sample(&World::new(limits())).snapshot().replicated();
    state.position.chain_id = world.genesis.chain_id();
    let mut executor = world.executor(0);
    executor.install(state, None).unwrap();
    let outcome = super::world::outcome_of(&mut executor, "insert 3 101");
    assert_ne!(outcome, super::world::done(""));
}

#[test]
fn what_was_executed_before_the_restart_can_not_be_attested_and_says_so() {
    let world = World::new(limits());
    let mut restored = restart(&world, &sample(&world));
    let none = ReplicaMessage::NotAttested { seq: SeqNum(6), index: 0, from: SeqNum(1), to: SeqNum(0) };
    assert_eq!(restored.attest(SeqNum(6), 0), none);
    apply(&mut restored, vec![request(id(0, 1, 7), "add a 1")]);
    let some = ReplicaMessage::NotAttested { seq: SeqNum(6), index: 0, from: SeqNum(7), to: SeqNum(7) };
    assert_eq!(restored.attest(SeqNum(6), 0), some);
    assert!(matches!(restored.attest(SeqNum(7), 0), ReplicaMessage::Attestation(_)));
}

/// Batches of random requests over few clients, sessions and numbers, so that duplicates and edges are common.
fn history() -> impl Strategy<Value = Vec<CommittedBatch>> {
    let operation = prop::sample::select(vec![
        "add a 1",
        "add b 2",
        "remove a",
        "insert 9 700",
        "insert 5 900",
        "time",
        "answer 30",
        "answer 65",
        "refuse 9",
        "",
    ]);
    let request = (0u8..4, 1u64..4, 0u64..14, operation)
        .prop_map(|(client, session, number, operation)| request(id(client, session, number), operation));
    let content = prop::option::weighted(0.9, (0u64..9_000, prop::collection::vec(request, 0..12)));
    prop::collection::vec(content, 1..24).prop_map(|contents| {
        (1..)
            .zip(contents)
            .map(|(seq, content)| content.map_or(null_batch(seq), |(time, requests)| batch(seq, time, requests)))
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_history_with_a_restart_and_a_replay_is_the_history_without(batches in history(), cut in 0usize..24, replayed in 0usize..6) {
        let world = World::new(limits());
        let cut = cut.min(batches.len());
        let mut steady = world.executor(0);
        let (mut restarted, mut expected) = (world.executor(0), Vec::new());
        for (at, batch) in batches.iter().enumerate() {
            if at == cut {
                restarted = restart(&world, &restarted);
                prop_assert_eq!(restarted.snapshot().root(), steady.snapshot().root());
            }
            let applied = steady.apply(batch, Replies::Send);
            let is_replayed = (cut..cut + replayed).contains(&at);
            let again = restarted.apply(batch, if is_replayed { Replies::Withhold } else { Replies::Send });
            prop_assert_eq!(&again.report, &applied.report);
            prop_assert_eq!(again.replies, if is_replayed { Vec::new() } else { applied.replies.clone() });
            prop_assert_eq!(applied.report.root.is_some(), batch.seq.0 % 4 == 0);
            expected.push(applied.report.chain);
        }
        prop_assert_eq!(restarted.snapshot().root(), steady.snapshot().root());
        prop_assert_eq!(restarted.installed(), steady.installed());
        let mut sorted = expected.clone();
        sorted.sort();
        sorted.dedup();
        prop_assert_eq!(sorted.len(), expected.len(), "no two slots have one chain hash");
    }
}
