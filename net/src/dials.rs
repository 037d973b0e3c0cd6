//! Which peers to dial, and when.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use libp2p::swarm::ConnectionId;
use libp2p::{Multiaddr, PeerId, multiaddr};
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::limits::Limits;
use crate::peers::Peers;

/// The state of every peer that this endpoint dials.
pub(crate) struct Dials {
    by_peer: BTreeMap<PeerId, Dial>,
}

struct Dial {
    address: Multiaddr,
    backoff: Backoff,
    state: State,
}

enum State {
    Waiting { until: Instant },
    Dialling,
    Connected(ConnectionId),
}

impl Dials {
    /// All peers are due at once.
    pub(crate) fn new(peers: &Peers, limits: &Limits, own: &PeerId) -> Self {
        let now = Instant::now();
        let dial = |(peer, address)| {
            let backoff = Backoff::new(limits, own, &peer);
            (peer, Dial { address: multiaddress(address), backoff, state: State::Waiting { until: now } })
        };
        Dials { by_peer: peers.dialled().map(dial).collect() }
    }

    /// The peers to dial now. Each is taken as being dialled from here on.
    pub(crate) fn take_due(&mut self, now: Instant) -> Vec<(PeerId, Multiaddr)> {
        let due = |dial: &Dial| matches!(dial.state, State::Waiting { until } if until <= now);
        let start = |(peer, dial): (&PeerId, &mut Dial)| {
            dial.state = State::Dialling;
            (*peer, dial.address.clone())
        };
        self.by_peer.iter_mut().filter(|(_, dial)| due(dial)).map(start).collect()
    }

    /// When the next peer is due.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let waits = self.by_peer.values().filter_map(|dial| match dial.state {
            State::Waiting { until } => Some(until),
            State::Dialling | State::Connected(_) => None,
        });
        waits.min()
    }

    pub(crate) fn on_connected(&mut self, peer: &PeerId, connection: ConnectionId) {
        if let Some(dial) = self.by_peer.get_mut(peer) {
            dial.state = State::Connected(connection);
        }
    }

    pub(crate) fn on_failed(&mut self, peer: &PeerId) {
        if let Some(dial) = self.by_peer.get_mut(peer) {
            dial.wait();
        }
    }

    /// The link stands: only now is the peer known to be well, and the delay starts over.
    pub(crate) fn on_link_up(&mut self, peer: &PeerId) {
        if let Some(dial) = self.by_peer.get_mut(peer) {
            dial.backoff.reset();
        }
    }

    pub(crate) fn on_disconnected(&mut self, peer: &PeerId, connection: ConnectionId) {
        if let Some(dial) = self.by_peer.get_mut(peer)
            && matches!(dial.state, State::Connected(current) if current == connection)
        {
            dial.wait();
        }
    }
}

impl Dial {
    fn wait(&mut self) {
        self.state = State::Waiting { until: Instant::now() + self.backoff.next_delay() };
    }
}

/// The multiaddress of a TCP address.
pub(crate) fn multiaddress(address: SocketAddr) -> Multiaddr {
    Multiaddr::from(address.ip()).with(multiaddr::Protocol::Tcp(address.port()))
}
