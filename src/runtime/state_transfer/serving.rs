//! The thread that serves states, so that execution never waits for it.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::execution::{ReplicatedState, StateServer};
use crate::messages::{FetchNodes, Message};
use crate::runtime::metrics::Metrics;
use crate::runtime::persister::PersisterInput;
use crate::runtime::queue::Queue;
use crate::runtime::transport::Transport;
use crate::types::{ReplicaId, SeqNum};

/// Questions that wait for the thread at most. What does not fit is dropped: who fetches asks again.
pub(in crate::runtime) const QUESTIONS_WAITING_MAX: usize = 64;
/// Inputs that are taken at once.
const INPUTS_AT_ONCE: usize = 64;

/// What comes to the thread.
#[derive(Debug)]
pub(in crate::runtime) enum ServerInput {
    /// The executor holds the state of a certified checkpoint.
    Hold(ReplicatedState),
    /// A member wants the parts of a root.
    FetchState {
        /// Who.
        from: ReplicaId,
        /// The checkpoint.
        seq: SeqNum,
    },
    /// A member wants nodes.
    FetchNodes {
        /// Who.
        from: ReplicaId,
        /// Which.
        question: FetchNodes,
    },
}

/// What the thread owns.
pub(in crate::runtime) struct StateServing {
    pub(in crate::runtime) server: StateServer,
    pub(in crate::runtime) input: Queue<ServerInput>,
    pub(in crate::runtime) persister: Queue<PersisterInput>,
    pub(in crate::runtime) transport: Arc<dyn Transport>,
    pub(in crate::runtime) clock: Arc<dyn Clock>,
    pub(in crate::runtime) metrics: Arc<Metrics>,
}

impl StateServing {
    /// Runs until its queue is closed.
    pub(in crate::runtime) fn run(mut self) {
        while let Some(inputs) = self.input.take(INPUTS_AT_ONCE, self.wait()) {
            for input in inputs {
                self.handle(input);
            }
            let now = self.clock.now().monotonic;
            while let Some((to, nodes)) = self.server.answer(now) {
                let bytes = self.send(to, &Message::Nodes(nodes));
                self.metrics.transfer_served_bytes.inc_by(bytes);
            }
        }
    }

    fn wait(&self) -> Option<Duration> {
        self.server.deadline().map(|deadline| deadline.since(self.clock.now().monotonic))
    }

    fn handle(&mut self, input: ServerInput) {
        let now = self.clock.now().monotonic;
        match input {
            ServerInput::Hold(state) => {
                self.server.hold(state, now);
                if let Some(oldest) = self.server.held().next() {
                    self.persister.push(PersisterInput::StateServed(oldest));
                }
            }
            ServerInput::FetchState { from, seq } => {
                let head = self.server.head(seq, now);
                self.send(from, &Message::StateHead(head));
            }
            ServerInput::FetchNodes { from, question } => self.server.ask(from, question),
        }
    }

    fn send(&self, to: ReplicaId, message: &Message) -> u64 {
        let frame = message.encode();
        let bytes = frame.len() as u64;
        self.transport.to_replica(to, message.is_bulk(), frame);
        bytes
    }
}
