//! What the tests of the network share: committees of test keys, handlers that hand on events, and waiting for them.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used, clippy::panic)]

pub mod rogue;
/// How a correct peer opens streams; what it says on them is another matter.
#[path = "../../src/streams.rs"]
mod streams;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use quorate::{ClientId, ReplicaId};
use quorate_crypto::{Digest, KeyPair};
use quorate_net::{
    Class, ClientHandler, Limits, Member, MemberHandler, MemberNet, MemberNetConfig, ReplicaHandler, SendOutcome,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Far longer than anything takes: only a failing test waits for it.
pub const PATIENCE: Duration = Duration::from_secs(30);
pub const CHAIN: Digest = Digest::from_bytes([1; 32]);

/// What a handler was told by its peers, which are replicas or clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<P> {
    Frame(P, Class, Bytes),
    Link(P, bool),
}

/// A handler that puts everything into a channel.
pub struct Recorder<P>(UnboundedSender<Event<P>>);

/// The other end of a [`Recorder`].
pub struct Events<P>(UnboundedReceiver<Event<P>>);

pub fn recorder<P>() -> (Arc<Recorder<P>>, Events<P>) {
    let (sender, receiver) = unbounded_channel();
    (Arc::new(Recorder(sender)), Events(receiver))
}

impl MemberHandler for Recorder<ReplicaId> {
    fn frame(&self, from: ReplicaId, class: Class, frame: Bytes) {
        let _ = self.0.send(Event::Frame(from, class, frame));
    }

    fn link(&self, peer: ReplicaId, up: bool) {
        let _ = self.0.send(Event::Link(peer, up));
    }
}

impl ReplicaHandler for Recorder<ReplicaId> {
    fn frame(&self, from: ReplicaId, frame: Bytes) {
        let _ = self.0.send(Event::Frame(from, Class::Bulk, frame));
    }

    fn link(&self, replica: ReplicaId, up: bool) {
        let _ = self.0.send(Event::Link(replica, up));
    }
}

impl ClientHandler for Recorder<ClientId> {
    fn frame(&self, from: ClientId, frame: Bytes) {
        let _ = self.0.send(Event::Frame(from, Class::Bulk, frame));
    }

    fn link(&self, client: ClientId, up: bool) {
        let _ = self.0.send(Event::Link(client, up));
    }
}

impl<P: PartialEq + std::fmt::Debug> Events<P> {
    pub async fn next(&mut self) -> Event<P> {
        tokio::time::timeout(PATIENCE, self.0.recv()).await.expect("an event in time").expect("a handler")
    }

    /// Waits for the link to `peer` to become `up`, past everything else.
    pub async fn link(&mut self, peer: P, up: bool) {
        let wanted = Event::Link(peer, up);
        while self.next().await != wanted {}
    }

    /// The next frame, past changes of links.
    pub async fn frame(&mut self) -> (P, Class, Bytes) {
        loop {
            if let Event::Frame(from, class, frame) = self.next().await {
                return (from, class, frame);
            }
        }
    }

    /// What has come so far and was not taken.
    pub fn pending(&mut self) -> Vec<Event<P>> {
        std::iter::from_fn(|| self.0.try_recv().ok()).collect()
    }
}

pub fn key(seed: u8) -> KeyPair {
    KeyPair::from_seed(&[seed; 32])
}

pub fn loopback() -> SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

/// The configuration of member `me` of two, of whom 1 listens at `address`.
pub fn pair_config(me: u16, address: SocketAddr) -> MemberNetConfig {
    let member = |id: u16| Member { id: ReplicaId(id), key: key(id as u8).public(), address };
    MemberNetConfig {
        key_pair: key(me as u8),
        chain_id: CHAIN,
        me: ReplicaId(me),
        members: vec![member(0), member(1)],
        listen: if me == 1 { address } else { loopback() },
        limits: Limits::members(),
    }
}

pub struct Node {
    pub net: MemberNet,
    pub events: Events<ReplicaId>,
}

pub async fn start(config: MemberNetConfig) -> Node {
    let (handler, events) = recorder();
    Node { net: MemberNet::start(config, handler).await.unwrap(), events }
}

/// Members 0 and 1 with their link up.
pub async fn linked_pair() -> (Node, Node) {
    let mut one = start(pair_config(1, loopback())).await;
    let mut zero = start(pair_config(0, one.net.listen_address())).await;
    zero.events.link(ReplicaId(1), true).await;
    one.events.link(ReplicaId(0), true).await;
    (zero, one)
}

pub fn numbered(number: u32, length: usize) -> Bytes {
    let mut frame = number.to_le_bytes().to_vec();
    frame.resize(length.max(4), 0xAB);
    Bytes::from(frame)
}

pub fn number_of(frame: &Bytes) -> u32 {
    u32::from_le_bytes(frame[..4].try_into().unwrap())
}

pub fn queued(outcome: SendOutcome) {
    assert_eq!(outcome, SendOutcome::Queued);
}

/// Waits until `condition` holds. For what no event reports.
pub async fn until(condition: impl Fn() -> bool) {
    let holds = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, holds).await.expect("the condition in time");
}
