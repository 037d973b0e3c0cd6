//! A client whose requests are validly signed towards some members and not towards others, and that signs in the name of
//! another client.

use quorate::messages::Request;
use quorate::{ClientId, ReplicaId};
use quorate_crypto::{PublicKey, Signature};

use super::client_attack::{ClientAttack, ClientScene, Sent};
use crate::counters::Counter;

/// The attack with the last number that was used.
#[derive(Debug, Default)]
pub struct BadSignatures {
    number: u64,
}

impl BadSignatures {
    fn spoiled(request: &Request, scene: &mut ClientScene<'_>) -> Request {
        let mut request = request.clone();
        match scene.choices.below(3) {
            0 => request.signature = Signature::from_bytes([9; 64]),
            1 => request.operation = scene.operation(),
            _ => request.id.client = ClientId(PublicKey::from_bytes([9; 32])),
        }
        request
    }
}

impl ClientAttack for BadSignatures {
    fn act(&mut self, scene: &mut ClientScene<'_>) -> Vec<Sent> {
        self.number += 1;
        scene.count(Counter::RogueSignatures);
        let operation = scene.operation();
        let request = scene.sign(1, self.number, operation);
        let members: Vec<ReplicaId> = scene.members.to_vec();
        let one = |member| {
            let request = if scene.choices.chance(500) { request.clone() } else { Self::spoiled(&request, scene) };
            (member, request)
        };
        members.into_iter().map(one).collect()
    }
}
