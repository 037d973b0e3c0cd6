//! The network between the members of a committee.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use quorate::ReplicaId;
use quorate_crypto::{Digest, KeyPair, PublicKey};

use crate::class::Class;
use crate::endpoint::{Endpoint, EndpointConfig, MEMBERS};
use crate::error::NetError;
use crate::handlers::MemberHandler;
use crate::limits::Limits;
use crate::outcome::{DropReason, SendOutcome};
use crate::peers::{Peer, PeerInfo, Sink};
use crate::stats::Stats;

/// A replica and where it listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its place in the committee.
    pub id: ReplicaId,
    /// Its key.
    pub key: PublicKey,
    /// Where it listens, for members or for clients, whichever is meant.
    pub address: SocketAddr,
}

/// What a [`MemberNet`] needs.
#[derive(Clone, Debug)]
pub struct MemberNetConfig {
    /// The key of this replica.
    pub key_pair: KeyPair,
    /// The chain. Members of another one are refused.
    pub chain_id: Digest,
    /// This replica.
    pub me: ReplicaId,
    /// All members with the addresses of their listeners for members, this one included. Of those with smaller identifiers,
    /// which dial this one, the address is used only to recognise them among strangers.
    pub members: Vec<Member>,
    /// Where to listen. Port 0 lets the system choose.
    pub listen: SocketAddr,
    /// The bounds, usually [`Limits::members`].
    pub limits: Limits,
}

/// The connections to all other members. Replica i dials j iff i < j. Dropping it closes them.
pub struct MemberNet {
    endpoint: Endpoint,
    peers: BTreeMap<ReplicaId, Arc<Peer>>,
    listen_address: SocketAddr,
}

impl MemberNet {
    /// Listens and starts to dial. Runs on the tokio runtime of the caller. Returns before any link is up.
    ///
    /// # Errors
    /// [`NetError`] when a key is unusable or stands twice, the own key is not listed, or the address is taken.
    pub async fn start(config: MemberNetConfig, handler: Arc<dyn MemberHandler>) -> Result<Self, NetError> {
        let MemberNetConfig { key_pair, chain_id, me, members, listen, limits } = config;
        if !members.iter().any(|member| member.id == me && member.key == key_pair.public()) {
            return Err(NetError::NotListed(me));
        }
        let mut peers = BTreeMap::new();
        for member in members.iter().filter(|member| member.id != me) {
            let address = (me < member.id).then_some(member.address);
            let info = PeerInfo { key: member.key, name: format!("replica {}", member.id), address };
            let sink = MemberSink { from: member.id, handler: handler.clone() };
            peers.insert(member.id, Peer::new(info, &limits, Box::new(sink))?);
        }
        let endpoint = Endpoint::start(EndpointConfig {
            role: MEMBERS,
            key_pair,
            chain_id,
            peers: peers.values().cloned().collect(),
            known_addresses: members.iter().map(|member| member.address.ip()).collect(),
            listen: Some(listen),
            limits,
        })
        .await?;
        let listen_address = endpoint.listen_address().unwrap_or(listen);
        Ok(MemberNet { endpoint, peers, listen_address })
    }

    /// Where this replica listens, with the port that the system chose.
    #[must_use]
    pub fn listen_address(&self) -> SocketAddr {
        self.listen_address
    }

    /// Sends a frame to a member. Never blocks.
    pub fn send(&self, to: ReplicaId, class: Class, frame: Bytes) -> SendOutcome {
        match self.peers.get(&to) {
            Some(peer) => peer.send(class, frame),
            None => SendOutcome::Dropped(DropReason::UnknownPeer),
        }
    }

    /// The counters now.
    #[must_use]
    pub fn stats(&self) -> Stats<ReplicaId> {
        let peers = self.peers.iter().map(|(id, peer)| (*id, peer.stats())).collect();
        Stats { peers, listener: self.endpoint.listener_stats() }
    }

    /// Sends what is queued, if the receivers read it within `close_timeout`, closes all connections and frees the port.
    /// To drop the endpoint instead loses what is queued.
    pub async fn shutdown(self) {
        self.endpoint.shutdown().await;
    }
}

struct MemberSink {
    from: ReplicaId,
    handler: Arc<dyn MemberHandler>,
}

impl Sink for MemberSink {
    fn frame(&self, class: Class, frame: Bytes) {
        self.handler.frame(self.from, class, frame);
    }

    fn link(&self, up: bool) {
        self.handler.link(self.from, up);
    }
}
