//! Small-scope mutations (ByzzFuzz) of the certificates that a replica hands on: a signer is dropped, doubled, replaced,
//! or signed for; the statement is another one; the batch is not the certified one.

use quorate::WallTime;
use quorate::batch::Batch;
use quorate::messages::{CheckpointCertificate, CommittedSlot, Message, Signed, ViewChange};
use quorate_crypto::Digest;

use super::attack::{Attack, Parcel};
use super::forging;
use super::scene::Scene;
use crate::counters::Counter;

/// The attack.
#[derive(Debug)]
pub struct MutatedCertificates;

impl MutatedCertificates {
    /// None of them may be taken for valid.
    fn mutate(message: &Message, scene: &mut Scene<'_>) -> Option<Message> {
        #[expect(clippy::wildcard_enum_match_arm, reason = "all others carry no certificate")]
        match message {
            Message::CheckpointCertificate(certificate) => {
                let mut certificate = certificate.clone();
                mutate_checkpoint(&mut certificate, scene);
                Some(Message::CheckpointCertificate(certificate))
            }
            Message::Committed(slots) => {
                let mut slots = slots.clone();
                let place = usize::try_from(scene.choices.below(slots.len() as u64)).unwrap_or(0);
                mutate_committed(slots.get_mut(place)?, scene);
                Some(Message::Committed(slots))
            }
            Message::ViewChange(asked) if asked.signer != scene.puppet.id => mutate_relayed(asked, scene),
            _ => None,
        }
    }
}

fn mutate_checkpoint(certificate: &mut CheckpointCertificate, scene: &mut Scene<'_>) {
    if scene.choices.chance(300) {
        certificate.checkpoint.root = Digest::from_bytes([9; 32]);
    } else {
        let statement = certificate.checkpoint;
        forging::spoil(&mut certificate.signatures, &statement, scene);
    }
}

fn mutate_committed(slot: &mut CommittedSlot, scene: &mut Scene<'_>) {
    match scene.choices.below(3) {
        0 => slot.certificate.commit.digest = Digest::from_bytes([9; 32]),
        1 => {
            let time = slot.batch.as_ref().map_or(WallTime(0), Batch::time);
            slot.batch = Some(Batch::new(WallTime(time.0.wrapping_add(1)), Vec::new()));
        }
        _ => {
            let statement = slot.certificate.commit;
            forging::spoil(&mut slot.certificate.commits, &statement, scene);
        }
    }
}

/// The ViewChange of somebody else: its certificates are covered by its signature.
fn mutate_relayed(asked: &Signed<ViewChange>, scene: &mut Scene<'_>) -> Option<Message> {
    let mut asked = asked.clone();
    let place = usize::try_from(scene.choices.below(asked.payload.prepared.len().max(1) as u64)).unwrap_or(0);
    let certificate = asked.payload.prepared.get_mut(place)?;
    let statement = certificate.prepare();
    forging::spoil(&mut certificate.prepares, &statement, scene);
    Some(Message::ViewChange(asked))
}

impl Attack for MutatedCertificates {
    fn on_send(&mut self, parcel: Parcel, scene: &mut Scene<'_>) -> Vec<Parcel> {
        if !scene.strikes(&parcel.message) {
            return vec![parcel];
        }
        let Some(mutant) = Self::mutate(&parcel.message, scene) else { return vec![parcel] };
        scene.count(Counter::MutatedCertificates);
        vec![Parcel::forged(parcel.to, mutant)]
    }
}
