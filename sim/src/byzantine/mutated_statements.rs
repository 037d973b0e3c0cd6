//! Small-scope mutations (ByzzFuzz): one field of what the replica says is a little off, and signed again by it, or in
//! somebody else's name.

use quorate::batch::Batch;
use quorate::messages::{
    Checkpoint, Commit, Message, NewView, Payload, PrePrepare, Prepare, Proposal, Signed, ViewChange,
};
use quorate::{ReplicaId, SeqNum, View};
use quorate_crypto::{Digest, Signature};

use super::attack::{Attack, Parcel, Worth};
use super::forging;
use super::scene::Scene;
use crate::counters::Counter;

/// The attack.
#[derive(Debug)]
pub struct MutatedStatements;

/// A statement and what its receivers must make of it.
type Mutant = Option<(Message, Worth)>;

impl MutatedStatements {
    fn mutate(message: &Message, scene: &mut Scene<'_>) -> Mutant {
        if scene.choices.chance(150) {
            return Self::in_another_name(message, scene);
        }
        let own = scene.puppet.id;
        #[expect(clippy::wildcard_enum_match_arm, reason = "all others are no statements of its own")]
        match message {
            Message::Prepare(Signed { signer, payload: Prepare { view, seq, digest }, .. }) if *signer == own => {
                let (view, seq, digest) = a_little_off((*view, *seq, *digest), scene);
                unknown(Message::Prepare(scene.sign(Prepare { view, seq, digest })))
            }
            Message::Commit(Signed { signer, payload: Commit { view, seq, digest }, .. }) if *signer == own => {
                let (view, seq, digest) = a_little_off((*view, *seq, *digest), scene);
                unknown(Message::Commit(scene.sign(Commit { view, seq, digest })))
            }
            Message::Checkpoint(vote) if vote.signer == own => {
                let other = other_checkpoint(vote.payload, scene);
                unknown(Message::Checkpoint(scene.sign(other)))
            }
            Message::PrePrepare(proposal) if proposal.header.signer == own => proposal_off(proposal, scene),
            Message::ViewChange(asked) if asked.signer == own => {
                let target = view_off(asked.payload.target, scene);
                unknown(Message::ViewChange(scene.sign(ViewChange { target, ..asked.payload.clone() })))
            }
            Message::NewView(new_view) if new_view.signer == own => new_view_off(&new_view.payload, scene),
            Message::Forward(request) => {
                let mut request = request.clone();
                request.signature = Signature::from_bytes([9; 64]);
                forged(Message::Forward(request))
            }
            _ => None,
        }
    }

    /// The words of a replica, signed again with the puppet's key under another's name.
    fn in_another_name(message: &Message, scene: &mut Scene<'_>) -> Mutant {
        let other = scene.somebody();
        let puppet = scene.puppet;
        let name = |signer: ReplicaId| if signer == puppet.id { other } else { signer };
        #[expect(clippy::wildcard_enum_match_arm, reason = "all others are no statements")]
        match message {
            Message::Prepare(vote) => forged(Message::Prepare(renamed(vote, name(vote.signer), scene))),
            Message::Commit(vote) => forged(Message::Commit(renamed(vote, name(vote.signer), scene))),
            Message::Checkpoint(vote) => forged(Message::Checkpoint(renamed(vote, name(vote.signer), scene))),
            Message::ViewChange(asked) => forged(Message::ViewChange(renamed(asked, name(asked.signer), scene))),
            Message::NewView(new_view) => forged(Message::NewView(renamed(new_view, name(new_view.signer), scene))),
            Message::PrePrepare(Proposal { header, batch }) => {
                let header = renamed(header, name(header.signer), scene);
                forged(Message::PrePrepare(Proposal { header, batch: batch.clone() }))
            }
            _ => None,
        }
    }
}

fn unknown(message: Message) -> Mutant {
    Some((message, Worth::Unknown))
}

fn forged(message: Message) -> Mutant {
    Some((message, Worth::Forged))
}

fn renamed<P: Payload + Clone>(signed: &Signed<P>, name: ReplicaId, scene: &Scene<'_>) -> Signed<P> {
    forging::in_the_name_of(name, signed.payload.clone(), scene.puppet)
}

