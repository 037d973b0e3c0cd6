//! Up to f sources do what they like; the state comes from the others. And when all fail, the fetch goes on asking, at a
//! pace that troubles nobody.
//!
//! Keeps out: 35 (a height that one peer claims), 36 (something taken from the last answer instead of from a quorum), 37
//! (chunks doubled, out of order or foreign), 38 (a source that dies; infinite retries when all fail).

use std::time::Duration;

use super::network::{Conduct, Network, nothing, spread, state_at};
use crate::execution::state_fetch::{Doubt, FetchNotice};
use crate::execution::{ReplicatedState, ServingRate, StateServer};
use crate::messages::{Message, StateHead};
use crate::types::{Instant, ReplicaId, SeqNum};

fn goal() -> ReplicatedState {
    state_at(8, spread(6_000, 0))
}

/// Fetches the goal with a first source of this conduct and two honest ones.
fn with_first(conduct: Conduct, within: Duration) -> Network {
    let mut network = Network::new(&nothing(), &goal(), &[conduct, Conduct::Honest, Conduct::Honest]);
    let fetched = network.run(within).expect("two sources are honest");
    assert_eq!(fetched.state.root(), goal().root());
    assert_eq!(fetched.certificate.root(), goal().root());
    network
}

fn switched(network: &Network, from: u16) -> Vec<Doubt> {
    let doubts = network.notices.iter().filter_map(|notice| match notice {
        FetchNotice::SourceSwitched { from: source, doubt } if *source == ReplicaId(from) => Some(*doubt),
        _ => None,
    });
    doubts.collect()
}

#[test]
fn several_sources_share_the_work() {
    let network = with_first(Conduct::Honest, Duration::from_secs(1));
    assert_eq!(network.asked.len(), 3);
    assert!(network.asked.values().all(|asked| *asked >= 3), "{:?}", network.asked);
    assert!(switched(&network, 1).is_empty());
}

#[test]
fn a_source_that_lies_is_found_out_at_its_first_node_and_left_alone() {
    let network = with_first(Conduct::Lying, Duration::from_secs(1));
    assert_eq!(switched(&network, 1), [Doubt::Lied]);
    let is_rejection = |notice: &&FetchNotice| matches!(notice, FetchNotice::NodeRejected { from: ReplicaId(1), .. });
    assert_eq!(network.notices.iter().filter(is_rejection).count(), 1);
    assert_eq!(network.asked[&ReplicaId(1)], 2, "for the parts of the root, and once for nodes");
}

#[test]
fn a_source_that_is_silent_holds_nothing_up() {
    let network = with_first(Conduct::Silent, Duration::from_secs(1));
    assert!(network.asked[&ReplicaId(1)] == 1);
}

#[test]
fn a_source_that_dies_is_replaced() {
    let network = with_first(Conduct::Dying(1), Duration::from_secs(4));
    assert_eq!(switched(&network, 1), [Doubt::Silent]);
}

#[test]
fn a_slow_source_delays_the_end_by_no_more_than_the_patience_with_it() {
    let network = with_first(Conduct::Slow(Duration::from_millis(1_900)), Duration::from_secs(7));
    assert!(network.asked[&ReplicaId(2)] > network.asked[&ReplicaId(1)]);
    let too_slow = with_first(Conduct::Slow(Duration::from_secs(3)), Duration::from_secs(7));
    assert!(too_slow.asked[&ReplicaId(1)] <= 3);
}

#[test]
fn sources_that_are_all_slower_than_the_patience_with_them_still_bring_the_state() {
    let slow = Conduct::Slow(Duration::from_secs(5));
    let mut network = Network::new(&nothing(), &state_at(8, spread(600, 0)), &[slow.clone(), slow.clone(), slow]);
    assert!(network.run(Duration::from_secs(300)).is_some());
}

#[test]
fn a_source_that_sends_one_node_at_a_time_does_not_set_the_pace() {
    with_first(Conduct::Stingy, Duration::from_secs(1));
}

