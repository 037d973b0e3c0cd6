//! Whatever the states are, and whatever up to f of the sources do: the certified state comes out, the client table with
//! it, and an executor goes on from it as if it had executed everything itself.
//!
//! Keeps out: 39 (the client table is not part of the state, so that an operation runs twice after a transfer).

use std::time::Duration;

use proptest::collection::btree_map;
use proptest::prelude::*;

use super::network::{Conduct, Network, UNLIMITED, state_at};
use crate::execution::state::{State, StateLimits};
use crate::execution::state_fetch::{FetchScope, StateFetch};
use crate::execution::tests::world::{World, apply, batch, id, limits, read, request};
use crate::execution::{Replies, StateServer};
use crate::messages::Message;
use crate::types::{Instant, ReplicaId, SeqNum};

const MINUTE: Duration = Duration::from_secs(60);

fn states() -> impl Strategy<Value = State> {
    let byte = prop::sample::select(vec![0x00, 0x01, 0x10, 0xff]);
    let entries = btree_map(prop::collection::vec(byte, 0..6), prop::collection::vec(any::<u8>(), 0..700), 0..60);
    entries.prop_map(|entries| State::from_entries(StateLimits::default(), entries).unwrap())
}

fn conducts() -> impl Strategy<Value = Conduct> {
    prop_oneof![
        Just(Conduct::Honest),
        Just(Conduct::Silent),
        Just(Conduct::Lying),
        Just(Conduct::WrongHead),
        Just(Conduct::Stingy),
        Just(Conduct::Confused),
        (0_usize..4).prop_map(Conduct::Dying),
        (0_usize..4).prop_map(Conduct::Forgetting),
        (1_u64..6_000).prop_map(|ms| Conduct::Slow(Duration::from_millis(ms))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn one_faulty_source_of_three_never_keeps_the_certified_state_away(
        base in states(),
        goal in states(),
        faulty in conducts(),
        place in 0_usize..3,
    ) {
        let (base, goal) = (state_at(0, base), state_at(8, goal));
        let mut conducts = vec![Conduct::Honest; 3];
        conducts[place] = faulty;
        let mut network = Network::new(&base, &goal, &conducts);
        let fetched = network.run(MINUTE).expect("two sources are honest");
        prop_assert_eq!(fetched.state.root(), goal.root());
        prop_assert_eq!(fetched.state.position, goal.position);
        prop_assert!(fetched.state.application.range(&[]).eq(goal.application.range(&[])));
        prop_assert!(fetched.state.clients.range(&[]).eq(goal.clients.range(&[])));
    }

    #[test]
    fn the_same_inputs_give_the_same_questions(base in states(), goal in states()) {
        let run = || {
            let goal = state_at(8, goal.clone());
            let mut network = Network::new(&state_at(0, base.clone()), &goal, &[Conduct::Honest, Conduct::Lying]);
            network.run(MINUTE).expect("one source is honest and none else may lie");
            (network.now, network.asked, network.notices)
        };
        prop_assert_eq!(run(), run());
    }
}

/// Hands messages back and forth without delay until the state is there.
fn transfer(fetch: &mut StateFetch, server: &mut StateServer) {
    let (own, source, now) = (ReplicaId(0), ReplicaId(1), Instant(1));
    loop {
        let asked: Vec<_> = fetch.take_output().send.into_iter().filter(|(to, _)| *to == source).collect();
        if asked.is_empty() {
            return;
        }
        for (_, message) in asked {
            match message {
                Message::FetchState { seq } => fetch.on_head(source, &server.head(seq, now), now),
                Message::FetchNodes(question) => {
                    server.ask(own, question);
                    while let Some((_, nodes)) = server.answer(now) {
                        fetch.on_nodes(source, &nodes, now);
                    }
                }
                other => panic!("the fetch sends {}", other.kind()),
            }
        }
    }
}

#[test]
fn an_operation_that_was_executed_before_the_transfer_is_not_executed_after_it() {
    let world = World::new(limits());
    let (mut ahead, mut behind) = (world.executor(1), world.executor(0));
    for number in 1..=8 {
        let applied = apply(&mut ahead, vec![request(id(0, 1, number), "add a 1")]);
        assert!(applied.report.requests[0].executed);
    }
    // What the one that is behind has done meanwhile was never agreed upon.
    apply(&mut behind, vec![request(id(0, 1, 1), "add a 70"), request(id(1, 1, 1), "add b 1")]);

    let goal = world.certificate(SeqNum(8), ahead.snapshot().root());
    let mut server = StateServer::new(UNLIMITED);
    server.hold(ahead.snapshot().replicated(), Instant(0));
    let scope = FetchScope::new(&world.genesis, ReplicaId(0));
    let base = behind.snapshot().replicated();
    let mut fetch = StateFetch::begin(scope, &base, None, goal.clone(), Instant(0));
    transfer(&mut fetch, &mut server);
    let fetched = fetch.take_fetched().expect("the source is honest");
    behind.install(fetched.state, Some(fetched.certificate)).expect("the certified state");

    assert_eq!(behind.executed(), SeqNum(8));
    assert_eq!(behind.certified().map(|(certificate, _)| certificate.root()), Some(goal.root()));
    assert_eq!(behind.resend(&id(0, 1, 8)), ahead.resend(&id(0, 1, 8)), "results are part of the state");
    assert!(behind.resend(&id(0, 1, 8)).is_some());
    let again = batch(9, 2_009, vec![request(id(0, 1, 8), "add a 1"), request(id(0, 1, 9), "add a 1")]);
    let (one, other) = (behind.apply(&again, Replies::Send), ahead.apply(&again, Replies::Send));
    assert_eq!(one, other);
    assert!(!one.report.requests[0].executed && one.report.requests[1].executed);
    assert_eq!((read(&behind, "a"), read(&behind, "b")), (Some("9".into()), None));
    assert_eq!(behind.snapshot().root(), ahead.snapshot().root());
}
