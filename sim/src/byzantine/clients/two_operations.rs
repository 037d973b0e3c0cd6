//! A client that asks for two operations under one number, one from some members and the other from the rest. One of
//! them is executed, once.

use super::client_attack::{ClientAttack, ClientScene, Sent};
use crate::counters::Counter;

/// The attack with the last number that was used.
#[derive(Debug, Default)]
pub struct TwoOperations {
    number: u64,
}

impl ClientAttack for TwoOperations {
    fn act(&mut self, scene: &mut ClientScene<'_>) -> Vec<Sent> {
        self.number += 1;
        scene.count(Counter::RogueOperations);
        let (first, second) = (scene.operation(), scene.operation());
        let requests = [first, second].map(|operation| scene.sign(1, self.number, operation));
        let mut sent = Vec::new();
        for member in scene.members {
            let [first, second] = &requests;
            sent.push((*member, if scene.choices.chance(500) { first.clone() } else { second.clone() }));
        }
        sent
    }
}
