//! The replica's side of the clients: a listener and a swarm of their own, so that clients cannot touch what the members
//! need.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use quorate::ClientId;
use quorate_crypto::{Digest, KeyPair};

use crate::class::Class;
use crate::endpoint::{CLIENTS, Endpoint, EndpointConfig};
use crate::error::NetError;
use crate::handlers::ClientHandler;
use crate::limits::Limits;
use crate::outcome::{DropReason, SendOutcome};
use crate::peers::{KnownAddresses, Peer, PeerInfo, Sink};
use crate::stats::Stats;

/// What a [`ClientListener`] needs.
#[derive(Clone, Debug)]
pub struct ClientListenerConfig {
    /// The key of this replica.
    pub key_pair: KeyPair,
    /// The chain. Clients of another one are refused.
    pub chain_id: Digest,
    /// Who may connect.
    pub clients: Vec<ClientId>,
    /// Where to listen. Port 0 lets the system choose.
    pub listen: SocketAddr,
    /// The bounds, usually [`Limits::clients`].
    pub limits: Limits,
}

/// The connections of clients to this replica. A client may have several, up to `connections_per_peer`: a further one
/// replaces its oldest, and what is sent to the client goes to all of them. Dropping it closes them.
pub struct ClientListener {
    endpoint: Endpoint,
    peers: BTreeMap<ClientId, Arc<Peer>>,
    listen_address: SocketAddr,
}

impl ClientListener {
    /// Listens. Runs on the tokio runtime of the caller.
    ///
    /// # Errors
    /// [`NetError`] when a key is unusable or stands twice, or the address is taken.
    pub async fn start(config: ClientListenerConfig, handler: Arc<dyn ClientHandler>) -> Result<Self, NetError> {
        let ClientListenerConfig { key_pair, chain_id, clients, listen, limits } = config;
        let mut peers = BTreeMap::new();
        for client in clients {
            let info = PeerInfo { key: client.0, name: format!("client {client}"), address: None };
            let sink = ClientSink { from: client, handler: handler.clone() };
            if peers.insert(client, Peer::new(info, &limits, Box::new(sink))?).is_some() {
                return Err(NetError::DuplicateKey(client.0));
            }
        }
        let endpoint = Endpoint::start(EndpointConfig {
            role: CLIENTS,
            key_pair,
            chain_id,
            peers: peers.values().cloned().collect(),
            known_addresses: KnownAddresses::new(),
            listen: Some(listen),
            limits,
        })
        .await?;
        let listen_address = endpoint.listen_address().unwrap_or(listen);
        Ok(ClientListener { endpoint, peers, listen_address })
    }

    /// Where this replica listens for clients, with the port that the system chose.
    #[must_use]
    pub fn listen_address(&self) -> SocketAddr {
        self.listen_address
    }

    /// Sends a frame to every connection of a client. Never blocks.
    pub fn send(&self, to: ClientId, frame: Bytes) -> SendOutcome {
        match self.peers.get(&to) {
            Some(peer) => peer.send(Class::Bulk, frame),
            None => SendOutcome::Dropped(DropReason::UnknownPeer),
        }
    }

    /// The counters now.
    #[must_use]
    pub fn stats(&self) -> Stats<ClientId> {
        let peers = self.peers.iter().map(|(id, peer)| (*id, peer.stats())).collect();
        Stats { peers, listener: self.endpoint.listener_stats() }
    }

    /// Sends what is queued, if the receivers read it within `close_timeout`, closes all connections and frees the port.
    /// To drop the endpoint instead loses what is queued.
    pub async fn shutdown(self) {
        self.endpoint.shutdown().await;
    }
}

struct ClientSink {
    from: ClientId,
    handler: Arc<dyn ClientHandler>,
}

impl Sink for ClientSink {
    fn frame(&self, _: Class, frame: Bytes) {
        self.handler.frame(self.from, frame);
    }

    fn link(&self, up: bool) {
        self.handler.link(self.from, up);
    }
}
