//! `replies`: what a correct replica answers is what the reference model says became of that request at that place.
//! `answers`: so is what a client believes.

use quorate::messages::RequestResult;
use quorate::{ClientId, RequestId};

use super::history::History;
use super::validity::Submitted;

pub(super) fn check_result(
    history: &History,
    submitted: &Submitted,
    client: ClientId,
    result: &RequestResult,
) -> Result<(), String> {
    let id = RequestId { client, session: result.session, number: result.number };
    let place = usize::try_from(result.index).unwrap_or(usize::MAX);
    let expected = history.slot(result.seq).and_then(|slot| slot.results.get(place));
    match expected {
        Some((known, Some(outcome))) if *known == id && *outcome == result.outcome => {}
        other => return Err(format!("the answer {result:?} should be {other:?}")),
    }
    if submitted.has_signed(&id, &result.operation) { Ok(()) } else { Err(format!("{id:?} was another operation")) }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use quorate::SeqNum;
    use quorate::messages::request::operation_digest;
    use quorate::outcome::Outcome;

    use super::super::samples::{batch_of, executed, request, rules_of};
    use super::*;
    use crate::tally::{Operation, Reference};

    #[test]
    fn an_answer_that_the_reference_does_not_give_is_noticed() {
        let operation = Operation::Add { key: 1, amount: 5, salt: 0 }.encode();
        let request = request(1, &operation);
        let (mut history, mut submitted) = (History::new(&rules_of(4)), Submitted::default());
        submitted.add(request.id, operation.clone());
        history.extend(&batch_of(1, vec![request.clone()]), &executed(1));
        let right = RequestResult {
            session: request.id.session,
            number: request.id.number,
            seq: SeqNum(1),
            index: 0,
            operation: operation_digest(&operation),
            outcome: Reference::default().execute(&operation),
        };
        let check = |result: &RequestResult| check_result(&history, &submitted, request.id.client, result);
        assert_eq!(check(&right), Ok(()));
        assert!(check(&RequestResult { outcome: Outcome::Done(Bytes::new()), ..right.clone() }).is_err());
        assert!(check(&RequestResult { seq: SeqNum(2), ..right.clone() }).is_err());
        assert!(check(&RequestResult { index: 1, ..right.clone() }).is_err());
        assert!(check(&RequestResult { operation: operation_digest(b"another"), ..right }).is_err());
    }
}
