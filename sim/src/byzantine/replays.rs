//! A replica that sends again what it saw before: votes, assignments and proofs of other views, its own and those of others.

use std::collections::VecDeque;

use quorate::ReplicaId;
use quorate::messages::Message;

use super::attack::{Attack, Heard, Parcel};
use super::scene::Scene;
use crate::counters::Counter;

/// So many messages are kept, and so many are sent again at once at most.
const KEPT: usize = 48;
const AT_ONCE: u64 = 4;
/// Per mille of what is seen that is kept.
const NOTICED: u64 = 60;

/// The attack with what it has kept.
#[derive(Debug, Default)]
pub struct Replays {
    kept: VecDeque<Message>,
}

impl Replays {
    /// Keeps a sample of everything, so that old messages stay.
    fn notice(&mut self, message: &Message, scene: &mut Scene<'_>) {
        if !scene.choices.chance(NOTICED) {
            return;
        }
        if self.kept.len() == KEPT {
            let place = usize::try_from(scene.choices.below(KEPT as u64)).unwrap_or(0);
            self.kept.remove(place);
        }
        self.kept.push_back(message.clone());
    }
}

impl Attack for Replays {
    fn on_send(&mut self, parcel: Parcel, scene: &mut Scene<'_>) -> Vec<Parcel> {
        self.notice(&parcel.message, scene);
        vec![parcel]
    }

    fn on_receive(&mut self, _: ReplicaId, message: &Message, scene: &mut Scene<'_>) -> Heard {
        self.notice(message, scene);
        Heard::Everything
    }

    fn on_tick(&mut self, scene: &mut Scene<'_>) {
        if self.kept.is_empty() || !scene.strikes_now() {
            return;
        }
        for _ in 0..scene.choices.between(1, AT_ONCE) {
            let place = usize::try_from(scene.choices.below(self.kept.len() as u64)).unwrap_or(0);
            let Some(message) = self.kept.get(place).cloned() else { continue };
            let to = if scene.choices.chance(300) { scene.puppet.others() } else { vec![scene.somebody()] };
            scene.count(Counter::Replays);
            scene.send(Parcel::new(to, message));
        }
    }
}
