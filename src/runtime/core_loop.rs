//! The thread that owns the [`Replica`]: events in, actions out, one at a time.

use std::sync::{Arc, Mutex, PoisonError};

use super::observer::Observer;
use super::persister::PersisterInput;
use super::queue::Queue;
use super::replica_view::ReplicaView;
use crate::clock::Clock;
use crate::core::{Event, Notice, Replica};

/// Events that one round handles before their actions go out together.
const EVENTS_AT_ONCE: usize = 128;

/// What the thread owns.
pub(super) struct CoreLoop {
    pub(super) replica: Replica,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) events: Queue<Event>,
    pub(super) persister: Queue<PersisterInput>,
    pub(super) observer: Observer,
    pub(super) view: Arc<Mutex<ReplicaView>>,
}

impl CoreLoop {
    /// Runs until the queue of events is closed.
    pub(super) fn run(mut self) {
        loop {
            let now = self.clock.now();
            let wait = self.replica.next_deadline().since(now.monotonic);
            let Some(events) = self.events.take(EVENTS_AT_ONCE, Some(wait)) else { return };
            if events.is_empty() {
                self.replica.step(self.clock.now(), Event::DeadlineReached);
            }
            for event in events {
                self.replica.step(self.clock.now(), event);
            }
            self.release();
        }
    }

    fn release(&mut self) {
        let mut actions = self.replica.take_actions();
        let notices = std::mem::take(&mut actions.notices);
        if notices.iter().any(|notice| matches!(notice, Notice::CheckpointStable { .. })) {
            self.replica.check_all_invariants();
        }
        self.observer.observe(&notices, self.clock.now().monotonic);
        *self.view.lock().unwrap_or_else(PoisonError::into_inner) = ReplicaView::of(&self.replica);
        if !actions.is_empty() {
            self.persister.push_when_room(PersisterInput::Actions(actions));
        }
    }
}
