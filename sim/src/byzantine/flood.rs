//! A replica that floods the others with valid messages of the far future: views, slots, checkpoints, and questions.

use quorate::messages::{Checkpoint, Commit, Message, PrePrepare, Prepare, Proposal, ViewChange};
use quorate::{SeqNum, View};
use quorate_crypto::Digest;

use super::attack::{Attack, Parcel};
use super::scene::Scene;
use crate::counters::Counter;

/// The most messages on one occasion.
const AT_ONCE: u64 = 8;

/// The attack.
#[derive(Debug)]
pub struct Flood;

impl Flood {
    fn message(scene: &mut Scene<'_>) -> Message {
        let far = scene.choices.pick(&[1, 2, 100, 1 << 32, u64::MAX]);
        let (view, seq) = (scene.place.view.plus(far), scene.place.seq.plus(far));
        let digest = Digest::from_bytes([scene.choices.below(256) as u8; 32]);
        match scene.choices.below(8) {
            0 => Message::Prepare(scene.sign(Prepare { view, seq, digest })),
            1 => Message::Prepare(scene.sign(Prepare { view: scene.place.view, seq, digest })),
            2 => Message::Commit(scene.sign(Commit { view, seq, digest })),
            3 => Message::Commit(scene.sign(Commit { view: scene.place.view, seq, digest })),
            4 => Self::checkpoint(seq, digest, scene),
            5 => Message::ViewChange(scene.sign(ViewChange { target: view, stable: None, prepared: Vec::new() })),
            6 => Self::assignment(view, seq, digest, scene),
            _ => Self::question(seq, digest, scene),
        }
    }

    fn checkpoint(seq: SeqNum, root: Digest, scene: &Scene<'_>) -> Message {
        let limits = &scene.puppet.genesis.limits;
        let seq = limits.checkpoint_at_or_below(seq).max(SeqNum(limits.checkpoint_interval));
        Message::Checkpoint(scene.sign(Checkpoint { seq, root }))
    }

    /// In the next view at or after this one that it would lead.
    fn assignment(view: View, seq: SeqNum, digest: Digest, scene: &Scene<'_>) -> Message {
        let puppet = scene.puppet;
        let led = (0..puppet.genesis.committee.size() as u64).map(|by| view.plus(by));
        let view = led.clone().find(|view| puppet.genesis.committee.primary(*view) == puppet.id).unwrap_or(view);
        Message::PrePrepare(Proposal { header: scene.sign(PrePrepare { view, seq, digest }), batch: None })
    }

    fn question(seq: SeqNum, digest: Digest, scene: &mut Scene<'_>) -> Message {
        let signer = scene.somebody();
        match scene.choices.below(7) {
            0 => Message::FetchBatch { seq, digest },
            1 => Message::FetchCommitted { after: SeqNum::GENESIS, to: seq },
            2 => Message::FetchViewChange { signer, digest },
            3 => Message::FetchVotes { signer },
            4 => Message::FetchChain { from: SeqNum::GENESIS, to: seq },
            5 => Message::FetchState { seq },
            _ => Message::FetchCheckpoint,
        }
    }
}

impl Attack for Flood {
    fn on_tick(&mut self, scene: &mut Scene<'_>) {
        if !scene.strikes_now() {
            return;
        }
        for _ in 0..scene.choices.between(1, AT_ONCE) {
            let message = Self::message(scene);
            let to = if scene.choices.chance(300) { scene.puppet.others() } else { vec![scene.somebody()] };
            scene.count(Counter::Floods);
            scene.send(Parcel::new(to, message));
        }
    }
}
