//! A client with numbers and sessions that no honest one uses: 0, the last of all, far ahead, sessions that open and
//! close in any order.

use super::client_attack::{ClientAttack, ClientScene, Sent};
use crate::counters::Counter;

/// The attack with the last number that was used as it should be.
#[derive(Debug, Default)]
pub struct OddNumbers {
    number: u64,
}

impl ClientAttack for OddNumbers {
    fn act(&mut self, scene: &mut ClientScene<'_>) -> Vec<Sent> {
        scene.count(Counter::RogueNumbers);
        self.number += 1;
        let operation = scene.operation();
        let session = scene.choices.pick(&[0, 1, 1, 1, 2, 3, u64::MAX]);
        let number = scene.choices.pick(&[
            0,
            u64::MAX,
            u64::MAX - 1,
            self.number,
            self.number,
            self.number + scene.window,
            self.number + scene.window + 1,
        ]);
        let request = scene.sign(session, number, operation);
        scene.to_all(&request)
    }
}
