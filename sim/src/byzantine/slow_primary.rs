//! A primary that is just fast enough not to be suspected: it holds every assignment back for nine tenths of T.

use quorate::messages::Message;

use super::attack::{Attack, Parcel};
use super::scene::Scene;
use crate::counters::Counter;

/// The attack.
#[derive(Debug)]
pub struct SlowPrimary;

impl Attack for SlowPrimary {
    fn on_send(&mut self, parcel: Parcel, scene: &mut Scene<'_>) -> Vec<Parcel> {
        let is_own = |message: &Message| matches!(message, Message::PrePrepare(proposal) if proposal.header.signer == scene.puppet.id);
        if !is_own(&parcel.message) || !scene.strikes(&parcel.message) {
            return vec![parcel];
        }
        scene.count(Counter::SlowProposals);
        vec![Parcel { delay: scene.puppet.timeout * 9 / 10, ..parcel }]
    }
}
