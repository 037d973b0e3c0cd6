//! A replica that asks for another view with forged certificates: too few signers, doubled ones, strangers, signatures of
//! its own in the name of others, statements that nobody signed. Nobody may take such a ViewChange.

use quorate::messages::{
    Checkpoint, CheckpointCertificate, Message, PrePrepare, Prepare, PreparedCertificate, ViewChange, VoteSignature,
};
use quorate::{ReplicaId, View};
use quorate_crypto::Digest;

use super::attack::{Attack, Parcel};
use super::forging;
use super::scene::Scene;
use crate::counters::Counter;

/// The attack.
#[derive(Debug)]
pub struct ForgedViewChange;

impl ForgedViewChange {
    fn forge(honest: &ViewChange, scene: &mut Scene<'_>) -> ViewChange {
        let mut forged = honest.clone();
        let place = scene.choices.below(forged.prepared.len().max(1) as u64);
        let place = usize::try_from(place).unwrap_or(0);
        if scene.choices.chance(300) {
            forged.stable = Some(Self::forged_checkpoint(forged.stable, scene));
            return forged;
        }
        match forged.prepared.get_mut(place) {
            Some(certificate) if scene.choices.chance(700) => forge_prepared(certificate, scene),
            Some(certificate) => {
                let twice = certificate.clone();
                forged.prepared.insert(place, twice);
            }
            None => forged.prepared.push(Self::invented(&forged, scene)),
        }
        forged
    }

    /// A certificate for a batch that nobody proposed, at the first slot, with every signature from one hand.
    fn invented(asked: &ViewChange, scene: &Scene<'_>) -> PreparedCertificate {
        let committee = &scene.puppet.genesis.committee;
        let view = View(asked.target.0.saturating_sub(1));
        let (seq, digest) = (asked.stable_seq().next(), Digest::from_bytes([9; 32]));
        let primary = committee.primary(view);
        let prepare = Prepare { view, seq, digest };
        let backups = committee.ids().filter(|id| *id != primary).take(committee.quorum() - 1);
        let prepares = backups.map(|id| forging::vote_in_the_name_of(id, &prepare, scene.puppet)).collect();
        let pre_prepare = forging::in_the_name_of(primary, PrePrepare { view, seq, digest }, scene.puppet);
        PreparedCertificate { pre_prepare, prepares }
    }

    fn forged_checkpoint(known: Option<CheckpointCertificate>, scene: &mut Scene<'_>) -> CheckpointCertificate {
        if let Some(mut certificate) = known.filter(|_| scene.choices.chance(700)) {
            let statement = certificate.checkpoint;
            forging::spoil(&mut certificate.signatures, &statement, scene);
            return certificate;
        }
        let genesis = &scene.puppet.genesis;
        let seq = genesis.limits.checkpoint_at_or_below(scene.place.seq).plus(genesis.limits.checkpoint_interval);
        let checkpoint = Checkpoint { seq, root: Digest::from_bytes([9; 32]) };
        let members = genesis.committee.ids().take(genesis.committee.quorum());
        let signatures: Vec<VoteSignature> =
            members.map(|id| forging::vote_in_the_name_of(id, &checkpoint, scene.puppet)).collect();
        CheckpointCertificate { checkpoint, signatures }
    }
}

fn forge_prepared(certificate: &mut PreparedCertificate, scene: &mut Scene<'_>) {
    let PrePrepare { view, seq, digest } = certificate.pre_prepare.payload;
    let primary = certificate.pre_prepare.signer;
    let changed = match scene.choices.below(5) {
        0 => PrePrepare { view, seq, digest: Digest::from_bytes([9; 32]) },
        1 => PrePrepare { view: View(view.0 ^ 1), seq, digest },
        2 => PrePrepare { view, seq: seq.next(), digest },
        3 => return count_the_primary_too(certificate, primary, scene),
        _ => {
            let statement = certificate.prepare();
            return forging::spoil(&mut certificate.prepares, &statement, scene);
        }
    };
    certificate.pre_prepare = forging::in_the_name_of(primary, changed, scene.puppet);
}

/// The primary's own Prepare takes the place of a backup's.
fn count_the_primary_too(certificate: &mut PreparedCertificate, primary: ReplicaId, scene: &Scene<'_>) {
    let vote = forging::vote_in_the_name_of(primary, &certificate.prepare(), scene.puppet);
    certificate.prepares.pop();
    certificate.prepares.push(vote);
    certificate.prepares.sort_by_key(|vote| vote.signer);
}

impl Attack for ForgedViewChange {
    fn on_send(&mut self, parcel: Parcel, scene: &mut Scene<'_>) -> Vec<Parcel> {
        let Message::ViewChange(asked) = &parcel.message else { return vec![parcel] };
        if asked.signer != scene.puppet.id || !scene.strikes(&parcel.message) {
            return vec![parcel];
        }
        scene.count(Counter::ForgedViewChanges);
        let forged = Self::forge(&asked.payload, scene);
        let forged = Message::ViewChange(scene.sign(forged));
        let honest = if scene.choices.chance(500) { parcel.to.clone() } else { Vec::new() };
        vec![Parcel::forged(parcel.to.clone(), forged), parcel.towards(honest)]
    }
}
