//! A client that asks for as much at once as its window has room for, and for more.

use super::client_attack::{ClientAttack, ClientScene, Sent};
use crate::counters::Counter;

/// The most requests on one occasion.
const AT_ONCE: u64 = 8;

/// The attack with the last number that was used.
#[derive(Debug, Default)]
pub struct Flood {
    number: u64,
}

impl ClientAttack for Flood {
    fn act(&mut self, scene: &mut ClientScene<'_>) -> Vec<Sent> {
        scene.count(Counter::RogueFloods);
        let mut sent = Vec::new();
        for _ in 0..scene.choices.between(1, AT_ONCE) {
            self.number += 1;
            let operation = scene.operation();
            let request = scene.sign(1, self.number, operation);
            if scene.choices.chance(300) {
                sent.extend(scene.to_all(&request));
            } else {
                sent.push((scene.choices.pick(scene.members), request));
            }
        }
        sent
    }
}