fn view_off(view: View, scene: &mut Scene<'_>) -> View {
    if scene.choices.chance(500) { view.next() } else { View(view.0.saturating_sub(1)) }
}

fn seq_off(seq: SeqNum, scene: &mut Scene<'_>) -> SeqNum {
    if scene.choices.chance(500) { seq.next() } else { seq.previous() }
}

fn a_little_off((view, seq, digest): (View, SeqNum, Digest), scene: &mut Scene<'_>) -> (View, SeqNum, Digest) {
    match scene.choices.below(3) {
        0 => (view_off(view, scene), seq, digest),
        1 => (view, seq_off(seq, scene), digest),
        _ => (view, seq, Digest::from_bytes([9; 32])),
    }
}

fn other_checkpoint(honest: Checkpoint, scene: &mut Scene<'_>) -> Checkpoint {
    let interval = scene.puppet.genesis.limits.checkpoint_interval;
    match scene.choices.below(3) {
        0 => Checkpoint { seq: honest.seq.plus(interval), ..honest },
        1 => Checkpoint { seq: honest.seq.next(), ..honest },
        _ => Checkpoint { root: Digest::from_bytes([9; 32]), ..honest },
    }
}

/// Another slot, no batch, a batch that is not the named one, a request twice, or one that its client has not signed.
fn proposal_off(proposal: &Proposal, scene: &mut Scene<'_>) -> Mutant {
    let PrePrepare { view, seq, .. } = proposal.header.payload;
    let batch = proposal.batch.as_ref()?;
    let assign = |seq: SeqNum, batch: Batch, scene: &Scene<'_>| {
        let header = scene.sign(PrePrepare { view, seq, digest: batch.digest(seq) });
        Message::PrePrepare(Proposal { header, batch: Some(batch) })
    };
    let mut requests = batch.requests().to_vec();
    match scene.choices.below(6) {
        0 => unknown(assign(seq_off(seq, scene), batch.clone(), scene)),
        1 => unknown(Message::PrePrepare(Proposal { batch: None, ..proposal.clone() })),
        2 => {
            let header = scene.sign(PrePrepare { view, seq, digest: Digest::from_bytes([9; 32]) });
            forged(Message::PrePrepare(Proposal { header, batch: Some(batch.clone()) }))
        }
        3 => {
            let off = view_off(view, scene);
            let header = scene.sign(PrePrepare { view: off, ..proposal.header.payload });
            let worth = if off == view { Worth::Unknown } else { Worth::Forged };
            Some((Message::PrePrepare(Proposal { header, batch: Some(batch.clone()) }), worth))
        }
        4 => {
            requests.extend(requests.first().cloned());
            let worth = if requests.len() > 1 { Worth::Forged } else { Worth::Unknown };
            Some((assign(seq, Batch::new(batch.time(), requests), scene), worth))
        }
        _ => {
            let last = requests.last_mut()?;
            last.signature = Signature::from_bytes([9; 64]);
            forged(assign(seq, Batch::new(batch.time(), requests), scene))
        }
    }
}

/// Another view, which is not its to lead, or not a quorum of distinct members.
fn new_view_off(honest: &NewView, scene: &mut Scene<'_>) -> Mutant {
    let mut off = honest.clone();
    match scene.choices.below(3) {
        0 => off.target = honest.target.next(),
        1 => drop(off.view_changes.pop()),
        _ => {
            let first = off.view_changes.first().copied();
            off.view_changes.pop();
            off.view_changes.extend(first);
        }
    }
    forged(Message::NewView(scene.sign(off)))
}

impl Attack for MutatedStatements {
    fn on_send(&mut self, parcel: Parcel, scene: &mut Scene<'_>) -> Vec<Parcel> {
        if !scene.strikes(&parcel.message) {
            return vec![parcel];
        }
        let Some((message, worth)) = Self::mutate(&parcel.message, scene) else { return vec![parcel] };
        scene.count(Counter::MutatedStatements);
        let (deceived, honest) = scene.split(&parcel.to);
        vec![Parcel { worth, ..parcel.towards(deceived).with(message) }, parcel.towards(honest)]
    }
}
