//! No rule: how often liars vote for two batches in one view, slot and phase. Lies that never become votes prove nothing.

use std::collections::BTreeMap;

use quorate::messages::Message;
use quorate::{ReplicaId, SeqNum, View};
use quorate_crypto::Digest;

use super::sayings::{Phase, Saying};

/// What liars have voted for first, and whether for something else since.
#[derive(Clone, Debug, Default)]
pub(super) struct DoubleVotes {
    votes: BTreeMap<(ReplicaId, Phase, View, SeqNum), Voted>,
    count: u64,
}

#[derive(Clone, Copy, Debug)]
enum Voted {
    Once(Digest),
    Twice,
}

impl DoubleVotes {
    /// A liar says this, and it has passed the verification.
    pub(super) fn on_lie(&mut self, id: ReplicaId, message: &Message) {
        let Some(saying) = Saying::of(id, message) else { return };
        for (phase, vote) in saying.votes() {
            let voted = self.votes.entry((id, phase, vote.view, vote.seq)).or_insert(Voted::Once(vote.digest));
            if matches!(voted, Voted::Once(first) if *first != vote.digest) {
                *voted = Voted::Twice;
                self.count += 1;
            }
        }
    }

    /// For how many views, slots and phases liars voted for two batches.
    pub(super) fn count(&self) -> u64 {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{commit, prepare, proposal};
    use super::*;

    #[test]
    fn two_votes_of_one_liar_for_one_slot_in_one_view_count_once() {
        let liar = ReplicaId(3);
        let mut votes = DoubleVotes::default();
        for message in [prepare(liar, 1, 5, 7), prepare(liar, 1, 5, 7), commit(liar, 1, 5, 8), prepare(liar, 2, 5, 8)] {
            votes.on_lie(liar, &message);
        }
        assert_eq!(votes.count(), 0, "another phase, another view, the same again");
        votes.on_lie(ReplicaId(2), &prepare(liar, 1, 5, 9));
        assert_eq!(votes.count(), 0, "the words of another");
        (8..11).for_each(|mark| votes.on_lie(liar, &prepare(liar, 1, 5, mark)));
        assert_eq!(votes.count(), 1);
        votes.on_lie(liar, &commit(liar, 1, 5, 9));
        assert_eq!(votes.count(), 2);
        [7, 8].into_iter().for_each(|mark| votes.on_lie(liar, &proposal(liar, 3, 6, mark)));
        assert_eq!(votes.count(), 3, "a primary assigns a slot twice");
    }
}
