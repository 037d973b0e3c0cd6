//! The client's side: a connection to every replica.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use quorate::ReplicaId;
use quorate_crypto::{Digest, KeyPair};

use crate::class::Class;
use crate::endpoint::{CLIENTS, Endpoint, EndpointConfig};
use crate::error::NetError;
use crate::handlers::ReplicaHandler;
use crate::limits::Limits;
use crate::members::Member;
use crate::outcome::{DropReason, SendOutcome};
use crate::peers::{KnownAddresses, Peer, PeerInfo, Sink};
use crate::stats::Stats;

/// What a [`ClientNet`] needs.
#[derive(Clone, Debug)]
pub struct ClientNetConfig {
    /// The key of this client.
    pub key_pair: KeyPair,
    /// The chain. Replicas of another one are refused.
    pub chain_id: Digest,
    /// All replicas, with the addresses of their listeners for clients.
    pub replicas: Vec<Member>,
    /// The bounds, usually [`Limits::clients`].
    pub limits: Limits,
}

/// A client's connections to all replicas, kept up and restored. Dropping it closes them.
pub struct ClientNet {
    endpoint: Endpoint,
    peers: BTreeMap<ReplicaId, Arc<Peer>>,
}

impl ClientNet {
    /// Starts to dial. Runs on the tokio runtime of the caller. Returns before any link is up.
    ///
    /// # Errors
    /// [`NetError`] when a key is unusable or stands twice.
    pub async fn start(config: ClientNetConfig, handler: Arc<dyn ReplicaHandler>) -> Result<Self, NetError> {
        let ClientNetConfig { key_pair, chain_id, replicas, limits } = config;
        let mut peers = BTreeMap::new();
        for replica in replicas {
            let name = format!("replica {}", replica.id);
            let info = PeerInfo { key: replica.key, name, address: Some(replica.address) };
            let sink = ReplicaSink { from: replica.id, handler: handler.clone() };
            peers.insert(replica.id, Peer::new(info, &limits, Box::new(sink))?);
        }
        let endpoint = Endpoint::start(EndpointConfig {
            role: CLIENTS,
            key_pair,
            chain_id,
            peers: peers.values().cloned().collect(),
            known_addresses: KnownAddresses::new(),
            listen: None,
            limits,
        })
        .await?;
        Ok(ClientNet { endpoint, peers })
    }

    /// Sends a frame to a replica. Never blocks.
    pub fn send(&self, to: ReplicaId, frame: Bytes) -> SendOutcome {
        match self.peers.get(&to) {
            Some(peer) => peer.send(Class::Bulk, frame),
            None => SendOutcome::Dropped(DropReason::UnknownPeer),
        }
    }

    /// The counters now.
    #[must_use]
    pub fn stats(&self) -> Stats<ReplicaId> {
        let peers = self.peers.iter().map(|(id, peer)| (*id, peer.stats())).collect();
        Stats { peers, listener: self.endpoint.listener_stats() }
    }

    /// Sends what is queued, if the receivers read it within `close_timeout`, and closes all connections. To drop the
    /// endpoint instead loses what is queued.
    pub async fn shutdown(self) {
        self.endpoint.shutdown().await;
    }
}

struct ReplicaSink {
    from: ReplicaId,
    handler: Arc<dyn ReplicaHandler>,
}

impl Sink for ReplicaSink {
    fn frame(&self, _: Class, frame: Bytes) {
        self.handler.frame(self.from, frame);
    }

    fn link(&self, up: bool) {
        self.handler.link(self.from, up);
    }
}
