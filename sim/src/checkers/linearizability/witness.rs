//! The order that the answers themselves claim.

use std::collections::BTreeMap;

use bytes::Bytes;
use quorate::messages::RequestResult;
use quorate::messages::request::operation_digest;
use quorate::{RequestId, SeqNum};

use super::search::{Call, Found, groups, search};

/// So many steps a search takes at most.
const STEPS_MAX: usize = 20_000;

/// A place in the history: slot and index in its batch.
type Place = (SeqNum, u32);

/// What all clients did.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Linearizability {
    calls: Vec<Call>,
    /// For each call the last place of anything that was answered when it was made.
    after: Vec<Place>,
    /// The calls without an answer.
    open: BTreeMap<RequestId, Vec<usize>>,
    answered_through: Place,
    clock: u64,
}

impl Linearizability {
    pub(in super::super) fn on_submit(&mut self, id: RequestId, operation: Bytes) {
        self.clock += 1;
        self.open.entry(id).or_default().push(self.calls.len());
        self.calls.push(Call { operation, made: self.clock, answered: None });
        self.after.push(self.answered_through);
    }

    pub(in super::super) fn on_answer(&mut self, id: &RequestId, result: &RequestResult) -> Result<(), String> {
        self.clock += 1;
        let open = self.open.get_mut(id).map(std::mem::take).unwrap_or_default();
        let is_it = |call: &&usize| {
            self.calls.get(**call).is_some_and(|call| operation_digest(&call.operation) == result.operation)
        };
        let Some(number) = open.iter().find(is_it).copied() else {
            return Err(format!("an answer to {id:?}, which was not asked for: {result:?}"));
        };
        if let Some(call) = self.calls.get_mut(number) {
            call.answered = Some((self.clock, result.outcome.clone()));
        }
        let place = (result.seq, result.index);
        let after = self.after.get(number).copied().unwrap_or_default();
        self.answered_through = self.answered_through.max(place);
        if place > after {
            return Ok(());
        }
        Err(format!("{id:?} happened at {place:?}, and was asked for after the answer to what happened at {after:?}"))
    }

    /// The world has ended. Gives how many groups of operations were explained by a search.
    pub(in super::super) fn on_end(&self) -> Result<u64, String> {
        let mut explained = 0;
        for group in groups(&self.calls) {
            match search(&group, STEPS_MAX) {
                Found::Order => explained += 1,
                Found::Unknown => {}
                Found::Nothing => return Err(format!("no order explains these {}: {group:?}", group.len())),
            }
        }
        Ok(explained)
    }
}

#[cfg(test)]
mod tests {
    use quorate::outcome::Outcome;

    use super::super::super::samples::request_id;
    use super::*;
    use crate::tally::{Operation, Reference};

    fn operation(amount: u8) -> Bytes {
        Operation::Add { key: 1, amount, salt: 0 }.encode()
    }

    fn result(number: u64, (seq, index): (u64, u32), operation: &[u8], outcome: Outcome) -> RequestResult {
        let id = request_id(1, number);
        let operation = operation_digest(operation);
        RequestResult { session: id.session, number: id.number, seq: SeqNum(seq), index, operation, outcome }
    }

    /// Two operations, one after the other, answered from these places.
    fn run(places: [(u64, u32); 2], outcomes: [Outcome; 2]) -> Result<u64, String> {
        let mut history = Linearizability::default();
        for ((number, place), outcome) in (1..).zip(places).zip(outcomes) {
            let bytes = operation(number as u8);
            history.on_submit(request_id(1, number), bytes.clone());
            history.on_answer(&request_id(1, number), &result(number, place, &bytes, outcome))?;
        }
        history.on_end()
    }

    fn outcomes() -> [Outcome; 2] {
        let mut reference = Reference::default();
        [reference.execute(&operation(1)), reference.execute(&operation(2))]
    }

    #[test]
    fn answers_in_the_order_of_the_history_are_right() {
        assert_eq!(run([(4, 0), (4, 1)], outcomes()), Ok(1));
        assert_eq!(run([(4, 3), (5, 0)], outcomes()), Ok(1));
    }

    #[test]
    fn an_operation_before_one_that_was_answered_when_it_was_asked_for_is_noticed() {
        assert!(run([(4, 1), (4, 0)], outcomes()).is_err());
        assert!(run([(4, 0), (4, 0)], outcomes()).is_err());
        assert!(run([(4, 0), (3, 9)], outcomes()).is_err());
    }

    #[test]
    fn answers_that_no_order_explains_are_noticed_although_their_places_are_in_order() {
        let [first, _] = outcomes();
        let forgotten = Reference::default().execute(&operation(2));
        assert!(run([(4, 0), (4, 1)], [first, forgotten]).is_err());
    }

    #[test]
    fn an_answer_to_nothing_is_noticed() {
        let mut history = Linearizability::default();
        let [outcome, _] = outcomes();
        let answer = result(1, (1, 0), &operation(1), outcome);
        assert!(history.on_answer(&request_id(1, 1), &answer).is_err());
        history.on_submit(request_id(1, 1), operation(1));
        assert_eq!(history.on_answer(&request_id(1, 1), &answer), Ok(()));
        assert!(history.on_answer(&request_id(1, 1), &answer).is_err(), "a second time");
    }
}
