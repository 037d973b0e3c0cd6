//! A replica that prepares and commits different batches towards different members, and sometimes both towards one.

use quorate::ReplicaId;
use quorate::batch::null_digest;
use quorate::messages::{Commit, Message, Prepare, Signed};
use quorate_crypto::Digest;

use super::attack::{Attack, Parcel};
use super::scene::Scene;
use crate::counters::Counter;

/// Per mille of those who get the other vote that get the honest one, too: they hold a proof.
const PROVEN: u64 = 200;

/// The attack.
#[derive(Debug)]
pub struct ConflictingVotes;

impl ConflictingVotes {
    /// The same vote for another batch: one that nobody proposed, or the null batch.
    fn other_vote(message: &Message, scene: &mut Scene<'_>) -> Option<Message> {
        let other = |seq, choices: &mut crate::choices::Choices| {
            if choices.chance(500) { null_digest(seq) } else { Digest::from_bytes([9; 32]) }
        };
        let own = scene.puppet.id;
        #[expect(clippy::wildcard_enum_match_arm, reason = "all others are no votes")]
        match message {
            Message::Prepare(Signed { signer, payload, .. }) if *signer == own => {
                let digest = other(payload.seq, scene.choices);
                Some(Message::Prepare(scene.sign(Prepare { digest, ..*payload })))
            }
            Message::Commit(Signed { signer, payload, .. }) if *signer == own => {
                let digest = other(payload.seq, scene.choices);
                Some(Message::Commit(scene.sign(Commit { digest, ..*payload })))
            }
            _ => None,
        }
    }
}

impl Attack for ConflictingVotes {
    fn on_send(&mut self, parcel: Parcel, scene: &mut Scene<'_>) -> Vec<Parcel> {
        if !matches!(parcel.message, Message::Prepare(_) | Message::Commit(_)) || !scene.strikes(&parcel.message) {
            return vec![parcel];
        }
        let Some(other) = Self::other_vote(&parcel.message, scene) else { return vec![parcel] };
        let (deceived, mut honest) = scene.split(&parcel.to);
        if !deceived.is_empty() {
            scene.count(Counter::ConflictingVotes);
        }
        let proven: Vec<ReplicaId> = deceived.iter().copied().filter(|_| scene.choices.chance(PROVEN)).collect();
        honest.extend(proven);
        vec![parcel.towards(deceived).with(other), parcel.towards(honest)]
    }
}
