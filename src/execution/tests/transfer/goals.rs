//! While a state is fetched, the others go on. When they do not hold it any more, a newer certificate takes its place, and
//! what is verified stays. The same holds over a restart.

use std::time::Duration;

use super::network::{Conduct, Network, Staged, certificate, nothing, spread, state_at};
use crate::execution::ReplicatedState;
use crate::execution::state_fetch::FetchNotice;
use crate::types::SeqNum;

const HONEST: [Conduct; 3] = [Conduct::Honest, Conduct::Honest, Conduct::Honest];
const MINUTE: Duration = Duration::from_secs(60);

fn moved(network: &Network) -> Vec<(SeqNum, SeqNum)> {
    let moves = network.notices.iter().filter_map(|notice| match notice {
        FetchNotice::GoalMoved { from, to } => Some((*from, *to)),
        _ => None,
    });
    moves.collect()
}

/// Fetches until about half of the nodes are there.
fn half(network: &mut Network, all: u64) {
    let is_half = |network: &Network| network.fetch.progress().nodes < all / 2;
    assert!(network.run_while(MINUTE, is_half).is_none());
}

fn nodes_in_all(goal: &ReplicatedState) -> u64 {
    let mut network = Network::new(&nothing(), goal, &HONEST);
    network.run(MINUTE).expect("all are honest");
    network.fetch.progress().nodes
}

#[test]
fn the_goal_moves_when_its_sources_let_go_of_it_and_what_is_verified_stays() {
    let (first, second) = (state_at(8, spread(20_000, 0)), state_at(16, spread(20_000, 3)));
    let all = nodes_in_all(&first);
    let mut network = Network::new(&nothing(), &first, &HONEST);
    half(&mut network, all);
    (1..=3).for_each(|source| network.replace(source, &second));
    network.fetch.aim(certificate(&second), network.now);
    let fetched = network.run(MINUTE).expect("all are honest");
    assert_eq!((fetched.state.root(), fetched.certificate.seq()), (second.root(), SeqNum(16)));
    assert_eq!(moved(&network), [(SeqNum(8), SeqNum(16))]);
    let fetched = network.fetch.progress().nodes;
    assert!(fetched < all + all / 5, "{fetched} nodes were fetched, {all} are there");
}

#[test]
fn the_goal_stays_while_enough_sources_hold_it_whatever_is_certified_meanwhile() {
    let (first, second) = (state_at(8, spread(3_000, 0)), state_at(16, spread(3_000, 3_000)));
    let mut network = Network::new(&nothing(), &first, &HONEST);
    network.fetch.aim(certificate(&second), network.now);
    network.replace(3, &second);
    assert_eq!(network.run(MINUTE).expect("two hold it").certificate.seq(), SeqNum(8));
    assert!(moved(&network).is_empty());
}

#[test]
fn the_goal_moves_when_only_so_many_sources_hold_it_as_may_be_faulty() {
    let (first, second) = (state_at(8, spread(3_000, 0)), state_at(16, spread(3_000, 3)));
    let slow = Conduct::Slow(Duration::from_millis(1_900));
    let mut network = Network::new(&nothing(), &first, &[slow, Conduct::Honest, Conduct::Honest]);
    network.replace(2, &second);
    network.replace(3, &second);
    network.fetch.aim(certificate(&second), network.now);
    assert_eq!(network.run(MINUTE).expect("two hold the second").certificate.seq(), SeqNum(16));
}

#[test]
fn an_older_certificate_than_the_goal_is_none_to_move_to() {
    let (older, goal) = (state_at(8, spread(100, 0)), state_at(16, spread(100, 3)));
    let mut network = Network::new(&nothing(), &goal, &[Conduct::Silent, Conduct::Silent, Conduct::Silent]);
    network.fetch.aim(certificate(&older), network.now);
    assert!(network.run(MINUTE).is_none());
    assert_eq!(network.fetch.goal(), SeqNum(16));
}

#[test]
fn a_fetch_that_is_begun_again_after_a_restart_goes_on_where_it_was() {
    let goal = state_at(8, spread(20_000, 0));
    let all = nodes_in_all(&goal);
    let mut network = Network::new(&nothing(), &goal, &HONEST);
    half(&mut network, all);
    let before = network.fetch.progress().nodes;
    assert_eq!(network.staged.len() as u64, before, "every verified node is kept");
    let mut again = Network::resumed(&nothing(), &goal, &HONEST, Some(Staged(network.staged)));
    assert_eq!(again.run(MINUTE).expect("all are honest").state.root(), goal.root());
    assert_eq!(before + again.fetch.progress().nodes, all);
}

#[test]
fn staged_nodes_that_are_damaged_are_fetched_again() {
    let goal = state_at(8, spread(2_000, 0));
    let mut network = Network::new(&nothing(), &goal, &HONEST);
    network.run(MINUTE).expect("all are honest");
    let mut staged = network.staged;
    let all = staged.len();
    for (number, node) in staged.values_mut().enumerate() {
        let mut bytes = node.to_vec();
        let last = bytes.len() - 1;
        match number % 3 {
            0 => bytes[last] ^= 1,
            1 => bytes.truncate(last),
            _ => {}
        }
        *node = bytes.into();
    }
    let mut again = Network::resumed(&nothing(), &goal, &HONEST, Some(Staged(staged)));
    assert_eq!(again.run(MINUTE).expect("all are honest").state.root(), goal.root());
    let fetched = again.fetch.progress().nodes as usize;
    assert!(fetched >= all / 2 && fetched < all, "{fetched} of {all}");
}

#[test]
fn all_staged_nodes_together_need_no_source_but_for_the_parts_of_the_root() {
    let goal = state_at(8, spread(2_000, 0));
    let mut network = Network::new(&nothing(), &goal, &HONEST);
    network.run(MINUTE).expect("all are honest");
    let mut again = Network::resumed(&nothing(), &goal, &HONEST, Some(Staged(network.staged)));
    assert!(again.run(MINUTE).is_some());
    assert_eq!((again.fetch.progress().nodes, again.asked.values().sum::<usize>()), (0, 3));
}
