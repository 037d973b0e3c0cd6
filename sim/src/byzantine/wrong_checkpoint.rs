//! A replica that signs wrong roots at its checkpoints, towards all or some. Colluders sign the same ones.

use quorate::messages::{Checkpoint, Message};
use quorate_crypto::Hasher;

use super::attack::{Attack, Parcel};
use super::scene::Scene;
use super::silence::Audience;
use crate::counters::Counter;

/// The attack.
#[derive(Debug)]
pub struct WrongCheckpoint {
    towards: Audience,
}

impl WrongCheckpoint {
    /// Lies to these.
    #[must_use]
    pub fn new(towards: Audience) -> Self {
        WrongCheckpoint { towards }
    }
}

impl Attack for WrongCheckpoint {
    fn on_send(&mut self, parcel: Parcel, scene: &mut Scene<'_>) -> Vec<Parcel> {
        let Message::Checkpoint(vote) = &parcel.message else { return vec![parcel] };
        if vote.signer != scene.puppet.id || !scene.strikes(&parcel.message) {
            return vec![parcel];
        }
        let seq = vote.payload.seq;
        let root = Hasher::new("quorate/wrong-root/v1").u64(seq.0).finish();
        let wrong = Message::Checkpoint(scene.sign(Checkpoint { seq, root }));
        let (deceived, honest) = match self.towards {
            Audience::All => (parcel.to.clone(), Vec::new()),
            Audience::Some => scene.split(&parcel.to),
        };
        if !deceived.is_empty() {
            scene.count(Counter::WrongCheckpoints);
        }
        vec![parcel.towards(deceived).with(wrong), parcel.towards(honest)]
    }
}
