//! A replica that does as if one client did not exist: it neither proposes its requests nor hands them on.

use quorate::messages::{Message, Request};
use quorate::{ClientId, ReplicaId};

use super::attack::{Attack, Heard, Parcel};
use super::scene::Scene;
use crate::counters::Counter;

/// The attack.
#[derive(Debug)]
pub struct Censor {
    client: usize,
}

impl Censor {
    /// Censors this client, by its place in the genesis.
    #[must_use]
    pub fn new(client: usize) -> Self {
        Censor { client }
    }

    fn is_censored(&self, request: &Request, scene: &Scene<'_>) -> bool {
        let clients = &scene.puppet.genesis.clients;
        let place = self.client.checked_rem(clients.len());
        let censored: Option<&ClientId> = place.and_then(|place| clients.get(place));
        censored == Some(&request.client())
    }

    fn hear(&self, request: &Request, scene: &mut Scene<'_>) -> Heard {
        if !self.is_censored(request, scene) || !scene.strikes_now() {
            return Heard::Everything;
        }
        scene.count(Counter::Censorships);
        Heard::Nothing
    }
}

impl Attack for Censor {
    fn on_send(&mut self, parcel: Parcel, scene: &mut Scene<'_>) -> Vec<Parcel> {
        if let Message::Forward(request) = &parcel.message
            && self.hear(request, scene) == Heard::Nothing
        {
            return Vec::new();
        }
        vec![parcel]
    }

    fn on_receive(&mut self, _from: ReplicaId, message: &Message, scene: &mut Scene<'_>) -> Heard {
        if let Message::Forward(request) = message { self.hear(request, scene) } else { Heard::Everything }
    }

    fn on_request(&mut self, request: &Request, scene: &mut Scene<'_>) -> Heard {
        self.hear(request, scene)
    }
}
