//! `one-vote`: for each epoch, view, slot and phase a correct replica votes once in all its lives, commits what it has
//! accepted, and asks for a view with one ViewChange. There is one epoch yet, so that the checkers need not name it.

use std::collections::BTreeMap;

use quorate::core::JournalRecord;
use quorate::messages::{Bounds, PrePrepare};
use quorate::{ReplicaId, SeqNum, View};
use quorate_crypto::Digest;

use super::journals::Journal;
use super::sayings::{Phase, Saying, Sayings};

/// Those who may not know what they have said, up to here, count as faulty in that until they are whole.
#[derive(Clone, Debug, Default)]
pub(super) struct OneVote {
    forgetful: BTreeMap<ReplicaId, Bounds>,
}

impl OneVote {
    pub(super) fn forget(&mut self, id: ReplicaId, said: Bounds) {
        let forgotten = self.forgetful.entry(id).or_default();
        *forgotten = forgotten.max(said);
    }

    pub(super) fn remember(&mut self, id: ReplicaId) {
        self.forgetful.remove(&id);
    }

    /// Before the statement is added to what was said.
    pub(super) fn check_saying(&self, id: ReplicaId, said: &Sayings, saying: &Saying<'_>) -> Result<(), String> {
        let forgotten = self.forgetful.get(&id);
        if let Saying::AskedFor(target, digest) = saying
            && forgotten.is_none_or(|lost| *target > lost.view)
            && said.asked_for(id, *target).is_some_and(|known| known != *digest)
        {
            return Err(format!("{id} asks for view {target} with two ViewChanges"));
        }
        for (phase, PrePrepare { view, seq, digest }) in saying.votes() {
            if forgotten.is_some_and(|lost| view <= lost.view && seq <= lost.seq) {
                continue;
            }
            let other = |phase| said.vote(id, phase, view, seq).filter(|known| *known != digest);
            if let Some(known) = other(phase).or_else(|| other(Phase::Accept)) {
                return Err(format!("{id} says {phase:?} for {digest:?} in view {view} at {seq}, and said {known:?}"));
            }
        }
        Ok(())
    }
}

/// A journal must not hold two votes of one view for a slot either, nor a certificate for anything but what was accepted.
pub(super) fn check_record(id: ReplicaId, journal: &Journal, record: &JournalRecord) -> Result<(), String> {
    match record {
        JournalRecord::PrePrepared(header) => {
            let PrePrepare { view, seq, digest } = header.payload;
            check_accepted(id, journal, (view, seq, digest))
        }
        JournalRecord::Prepared(known) => {
            let vote = (known.view(), known.seq(), known.digest());
            check_accepted(id, journal, vote)?;
            match journal.prepared.get(&known.seq()) {
                Some((view, digest)) if *view == known.view() && *digest != known.digest() => {
                    Err(format!("{id} is prepared for two batches in view {view} at {}", known.seq()))
                }
                Some(_) | None => Ok(()),
            }
        }
        JournalRecord::Batch { .. }
        | JournalRecord::ViewChangeSent(_)
        | JournalRecord::ViewEntered(_)
        | JournalRecord::Committed(_)
        | JournalRecord::CheckpointTaken(_)
        | JournalRecord::CheckpointStable(_)
        | JournalRecord::RecoveryBegun(_)
        | JournalRecord::RecoveryEnded => Ok(()),
    }
}

fn check_accepted(id: ReplicaId, journal: &Journal, vote: (View, SeqNum, Digest)) -> Result<(), String> {
    let (view, seq, digest) = vote;
    match journal.accepted.get(&seq) {
        Some((known, other)) if *known == view && *other != digest => {
            Err(format!("{id} journals {digest:?} in view {view} at {seq} and has accepted {other:?}"))
        }
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use quorate::messages::Message;

    use super::super::samples::{ID, commit, digest, pre_prepared, prepare, prepared_certificate, signed_view_change};
    use super::*;

    fn say(rule: &OneVote, said: &mut Sayings, message: &Message) -> Result<(), String> {
        let saying = Saying::of(ID, message).expect("its own word");
        let checked = rule.check_saying(ID, said, &saying);
        said.add(ID, &saying);
        checked
    }

    #[test]
    fn a_second_vote_for_another_batch_is_noticed_in_any_life() {
        let (rule, mut said) = (OneVote::default(), Sayings::default());
        for message in [prepare(ID, 1, 5, 7), prepare(ID, 1, 5, 7), commit(ID, 1, 5, 7), prepare(ID, 2, 5, 8)] {
            assert_eq!(say(&rule, &mut said, &message), Ok(()));
        }
        assert!(say(&rule, &mut said, &prepare(ID, 1, 5, 8)).is_err());
        assert!(say(&rule, &mut said, &commit(ID, 1, 5, 8)).is_err());
        assert!(say(&rule, &mut said, &commit(ID, 2, 5, 9)).is_err(), "not what it has accepted");
    }

    #[test]
    fn a_second_view_change_for_one_target_is_noticed() {
        let (rule, mut said) = (OneVote::default(), Sayings::default());
        let asks = |prepared| Message::ViewChange(signed_view_change(ID, 3, prepared));
        assert_eq!(say(&rule, &mut said, &asks(vec![])), Ok(()));
        assert_eq!(say(&rule, &mut said, &asks(vec![])), Ok(()));
        assert!(say(&rule, &mut said, &asks(vec![prepared_certificate(1, 5, 7, &[0, 1])])).is_err());
    }

    #[test]
    fn who_has_lost_its_promises_counts_as_faulty_until_it_is_whole() {
        let (mut rule, mut said) = (OneVote::default(), Sayings::default());
        assert_eq!(say(&rule, &mut said, &prepare(ID, 1, 5, 7)), Ok(()));
        rule.forget(ID, Bounds { view: View(1), seq: SeqNum(5) });
        assert_eq!(say(&rule, &mut said, &prepare(ID, 1, 5, 8)), Ok(()));
        assert_eq!(say(&rule, &mut said, &prepare(ID, 2, 5, 7)), Ok(()));
        assert!(say(&rule, &mut said, &prepare(ID, 2, 5, 8)).is_err(), "it has not forgotten that");
        rule.remember(ID);
        assert!(say(&rule, &mut said, &prepare(ID, 1, 5, 8)).is_err());
    }

    #[test]
    fn a_journal_with_two_batches_for_one_slot_and_view_is_noticed() {
        let mut journal = Journal::default();
        journal.accepted.insert(SeqNum(5), (View(1), digest(7)));
        let prepared = |mark| JournalRecord::Prepared(prepared_certificate(1, 5, mark, &[0, 2]));
        assert_eq!(check_record(ID, &journal, &pre_prepared(1, 5, 7)), Ok(()));
        assert_eq!(check_record(ID, &journal, &pre_prepared(2, 5, 8)), Ok(()));
        assert!(check_record(ID, &journal, &pre_prepared(1, 5, 8)).is_err());
        assert_eq!(check_record(ID, &journal, &prepared(7)), Ok(()));
        assert!(check_record(ID, &journal, &prepared(8)).is_err());
    }
}
