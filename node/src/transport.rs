//! The node's networks as the engine's [`Transport`], and the engine's [`Ingress`] as their handler.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use quorate::runtime::{Ingress, Transport};
use quorate::{ClientId, ReplicaId};
use quorate_net::{Class, ClientHandler, ClientListener, MemberHandler, MemberNet};

use crate::wiring::Gate;

/// Sends what the engine wants sent. The engine starts before the networks do: what it sends in between gets lost, as
/// frames may at any time.
#[derive(Default)]
pub(crate) struct NodeTransport {
    members: OnceLock<MemberNet>,
    clients: OnceLock<ClientListener>,
}

impl NodeTransport {
    pub(crate) fn connect(&self, members: MemberNet, clients: ClientListener) {
        self.members.get_or_init(|| members);
        self.clients.get_or_init(|| clients);
    }

    pub(crate) fn members(&self) -> Option<&MemberNet> {
        self.members.get()
    }

    pub(crate) fn clients(&self) -> Option<&ClientListener> {
        self.clients.get()
    }

    /// Closes all connections and frees the ports.
    pub(crate) async fn shutdown(self) {
        if let Some(clients) = self.clients.into_inner() {
            clients.shutdown().await;
        }
        if let Some(members) = self.members.into_inner() {
            members.shutdown().await;
        }
    }
}

impl Transport for NodeTransport {
    fn to_replica(&self, to: ReplicaId, bulk: bool, frame: Bytes) {
        if let Some(members) = self.members.get() {
            // What is dropped is counted there, and the protocol repeats it.
            let _ = members.send(to, if bulk { Class::Bulk } else { Class::Vote }, frame);
        }
    }

    fn to_client(&self, to: ClientId, frame: Bytes) {
        if let Some(clients) = self.clients.get() {
            let _ = clients.send(to, frame);
        }
    }
}

/// Hands on what the networks receive.
pub(crate) struct Inbound {
    pub(crate) ingress: Ingress,
    pub(crate) gate: Arc<dyn Gate>,
}

impl MemberHandler for Inbound {
    fn frame(&self, from: ReplicaId, class: Class, frame: Bytes) {
        if self.gate.admits_member(from, &frame) {
            self.ingress.deliver_replica(from, class == Class::Bulk, frame);
        }
    }

    fn link(&self, peer: ReplicaId, up: bool) {
        self.ingress.link(peer, up);
    }
}

impl ClientHandler for Inbound {
    fn frame(&self, from: ClientId, frame: Bytes) {
        if self.gate.admits_client(from, &frame) {
            self.ingress.deliver_client(from, frame);
        }
    }

    fn link(&self, _: ClientId, _: bool) {}
}
