//! A replica that answers the questions of others wrongly: other batches, other histories, none, other votes.

use quorate::batch::Batch;
use quorate::messages::{ChainDigests, HeldVotes, Message};
use quorate::{SeqNum, WallTime};
use quorate_crypto::Digest;

use super::attack::{Attack, Parcel};
use super::scene::Scene;
use crate::counters::Counter;

/// The attack.
#[derive(Debug)]
pub struct LyingAnswers;

impl LyingAnswers {
    fn lie(message: &Message, scene: &mut Scene<'_>) -> Option<Message> {
        #[expect(clippy::wildcard_enum_match_arm, reason = "all others are no answers, or proven")]
        match message {
            Message::Batch { seq, batch } => {
                let other = Batch::new(WallTime(batch.time().0.wrapping_add(1)), batch.requests().to_vec());
                Some(Message::Batch { seq: *seq, batch: other })
            }
            Message::Committed(slots) => {
                let after = slots.first().map_or(SeqNum::GENESIS, |slot| slot.certificate.seq().previous());
                Some(Message::HistoryGone { after })
            }
            Message::HistoryGone { .. } => Some(Message::Committed(Vec::new())),
            Message::Chain(chain) => {
                let digests = chain.digests.iter().map(|_| Digest::from_bytes([9; 32])).collect();
                Some(Message::Chain(ChainDigests { from: chain.from, digests }))
            }
            Message::Votes(held) => Some(Message::Votes(Self::votes(held, scene))),
            _ => None,
        }
    }

    /// It remembers nothing, or claims to be far ahead.
    fn votes(held: &HeldVotes, scene: &mut Scene<'_>) -> HeldVotes {
        let far = scene.choices.pick(&[1, 100, 1 << 40]);
        match scene.choices.below(4) {
            0 => HeldVotes { pre_prepares: Vec::new(), prepares: Vec::new(), commits: Vec::new(), ..held.clone() },
            1 => HeldVotes { view_change: None, ..held.clone() },
            2 => HeldVotes { view: held.view.plus(far), target: held.target.plus(far), ..held.clone() },
            _ => HeldVotes { certified: held.certified.plus(far), ..held.clone() },
        }
    }
}

impl Attack for LyingAnswers {
    fn on_send(&mut self, parcel: Parcel, scene: &mut Scene<'_>) -> Vec<Parcel> {
        if !scene.strikes(&parcel.message) {
            return vec![parcel];
        }
        let Some(lie) = Self::lie(&parcel.message, scene) else { return vec![parcel] };
        scene.count(Counter::LyingAnswers);
        vec![parcel.with(lie)]
    }
}
