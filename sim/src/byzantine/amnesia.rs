//! A replica that forgets: an older copy of its home takes the place of its own, and it believes nobody who remembers what
//! it has signed since. It votes again where it has voted.
//!
//! The world sets its home back; here it is made deaf for what would tell it.

use quorate::ReplicaId;
use quorate::messages::{HeldVotes, Message};

use super::attack::{Attack, Heard};
use super::scene::Scene;
use crate::counters::Counter;

/// The attack.
#[derive(Debug)]
pub struct Amnesia;

impl Attack for Amnesia {
    fn on_receive(&mut self, _: ReplicaId, message: &Message, scene: &mut Scene<'_>) -> Heard {
        let Message::Votes(held) = message else { return Heard::Everything };
        if held.signer != scene.puppet.id {
            return Heard::Everything;
        }
        if held.view_change.is_none() && held.prepares.is_empty() && held.commits.is_empty() {
            return Heard::Everything;
        }
        scene.count(Counter::Amnesias);
        let forgotten = HeldVotes {
            pre_prepares: Vec::new(),
            prepares: Vec::new(),
            commits: Vec::new(),
            view_change: None,
            ..held.clone()
        };
        Heard::Instead(Box::new(Message::Votes(forgotten)))
    }
}
