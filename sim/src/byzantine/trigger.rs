//! When an attack is made.

use std::ops::RangeInclusive;

use quorate::messages::Message;
use quorate::{SeqNum, View};
use serde::{Deserialize, Serialize};

use crate::choices::Choices;

/// When an attack is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trigger {
    /// Whenever there is an occasion.
    Always,
    /// In these views.
    InView(RangeInclusive<u64>),
    /// At these slots.
    AtSeqs(RangeInclusive<u64>),
    /// On so many of a thousand occasions.
    Probability(u64),
}

impl Trigger {
    /// Whether the attack is made at this place.
    pub fn strikes(&self, place: Place, choices: &mut Choices) -> bool {
        match self {
            Trigger::Always => true,
            Trigger::InView(views) => views.contains(&place.view.0),
            Trigger::AtSeqs(seqs) => seqs.contains(&place.seq.0),
            Trigger::Probability(per_mille) => choices.chance(*per_mille),
        }
    }
}

/// A view and a slot: those of a message, or where a replica stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The view.
    pub view: View,
    /// The slot.
    pub seq: SeqNum,
}

impl Place {
    /// The place of a message, as far as it has one; the rest is this place.
    #[must_use]
    pub fn of(self, message: &Message) -> Place {
        let at = |view, seq| Place { view, seq };
        #[expect(clippy::wildcard_enum_match_arm, reason = "all others are of no view and no slot")]
        match message {
            Message::PrePrepare(proposal) => at(proposal.header.payload.view, proposal.header.payload.seq),
            Message::Prepare(vote) => at(vote.payload.view, vote.payload.seq),
            Message::Commit(vote) => at(vote.payload.view, vote.payload.seq),
            Message::Checkpoint(vote) => at(self.view, vote.payload.seq),
            Message::ViewChange(asked) => at(asked.payload.target, self.seq),
            Message::NewView(new_view) => at(new_view.payload.target, self.seq),
            Message::Status(status) => at(status.view, status.executed),
            Message::FetchBatch { seq, .. } | Message::Batch { seq, .. } => at(self.view, *seq),
            _ => self,
        }
    }

    /// Where a replica stands that stood here and now says this.
    pub fn follow(&mut self, message: &Message) {
        let Place { view, seq } = self.of(message);
        self.view = self.view.max(view);
        self.seq = self.seq.max(seq);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trigger_strikes_where_it_says_and_nowhere_else() {
        let mut choices = Choices::from_seed(1);
        let place = Place { view: View(3), seq: SeqNum(20) };
        let mut strikes = |trigger: Trigger| trigger.strikes(place, &mut choices);
        assert!(strikes(Trigger::Always));
        assert!(strikes(Trigger::InView(3..=4)) && !strikes(Trigger::InView(0..=2)));
        assert!(strikes(Trigger::AtSeqs(1..=20)) && !strikes(Trigger::AtSeqs(21..=30)));
        assert!(strikes(Trigger::Probability(1000)) && !strikes(Trigger::Probability(0)));
    }

    #[test]
    fn a_replica_stands_where_it_spoke_last_and_never_goes_back() {
        let mut place = Place { view: View(3), seq: SeqNum(20) };
        place.follow(&Message::FetchBatch { seq: SeqNum(21), digest: quorate_crypto::Digest::ZERO });
        assert_eq!(place, Place { view: View(3), seq: SeqNum(21) });
        place.follow(&Message::FetchBatch { seq: SeqNum(2), digest: quorate_crypto::Digest::ZERO });
        assert_eq!(place, Place { view: View(3), seq: SeqNum(21) });
    }
}
