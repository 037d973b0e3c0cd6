//! What somebody with one key can make of signatures and certificates. None of it may ever be taken for valid.

use quorate::ReplicaId;
use quorate::messages::{Payload, Signed, VoteSignature};

use super::puppet::Puppet;
use super::scene::Scene;

/// A statement in somebody's name, signed with the puppet's key.
#[must_use]
pub fn in_the_name_of<P: Payload>(signer: ReplicaId, payload: P, puppet: &Puppet) -> Signed<P> {
    puppet.context.sign(&puppet.key, signer, payload)
}

/// A vote of a certificate in somebody's name, signed with the puppet's key.
#[must_use]
pub fn vote_in_the_name_of<P: Payload + Clone>(signer: ReplicaId, payload: &P, puppet: &Puppet) -> VoteSignature {
    VoteSignature { signer, signature: in_the_name_of(signer, payload.clone(), puppet).signature }
}

/// Spoils the votes of a certificate: one is dropped, doubled, a stranger's, put in front, or signed by the puppet.
pub fn spoil<P: Payload + Clone>(votes: &mut Vec<VoteSignature>, statement: &P, scene: &mut Scene<'_>) {
    let Some(first) = votes.first().cloned() else { return };
    match scene.choices.below(5) {
        0 => drop(votes.pop()),
        1 => {
            votes.pop();
            votes.insert(0, first);
        }
        2 => {
            let stranger = u16::try_from(scene.puppet.genesis.committee.size()).unwrap_or(u16::MAX);
            votes.pop();
            votes.push(vote_in_the_name_of(ReplicaId(stranger), statement, scene.puppet));
        }
        3 => votes.reverse(),
        _ => {
            let own = scene.puppet.id;
            if let Some(other) = votes.iter_mut().find(|vote| vote.signer != own) {
                *other = vote_in_the_name_of(other.signer, statement, scene.puppet);
            }
        }
    }
}
