//! The search for an order that explains what clients saw.
//!
//! An order is built from the front. Next may be any call that was made before all calls that are left were answered; its
//! answer must be what the reference gives there. What was tried is remembered by the set of calls and the state that
//! they lead to. Calls without an answer may have happened at any time after they were made, or not at all.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use quorate::outcome::Outcome;

use crate::tally::{Place, Reference};

/// The largest history that is searched: one bit for each call.
const CALLS_MAX: usize = 128;

/// What a client did, at which moments of a clock that ticks at every call and every answer.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub operation: Bytes,
    pub made: u64,
    pub answered: Option<(u64, Outcome)>,
}

/// What came of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// An order explains everything.
    Order,
    /// None does.
    Nothing,
    /// The history is too large, or the search took too long.
    Unknown,
}

/// The calls by the counters and accounts that they share: each group is explained alone (locality, Herlihy and Wing
/// 1990). A transfer ties two accounts together.
pub(super) fn groups(calls: &[Call]) -> Vec<Vec<Call>> {
    let mut leader: BTreeMap<Place, Place> = BTreeMap::new();
    for call in calls {
        let places = Reference::places(&call.operation);
        let Some(first) = places.first().map(|place| find(&leader, *place)) else { continue };
        for place in places {
            let other = find(&leader, place);
            leader.insert(other, first);
        }
    }
    let mut groups: BTreeMap<Option<Place>, Vec<Call>> = BTreeMap::new();
    for call in calls {
        let group = Reference::places(&call.operation).first().map(|place| find(&leader, *place));
        groups.entry(group).or_default().push(call.clone());
    }
    groups.into_values().collect()
}

fn find(leader: &BTreeMap<Place, Place>, mut place: Place) -> Place {
    while let Some(next) = leader.get(&place).filter(|next| **next != place) {
        place = *next;
    }
    place
}

/// Looks for an order, in so many steps at most.
pub(super) fn search(calls: &[Call], steps: usize) -> Found {
    if calls.len() > CALLS_MAX {
        return Found::Unknown;
    }
    let mut calls = calls.to_vec();
    // Those that were answered first happened first, as a rule.
    calls.sort_by_key(|call| call.answered.as_ref().map_or(u64::MAX, |(at, _)| *at));
    let answered = (0..calls.len()).filter(|call| calls[*call].answered.is_some()).fold(0, |set, call| set | bit(call));
    let mut search = Search { calls, answered, tried: BTreeSet::new(), steps };
    search.go(0, &Reference::default())
}

struct Search {
    calls: Vec<Call>,
    /// The calls that must be explained.
    answered: u128,
    tried: BTreeSet<(u128, Reference)>,
    steps: usize,
}

impl Search {
    fn go(&mut self, ordered: u128, state: &Reference) -> Found {
        if ordered & self.answered == self.answered {
            return Found::Order;
        }
        if !self.tried.insert((ordered, state.clone())) {
            return Found::Nothing;
        }
        if self.steps == 0 {
            return Found::Unknown;
        }
        self.steps -= 1;
        let left = || (0..self.calls.len()).filter(|call| ordered & bit(*call) == 0);
        let deadline = left().filter_map(|call| self.calls[call].answered.as_ref()).map(|(at, _)| *at).min();
        let next: Vec<_> = left().filter(|call| deadline.is_none_or(|at| self.calls[*call].made < at)).collect();
        for call in next {
            let mut after = state.clone();
            let outcome = after.execute(&self.calls[call].operation);
            if self.calls[call].answered.as_ref().is_some_and(|(_, seen)| *seen != outcome) {
                continue;
            }
            match self.go(ordered | bit(call), &after) {
                Found::Nothing => {}
                found @ (Found::Order | Found::Unknown) => return found,
            }
        }
        Found::Nothing
    }
}

