//! A replica that hides what it is bound to when it asks for another view: prepared certificates that it omits, an older
//! checkpoint that it claims as its last. Such a ViewChange is valid; a NewView must not need an honest one of each.

use std::collections::BTreeMap;

use quorate::messages::{CheckpointCertificate, Message, Signed, ViewChange};
use quorate::{SeqNum, View};

use super::attack::{Attack, Heard, Parcel};
use super::scene::Scene;
use super::silence::Audience;
use crate::counters::Counter;

/// So many old checkpoints and own ViewChanges are remembered.
const KEPT: usize = 16;

/// The attack with what it can claim, and what it has claimed.
#[derive(Debug)]
pub struct StaleViewChange {
    towards: Audience,
    checkpoints: BTreeMap<SeqNum, CheckpointCertificate>,
    /// What it says for each target, always the same; `None` where it is honest.
    said: BTreeMap<View, Option<Signed<ViewChange>>>,
}

impl StaleViewChange {
    /// Lies to these.
    #[must_use]
    pub fn new(towards: Audience) -> Self {
        StaleViewChange { towards, checkpoints: BTreeMap::new(), said: BTreeMap::new() }
    }

    fn learn(&mut self, certificate: &CheckpointCertificate) {
        self.checkpoints.entry(certificate.seq()).or_insert_with(|| certificate.clone());
        while self.checkpoints.len() > KEPT {
            self.checkpoints.pop_last();
        }
    }

    fn decide(&mut self, asked: &Signed<ViewChange>, scene: &mut Scene<'_>) -> Option<Signed<ViewChange>> {
        let target = asked.payload.target;
        if let Some(said) = self.said.get(&target) {
            return said.clone();
        }
        let lies = scene.strikes(&Message::ViewChange(asked.clone()));
        let stale = lies.then(|| self.stale(&asked.payload, scene)).filter(|stale| *stale != asked.payload);
        let stale = stale.map(|stale| scene.sign(stale));
        self.said.insert(target, stale.clone());
        while self.said.len() > KEPT {
            self.said.pop_first();
        }
        if let Some(stale) = &stale {
            scene.board.add_view_change(stale.clone());
            scene.count(Counter::StaleViewChanges);
        }
        stale
    }

    fn stale(&self, honest: &ViewChange, scene: &mut Scene<'_>) -> ViewChange {
        let mut stale = honest.clone();
        match scene.choices.below(4) {
            0 => stale.prepared.clear(),
            1 => stale.prepared.retain(|_| scene.choices.chance(500)),
            2 => stale.stable = None,
            _ => {
                let older: Vec<_> = self.checkpoints.range(..honest.stable_seq()).map(|(seq, _)| *seq).collect();
                let chosen = (!older.is_empty()).then(|| scene.choices.pick(&older));
                stale.stable = chosen.and_then(|seq| self.checkpoints.get(&seq)).cloned();
            }
        }
        let high = stale.stable_seq().plus(scene.puppet.genesis.limits.window());
        stale.prepared.retain(|certificate| certificate.seq() <= high);
        stale
    }
}

impl Attack for StaleViewChange {
    fn on_send(&mut self, parcel: Parcel, scene: &mut Scene<'_>) -> Vec<Parcel> {
        let Message::ViewChange(asked) = &parcel.message else { return vec![parcel] };
        if asked.signer != scene.puppet.id {
            return vec![parcel];
        }
        if let Some(stable) = &asked.payload.stable {
            self.learn(stable);
        }
        let Some(stale) = self.decide(asked, scene) else { return vec![parcel] };
        let (deceived, honest) = match self.towards {
            Audience::All => (parcel.to.clone(), Vec::new()),
            Audience::Some => scene.split(&parcel.to),
        };
        vec![parcel.towards(deceived).with(Message::ViewChange(stale)), parcel.towards(honest)]
    }

    fn on_receive(&mut self, _: quorate::ReplicaId, message: &Message, _: &mut Scene<'_>) -> Heard {
        if let Message::CheckpointCertificate(certificate) = message {
            self.learn(certificate);
        }
        Heard::Everything
    }
}
