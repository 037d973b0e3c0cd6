//! Byzantine clients: what they send, and what becomes of it. Nobody waits for their answers.

use std::time::Duration;

use quorate::ReplicaId;
use quorate::core::Event as CoreEvent;
use quorate::messages::Request;

use super::queue::Event;
use super::world::World;
use crate::counters::Counter;
use crate::tally::Operation;

/// How often each acts, and the longest pause between two.
const ACTS: u64 = 40;
const PAUSE_MAX: Duration = Duration::from_millis(150);

impl World {
    pub(super) fn begin_rogues(&mut self) {
        for rogue in 0..self.rogues.len() {
            let at = self.draw((Duration::ZERO, PAUSE_MAX));
            self.after(at, Event::Rogue { rogue, left: ACTS });
        }
    }

    pub(super) fn on_rogue(&mut self, rogue: usize, left: u64) {
        let keys = self.options.clients.keys;
        let World { rogues, choices, counters, .. } = self;
        let Some(this) = rogues.get_mut(rogue) else { return };
        let sent = this.act(choices, counters, &|choices| Operation::draw(choices, keys).encode());
        for (to, request) in sent {
            // Whatever it has signed may be executed.
            let is_valid = self.verifier.request(request.clone()).is_ok();
            if is_valid && self.rogues.get_mut(rogue).is_some_and(|this| this.remember(&request)) {
                self.checks.on_submit(request.id, request.operation.clone());
            }
            for at in self.network.arrivals(self.now, &mut self.choices, &mut self.counters) {
                self.at(at, Event::RogueRequest { to, request: Box::new(request.clone()) });
            }
        }
        if left > 1 {
            let pause = self.draw((Duration::from_millis(1), PAUSE_MAX));
            self.after(pause, Event::Rogue { rogue, left: left - 1 });
        }
    }

    /// A request that may be anything has reached a replica.
    pub(super) fn on_rogue_request(&mut self, to: ReplicaId, request: Request) {
        if !self.is_running(to) || !self.is_request_heard(to, &request) {
            return;
        }
        match self.verifier.request(request) {
            Ok(request) => self.step(to, CoreEvent::Request(request)),
            Err(_) => self.counters.add(Counter::InvalidRefused),
        }
    }
}
