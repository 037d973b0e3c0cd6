//! `durable-before-sent`: the record that binds a replica to what it says is on its disk at the moment at which it says it.

use quorate::ReplicaId;
use quorate::messages::PrePrepare;

use super::facts::{Fact, Facts};
use super::sayings::Saying;

pub(super) fn check_saying(facts: &Facts, id: ReplicaId, saying: &Saying<'_>) -> Result<(), String> {
    let fact = match saying {
        Saying::Assigned(vote) => return check_assigned(facts, id, vote),
        Saying::Accepted(vote) => Fact::accepted(vote),
        Saying::Committed(vote) => Fact::Prepared(vote.view, vote.seq, vote.digest),
        Saying::AskedFor(target, digest) => Fact::AskedFor(*target, *digest),
        Saying::Led(new_view) => Fact::Entered(new_view.target),
        Saying::Reached(checkpoint) => Fact::Checkpoint(checkpoint.seq, checkpoint.root),
    };
    require(facts, id, fact)
}

/// A PrePrepare rests on a record of its own, or on the own NewView that holds it.
fn check_assigned(facts: &Facts, id: ReplicaId, vote: &PrePrepare) -> Result<(), String> {
    let assigned = Fact::Assigned(vote.view, vote.seq, vote.digest);
    require(facts, id, Fact::accepted(vote)).or_else(|error| require(facts, id, assigned).map_err(|_| error))
}

fn require(facts: &Facts, id: ReplicaId, fact: Fact) -> Result<(), String> {
    if facts.has(id, &fact) {
        return Ok(());
    }
    Err(format!("{id} sends what rests on {fact:?}, which is not durable"))
}

#[cfg(test)]
mod tests {
    use quorate::core::JournalRecord;
    use quorate::messages::Message;

    use super::super::samples::{
        ID, asked_for, checkpoint, checkpoint_taken, commit, entered_by, new_view, pre_prepared, prepare,
        prepared_certificate, proposal, signed_view_change,
    };
    use super::*;

    fn check(records: &[JournalRecord], message: &Message) -> Result<(), String> {
        let mut facts = Facts::default();
        records.iter().for_each(|record| facts.on_durable(ID, record));
        check_saying(&facts, ID, &Saying::of(ID, message).expect("its own word"))
    }

    #[test]
    fn what_is_said_without_its_record_is_noticed() {
        let certificate = prepared_certificate(1, 5, 7, &[0, 1]);
        let cases = [
            (pre_prepared(1, 5, 7), pre_prepared(1, 5, 8), prepare(ID, 1, 5, 7)),
            (pre_prepared(1, 5, 7), pre_prepared(2, 5, 7), proposal(ID, 1, 5, 7)),
            (JournalRecord::Prepared(certificate), pre_prepared(1, 5, 7), commit(ID, 1, 5, 7)),
            (
                asked_for(ID, 3, vec![]),
                asked_for(ID, 2, vec![]),
                Message::ViewChange(signed_view_change(ID, 3, vec![])),
            ),
            (entered_by(ID, 3), entered_by(ID, 2), Message::NewView(new_view(ID, 3, vec![]))),
            (checkpoint_taken(8, 7), checkpoint_taken(8, 8), checkpoint(ID, 8, 7)),
        ];
        for (needed, other, message) in cases {
            assert_eq!(check(std::slice::from_ref(&needed), &message), Ok(()));
            assert!(check(&[], &message).is_err(), "{message:?}");
            assert!(check(&[other], &message).is_err(), "{message:?}");
        }
    }

    #[test]
    fn an_assignment_may_rest_on_the_new_view_that_holds_it() {
        let led = JournalRecord::ViewEntered(quorate::core::EnteredView {
            new_view: new_view(ID, 3, vec![(5, 7)]),
            view_changes: Vec::new(),
        });
        assert_eq!(check(std::slice::from_ref(&led), &proposal(ID, 3, 5, 7)), Ok(()));
        assert!(check(&[led], &proposal(ID, 3, 6, 7)).is_err());
    }
}
