//! A client that sends one request again and again, to everybody.

use quorate::messages::Request;

use super::client_attack::{ClientAttack, ClientScene, Sent};
use crate::counters::Counter;

/// How often it sends one at once, and for how many occasions it stays with one.
const AT_ONCE: usize = 5;
const OCCASIONS: u64 = 6;

/// The attack with what is repeated.
#[derive(Debug, Default)]
pub struct Repeats {
    occasions: u64,
    repeated: Option<Request>,
}

impl ClientAttack for Repeats {
    fn act(&mut self, scene: &mut ClientScene<'_>) -> Vec<Sent> {
        let number = self.occasions / OCCASIONS + 1;
        self.occasions += 1;
        let known = self.repeated.take().filter(|request| request.id.number.0 == number);
        let request = known.unwrap_or_else(|| {
            let operation = scene.operation();
            scene.sign(1, number, operation)
        });
        scene.count(Counter::RogueRepeats);
        let sent = (0..AT_ONCE).flat_map(|_| scene.to_all(&request)).collect();
        self.repeated = Some(request);
        sent
    }
}