fn bit(call: usize) -> u128 {
    1 << call
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::Operation;

    const STEPS: usize = 10_000;

    fn add(amount: u8, made: u64, answered: u64, sum: u64) -> Call {
        call(Operation::Add { key: 1, amount, salt: 0 }, made, Some((answered, &[sum])))
    }

    fn read(made: u64, answered: u64, sum: u64) -> Call {
        call(Operation::Read { key: 1, salt: 0 }, made, Some((answered, &[sum])))
    }

    fn call(operation: Operation, made: u64, answered: Option<(u64, &[u64])>) -> Call {
        let done = |numbers: &[u64]| Outcome::Done(numbers.iter().flat_map(|number| number.to_le_bytes()).collect());
        Call { operation: operation.encode(), made, answered: answered.map(|(at, numbers)| (at, done(numbers))) }
    }

    #[test]
    fn calls_that_overlap_may_have_happened_in_any_order() {
        assert_eq!(search(&[add(5, 1, 4, 12), add(7, 2, 3, 7)], STEPS), Found::Order);
        assert_eq!(search(&[add(5, 1, 4, 5), add(7, 2, 3, 12)], STEPS), Found::Order);
    }

    #[test]
    fn a_lost_update_a_stale_read_and_a_rolled_back_answer_are_found() {
        assert_eq!(search(&[add(5, 1, 2, 5), add(7, 3, 4, 7)], STEPS), Found::Nothing, "the first was lost");
        assert_eq!(search(&[add(5, 1, 2, 5), read(3, 4, 0)], STEPS), Found::Nothing, "stale");
        assert_eq!(search(&[add(5, 1, 3, 5), read(2, 4, 5), read(5, 6, 0)], STEPS), Found::Nothing, "rolled back");
        assert_eq!(search(&[add(5, 1, 3, 5), read(2, 4, 0), read(5, 6, 5)], STEPS), Found::Order);
    }

    #[test]
    fn an_operation_that_was_executed_twice_is_found() {
        assert_eq!(search(&[add(5, 1, 2, 5), read(3, 4, 10)], STEPS), Found::Nothing);
    }

    #[test]
    fn a_call_without_an_answer_may_have_happened_or_not() {
        let lost = call(Operation::Add { key: 1, amount: 5, salt: 0 }, 1, None);
        assert_eq!(search(&[lost.clone(), read(2, 3, 0), read(4, 5, 5)], STEPS), Found::Order);
        assert_eq!(search(&[lost.clone(), read(2, 3, 0)], STEPS), Found::Order);
        assert_eq!(search(&[lost, read(2, 3, 5), read(4, 5, 0)], STEPS), Found::Nothing);
    }

    #[test]
    fn money_spent_twice_is_found() {
        let pay = |to, made, balances: &[u64]| {
            call(Operation::Transfer { from: 0, to, amount: 80, salt: 0 }, made, Some((made + 1, balances)))
        };
        assert_eq!(search(&[pay(1, 1, &[20, 180]), pay(2, 3, &[20, 180])], STEPS), Found::Nothing);
    }

    #[test]
    fn counters_are_explained_apart_and_tied_accounts_together() {
        let on = |key| call(Operation::Add { key, amount: 1, salt: 0 }, 1, None);
        let pay = |from, to| call(Operation::Transfer { from, to, amount: 1, salt: 0 }, 1, None);
        let sizes = |calls: &[Call]| {
            let mut sizes: Vec<_> = groups(calls).iter().map(Vec::len).collect();
            sizes.sort_unstable();
            sizes
        };
        assert_eq!(sizes(&[on(1), on(2), on(1)]), [1, 2]);
        assert_eq!(sizes(&[pay(0, 1), pay(2, 3), pay(1, 4), on(0)]), [1, 1, 2]);
        assert_eq!(sizes(&[pay(0, 1), pay(2, 3), pay(1, 2)]), [3]);
    }

    #[test]
    fn a_search_ends() {
        let calls: Vec<_> = (0..40).map(|at| add(1, 1, 100 + at, 1)).collect();
        assert_eq!(search(&calls[..2], STEPS), Found::Nothing);
        assert_eq!(search(&calls, 0), Found::Unknown);
        assert_eq!(search(&vec![read(1, 2, 0); CALLS_MAX + 1], STEPS), Found::Unknown);
    }
}
