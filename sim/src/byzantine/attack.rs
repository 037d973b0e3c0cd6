//! The seam between a Byzantine replica and what it does.

use std::fmt::Debug;
use std::time::Duration;

use quorate::ReplicaId;
use quorate::messages::{Message, ReplicaMessage, Request};

use super::scene::Scene;

/// Something that a Byzantine replica does. Its core is honest; an attack stands between that core and the others. It
/// depends on messages, keys, drawn choices and a clock only, so that it runs in a world and in a real process.
///
/// Each method leaves everything as it is unless the attack says otherwise.
pub trait Attack: Debug + Send {
    /// The honest core sends this: what leaves instead.
    fn on_send(&mut self, parcel: Parcel, _scene: &mut Scene<'_>) -> Vec<Parcel> {
        vec![parcel]
    }

    /// This came in, and the attack sees it first: what the honest core gets to see.
    fn on_receive(&mut self, _from: ReplicaId, _message: &Message, _scene: &mut Scene<'_>) -> Heard {
        Heard::Everything
    }

    /// A client asks for this: what the honest core gets to see.
    fn on_request(&mut self, _request: &Request, _scene: &mut Scene<'_>) -> Heard {
        Heard::Everything
    }

    /// The honest core and its executor tell a client this: what leaves instead, if anything.
    fn on_reply(&mut self, reply: ReplicaMessage, _scene: &mut Scene<'_>) -> Option<ReplicaMessage> {
        Some(reply)
    }

    /// Some time has passed: whatever it sends by itself goes through the scene.
    fn on_tick(&mut self, _scene: &mut Scene<'_>) {}
}

/// What an honest core gets to see of what came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It, as it is.
    Everything,
    /// Nothing.
    Nothing,
    /// Something else.
    Instead(Box<Message>),
}

/// A message on its way out of a Byzantine replica.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// Who gets it.
    pub to: Vec<ReplicaId>,
    /// The message.
    pub message: Message,
    /// How long it is held back.
    pub delay: Duration,
    /// What its receivers must make of it.
    pub worth: Worth,
}

/// What the receivers of a message must make of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// It is for them to find out.
    Unknown,
    /// It rests on something forged: no verification may let it pass.
    Forged,
}

impl Parcel {
    /// A message that leaves at once.
    #[must_use]
    pub fn new(to: Vec<ReplicaId>, message: Message) -> Self {
        Parcel { to, message, delay: Duration::ZERO, worth: Worth::Unknown }
    }

    /// A message that no verification may let pass.
    #[must_use]
    pub fn forged(to: Vec<ReplicaId>, message: Message) -> Self {
        Parcel { worth: Worth::Forged, ..Parcel::new(to, message) }
    }

    /// The same way for another message.
    #[must_use]
    pub fn with(&self, message: Message) -> Self {
        Parcel { message, ..self.clone() }
    }

    /// The same message for others.
    #[must_use]
    pub fn towards(&self, to: Vec<ReplicaId>) -> Self {
        Parcel { to, ..self.clone() }
    }
}