#[test]
fn a_source_that_lets_go_of_the_state_is_replaced() {
    let network = with_first(Conduct::Forgetting(1), Duration::from_secs(1));
    assert_eq!(switched(&network, 1), [Doubt::Lacks]);
}

#[test]
fn doubled_reordered_and_foreign_chunks_change_nothing() {
    let network = with_first(Conduct::Confused, Duration::from_secs(1));
    let fetched = network.fetch.progress();
    let honest = with_first(Conduct::Honest, Duration::from_secs(1)).fetch.progress();
    assert_eq!((fetched.nodes, fetched.bytes), (honest.nodes, honest.bytes), "each node counts once");
}

#[test]
fn a_height_that_a_source_claims_moves_nothing() {
    let mut network = with_first(Conduct::Boasting, Duration::from_secs(1));
    assert_eq!(network.fetch.goal(), SeqNum(8));
    // Heads that nobody asked for, of heights up and down, are passed over.
    let mut network_of_boasters =
        Network::new(&nothing(), &goal(), &[Conduct::Boasting, Conduct::Silent, Conduct::Silent]);
    for seq in [u64::MAX, 3, 0, 8] {
        let head = StateHead { seq: SeqNum(seq), parts: None, newest: SeqNum(u64::MAX) };
        network_of_boasters.fetch.on_head(ReplicaId(9), &head, Instant(1));
        network.fetch.on_head(ReplicaId(1), &head, Instant(1));
    }
    assert_eq!(network_of_boasters.fetch.goal(), SeqNum(8));
    assert!(network_of_boasters.run(Duration::from_secs(1)).is_some(), "a boaster that holds the state serves it");
}

#[test]
fn the_last_of_several_answers_decides_nothing() {
    let conducts = [Conduct::Honest, Conduct::WrongHead, Conduct::WrongHead];
    let mut network = Network::new(&nothing(), &goal(), &conducts);
    let fetched = network.run(Duration::from_secs(1)).expect("the first source holds the state");
    assert_eq!(fetched.state.root(), goal().root());
    assert_eq!((switched(&network, 2), switched(&network, 3)), (vec![Doubt::Lied], vec![Doubt::Lied]));
    assert_eq!(network.asked[&ReplicaId(2)], 1, "a source with another root is not asked for nodes");
}

#[test]
fn when_all_sources_fail_they_are_asked_again_for_ever_but_seldom() {
    for conduct in [Conduct::Silent, Conduct::Lying, Conduct::WrongHead, Conduct::Dying(1), Conduct::Forgetting(0)] {
        let mut network = Network::new(&nothing(), &goal(), &[conduct.clone(), conduct.clone(), conduct.clone()]);
        assert!(network.run(Duration::from_secs(3600)).is_none());
        assert!(network.fetch.deadline().is_some(), "{conduct:?}: it waits for ever");
        let asked: usize = network.asked.values().sum();
        // A source that lacks the goal is asked once a second, any other less and less often.
        let often = if matches!(conduct, Conduct::Forgetting(_)) { 3 * 3_700 } else { 3 * 300 };
        assert!(asked >= 3 * 5 && asked <= often, "{conduct:?}: {asked} messages in an hour");
    }
}

#[test]
fn a_replica_that_has_the_goal_already_asks_nobody() {
    let mut network = Network::new(&goal(), &goal(), &[Conduct::Honest]);
    assert!(network.run(Duration::ZERO).is_some());
    assert!(network.asked.is_empty());
    assert!(network.fetch.take_fetched().is_none(), "it is handed over once");
}

#[test]
fn a_question_for_a_state_that_nobody_holds_is_answered_at_once() {
    let mut server = StateServer::new(ServingRate { total: 1, peer: 1 });
    let head = server.head(SeqNum(8), Instant(0));
    assert_eq!(head, StateHead { seq: SeqNum(8), parts: None, newest: SeqNum::GENESIS });
    assert_eq!(Message::StateHead(head).kind(), "state_head");
}
