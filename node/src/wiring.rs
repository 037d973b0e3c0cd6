//! What stands between the engine of a node and its networks. Usually nothing; for tests of a faulty network or replica it
//! is something that changes what leaves and decides what comes in.

use std::sync::Arc;

use bytes::Bytes;
use quorate::runtime::Transport;
use quorate::{ClientId, ReplicaId};

/// Decides which of the received frames the engine gets to see.
pub trait Gate: Send + Sync + 'static {
    /// Whether it sees a frame of a member.
    fn admits_member(&self, from: ReplicaId, frame: &Bytes) -> bool;

    /// Whether it sees a frame of a client.
    fn admits_client(&self, from: ClientId, frame: &Bytes) -> bool;
}

/// Lets everything in.
#[derive(Clone, Copy, Debug)]
pub struct OpenGate;

impl Gate for OpenGate {
    fn admits_member(&self, _: ReplicaId, _: &Bytes) -> bool {
        true
    }

    fn admits_client(&self, _: ClientId, _: &Bytes) -> bool {
        true
    }
}

/// How an engine and its networks are connected.
pub struct Wiring {
    /// What the engine sends over.
    pub transport: Arc<dyn Transport>,
    /// What decides about frames that come in.
    pub gate: Arc<dyn Gate>,
}

impl Wiring {
    /// Nothing stands between them.
    #[must_use]
    pub fn direct(transport: Arc<dyn Transport>) -> Self {
        Wiring { transport, gate: Arc::new(OpenGate) }
    }
}
