//! A replica that says everything once more with a signature that it gave in another network or epoch. Nobody may take it.

use quorate::Epoch;
use quorate::messages::{Message, Payload, Proposal, Signed, SigningContext};
use quorate_crypto::Digest;

use super::attack::{Attack, Parcel};
use super::scene::Scene;
use crate::counters::Counter;

/// The attack.
#[derive(Debug)]
pub struct ForeignSignatures;

impl ForeignSignatures {
    /// The same statement as it would be signed elsewhere; `None` for what the puppet has not signed.
    fn elsewhere(message: &Message, context: &SigningContext, scene: &Scene<'_>) -> Option<Message> {
        #[expect(clippy::wildcard_enum_match_arm, reason = "all others carry no signature of a replica of their own")]
        match message {
            Message::PrePrepare(proposal) => {
                let header = again(&proposal.header, context, scene)?;
                Some(Message::PrePrepare(Proposal { header, batch: proposal.batch.clone() }))
            }
            Message::Prepare(vote) => again(vote, context, scene).map(Message::Prepare),
            Message::Commit(vote) => again(vote, context, scene).map(Message::Commit),
            Message::Checkpoint(vote) => again(vote, context, scene).map(Message::Checkpoint),
            Message::ViewChange(asked) => again(asked, context, scene).map(Message::ViewChange),
            Message::NewView(new_view) => again(new_view, context, scene).map(Message::NewView),
            _ => None,
        }
    }
}

fn again<P: Payload + Clone>(signed: &Signed<P>, context: &SigningContext, scene: &Scene<'_>) -> Option<Signed<P>> {
    let puppet = scene.puppet;
    (signed.signer == puppet.id).then(|| context.sign(&puppet.key, puppet.id, signed.payload.clone()))
}

impl Attack for ForeignSignatures {
    fn on_send(&mut self, parcel: Parcel, scene: &mut Scene<'_>) -> Vec<Parcel> {
        if !scene.strikes(&parcel.message) {
            return vec![parcel];
        }
        let (context, counter) = if scene.choices.chance(500) {
            let next = Epoch(scene.puppet.genesis.epoch().0.wrapping_add(1));
            (scene.puppet.in_epoch(next), Counter::ForeignEpochs)
        } else {
            (scene.puppet.in_network(Digest::from_bytes([9; 32])), Counter::ForeignNetworks)
        };
        let Some(foreign) = Self::elsewhere(&parcel.message, &context, scene) else { return vec![parcel] };
        scene.count(counter);
        vec![Parcel::forged(parcel.to.clone(), foreign), parcel]
    }
}
