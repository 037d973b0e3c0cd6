//! The peers an endpoint knows: nobody else gets past the Noise handshake.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use libp2p::PeerId;
use quorate_crypto::PublicKey;

use crate::class::Class;
use crate::error::NetError;
use crate::identity;
use crate::limits::Limits;
use crate::outcome::{DropReason, SendOutcome};
use crate::queue::{Outbox, QueueFull};
use crate::stats::{PeerCounters, PeerStats};

/// Where the frames and link changes of one peer go.
pub(crate) trait Sink: Send + Sync + 'static {
    fn frame(&self, class: Class, frame: Bytes);
    fn link(&self, up: bool);
}

/// One known peer.
pub(crate) struct Peer {
    pub(crate) id: PeerId,
    /// For people.
    pub(crate) name: String,
    /// Where this endpoint dials the peer; `None` when the peer dials this endpoint.
    pub(crate) address: Option<SocketAddr>,
    pub(crate) sink: Box<dyn Sink>,
    pub(crate) counters: PeerCounters,
    frame_bytes_max: usize,
    /// The queues of the usable links.
    outboxes: Mutex<Vec<Arc<Outbox>>>,
}

/// What [`Peer::new`] needs to know.
pub(crate) struct PeerInfo {
    pub(crate) key: PublicKey,
    pub(crate) name: String,
    pub(crate) address: Option<SocketAddr>,
}

impl Peer {
    pub(crate) fn new(info: PeerInfo, limits: &Limits, sink: Box<dyn Sink>) -> Result<Arc<Self>, NetError> {
        Ok(Arc::new(Peer {
            id: identity::peer_id(&info.key)?,
            name: info.name,
            address: info.address,
            sink,
            counters: PeerCounters::default(),
            frame_bytes_max: limits.frame_bytes_max,
            outboxes: Mutex::default(),
        }))
    }

    /// Puts a frame into the queue of every usable link. Never blocks.
    pub(crate) fn send(&self, class: Class, frame: Bytes) -> SendOutcome {
        if frame.is_empty() || frame.len() > self.frame_bytes_max {
            self.counters.dropped_length.add(1);
            return SendOutcome::Dropped(DropReason::Length);
        }
        let outboxes = self.outboxes();
        if outboxes.is_empty() {
            self.counters.dropped_link_down.add(1);
            return SendOutcome::Dropped(DropReason::LinkDown);
        }
        let mut queued = false;
        for outbox in outboxes.iter() {
            match outbox.push(class, frame.clone()) {
                Ok(()) => queued = true,
                Err(QueueFull) => self.counters.dropped_queue_full.add(1),
            }
        }
        if queued { SendOutcome::Queued } else { SendOutcome::Dropped(DropReason::QueueFull) }
    }

    /// Makes a link usable. True when it is the peer's first.
    pub(crate) fn publish(&self, outbox: Arc<Outbox>) -> bool {
        let mut outboxes = self.outboxes();
        outboxes.push(outbox);
        outboxes.len() == 1
    }

    /// Takes a link out of use. True when it was the peer's last.
    pub(crate) fn withdraw(&self, outbox: &Arc<Outbox>) -> bool {
        let mut outboxes = self.outboxes();
        outboxes.retain(|other| !Arc::ptr_eq(other, outbox));
        outboxes.is_empty()
    }

    pub(crate) fn stats(&self) -> PeerStats {
        self.counters.snapshot(self.outboxes().len())
    }

    fn outboxes(&self) -> MutexGuard<'_, Vec<Arc<Outbox>>> {
        self.outboxes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All known peers of an endpoint.
#[derive(Clone)]
pub(crate) struct Peers {
    by_id: Arc<BTreeMap<PeerId, Arc<Peer>>>,
}

impl Peers {
    pub(crate) fn new(peers: impl IntoIterator<Item = Arc<Peer>>) -> Result<Self, NetError> {
        let mut by_id = BTreeMap::new();
        for peer in peers {
            let key = identity::public_key(&peer.id);
            if let (Some(_), Some(key)) = (by_id.insert(peer.id, peer), key) {
                return Err(NetError::DuplicateKey(key));
            }
        }
        Ok(Peers { by_id: Arc::new(by_id) })
    }

    pub(crate) fn get(&self, id: &PeerId) -> Option<&Arc<Peer>> {
        self.by_id.get(id)
    }

    /// Whether `id` may connect to this endpoint. A peer that this endpoint dials may not.
    pub(crate) fn may_connect(&self, id: &PeerId) -> bool {
        self.get(id).is_some_and(|peer| peer.address.is_none())
    }

    /// The peers to dial, and where.
    pub(crate) fn dialled(&self) -> impl Iterator<Item = (PeerId, SocketAddr)> + '_ {
        self.by_id.values().filter_map(|peer| peer.address.map(|address| (peer.id, address)))
    }
}

/// The addresses from which known peers connect, where they are known at all.
pub(crate) type KnownAddresses = BTreeSet<IpAddr>;
