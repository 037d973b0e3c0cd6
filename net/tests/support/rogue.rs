//! Peers that break the rules, made of libp2p directly: what a [`Rogue`] says and when is up to the test.

use std::net::SocketAddr;

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::swarm::{ConnectionId, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Stream, StreamProtocol, Swarm, identity, multiaddr, noise, tcp, yamux};
use quorate_crypto::{Digest, KeyPair};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use super::streams::{StreamEvent, StreamPlan, Streams};
use super::{CHAIN, PATIENCE};

pub const MEMBER: Kind = Kind { protocol: "/quorate/member/1", streams: 2 };
pub const GREEDY_MEMBER: Kind = Kind { protocol: "/quorate/member/1", streams: 3 };
pub const CLIENT: Kind = Kind { protocol: "/quorate/client/1", streams: 1 };
pub const VOTE: u8 = 1;
pub const BULK: u8 = 2;

/// What a rogue speaks, and how many streams it opens.
pub struct Kind {
    protocol: &'static str,
    streams: usize,
}

/// A connection to a listener under test.
pub struct Rogue {
    outbound: UnboundedReceiver<Stream>,
    inbound: UnboundedReceiver<Stream>,
    /// Whether the connection stands, at every change.
    connected: UnboundedReceiver<bool>,
    task: JoinHandle<()>,
}

impl Drop for Rogue {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Rogue {
    /// Completes the Noise handshake with `target` under `key`. It may be refused right after.
    pub async fn connect(key: &KeyPair, kind: Kind, target: (&KeyPair, SocketAddr)) -> Rogue {
        let identity = identity::Keypair::ed25519_from_bytes(*key.seed()).unwrap();
        let protocol = StreamProtocol::new(kind.protocol);
        let plan = StreamPlan { protocol, outbound: kind.streams, timeout: PATIENCE };
        let mut swarm = libp2p::SwarmBuilder::with_existing_identity(identity)
            .with_tokio()
            .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
            .unwrap()
            .with_behaviour(|_| Streams::new(plan))
            .unwrap()
            .build();
        let peer: PeerId = quorate_net::identity::peer_id(&target.0.public()).unwrap();
        let address = Multiaddr::from(target.1.ip()).with(multiaddr::Protocol::Tcp(target.1.port()));
        swarm.dial(DialOpts::peer_id(peer).addresses(vec![address]).allocate_new_port().build()).unwrap();
        let (to_outbound, outbound) = unbounded_channel();
        let (to_inbound, inbound) = unbounded_channel();
        let (to_connected, connected) = unbounded_channel();
        let task = tokio::spawn(run(swarm, Channels { to_outbound, to_inbound, to_connected }));
        let mut rogue = Rogue { outbound, inbound, connected, task };
        assert!(rogue.change().await, "the Noise handshake is open to everybody");
        rogue
    }

    /// Waits until the other side has closed the connection.
    pub async fn closed(&mut self) {
        while self.change().await {}
    }

    async fn change(&mut self) -> bool {
        next(&mut self.connected).await
    }

    /// One of the streams that this side opened. Nothing was said on it.
    pub async fn open(&mut self) -> Stream {
        next(&mut self.outbound).await
    }

    /// Opens a stream, says `hello` and returns the verdict in the Ack.
    pub async fn say(&mut self, hello: &[u8]) -> (Stream, u8) {
        let mut stream = self.open().await;
        stream.write_all(hello).await.unwrap();
        stream.flush().await.unwrap();
        let mut ack = [0; 6];
        stream.read_exact(&mut ack).await.unwrap();
        assert_eq!(ack[..5], *b"QRTE\x01");
        (stream, ack[5])
    }

    /// Opens a stream for `class` as a well-behaved peer would.
    pub async fn open_for(&mut self, class: u8) -> Stream {
        let (stream, verdict) = self.say(&hello(CHAIN, class)).await;
        assert_eq!(verdict, 0);
        stream
    }

    /// Accepts the next stream that the other side opens, whatever its class.
    pub async fn accept(&mut self) -> Stream {
        let mut stream = next(&mut self.inbound).await;
        stream.read_exact(&mut [0; 38]).await.unwrap();
        stream.write_all(b"QRTE\x01\x00").await.unwrap();
        stream.flush().await.unwrap();
        stream
    }
}

pub fn hello(chain: Digest, class: u8) -> Vec<u8> {
    [b"QRTE\x01", &[class][..], chain.as_bytes()].concat()
}

pub async fn write(stream: &mut Stream, bytes: &[u8]) {
    stream.write_all(bytes).await.unwrap();
    stream.flush().await.unwrap();
}

/// A frame as it stands on the stream.
pub fn framed(payload: &[u8]) -> Vec<u8> {
    [&[1][..], &(payload.len() as u32).to_le_bytes(), payload].concat()
}

struct Channels {
    to_outbound: UnboundedSender<Stream>,
    to_inbound: UnboundedSender<Stream>,
    to_connected: UnboundedSender<bool>,
}

async fn run(mut swarm: Swarm<Streams>, channels: Channels) {
    loop {
        let event: SwarmEvent<(ConnectionId, StreamEvent)> = swarm.select_next_some().await;
        if let SwarmEvent::ConnectionEstablished { .. } = event {
            let _ = channels.to_connected.send(true);
        } else if let SwarmEvent::ConnectionClosed { .. } | SwarmEvent::OutgoingConnectionError { .. } = event {
            let _ = channels.to_connected.send(false);
        } else if let SwarmEvent::Behaviour((_, StreamEvent::Outbound(stream))) = event {
            let _ = channels.to_outbound.send(stream);
        } else if let SwarmEvent::Behaviour((_, StreamEvent::Inbound(stream))) = event {
            let _ = channels.to_inbound.send(stream);
        }
    }
}

async fn next<T>(receiver: &mut UnboundedReceiver<T>) -> T {
    tokio::time::timeout(PATIENCE, receiver.recv()).await.expect("something in time").expect("a swarm")
}
