//! Bounds inbound connections that have not proven their key.
//!
//! Refusing the newest when too many are pending would let a stranger who opens connections and says nothing keep the
//! members out. Here the newest always gets its turn and an old one is cut: a member needs a few milliseconds for its
//! handshake, and a stranger would have to open `pending_max` connections within them. There is no counter that could
//! leak: a handshake is pending as long as its future lives.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{AbortHandle, Abortable, BoxFuture};
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::{Boxed, DialOpts, ListenerId, TransportError, TransportEvent};
use libp2p::core::{Multiaddr, Transport};
use libp2p::{PeerId, multiaddr};

use crate::peers::KnownAddresses;
use crate::stats::ListenerCounters;

type Connection = (PeerId, StreamMuxerBox);

/// The bounds of [`Handshakes`], and of the connections that come out of them.
pub(crate) struct HandshakeLimits {
    pub(crate) pending_max: usize,
    pub(crate) timeout: Duration,
    pub(crate) close_timeout: Duration,
    /// Handshakes from these addresses are cut last.
    pub(crate) known: KnownAddresses,
    pub(crate) counters: Arc<ListenerCounters>,
}

/// A transport of which at most `pending_max` inbound handshakes are under way.
pub(crate) struct Handshakes {
    inner: Boxed<Connection>,
    limits: HandshakeLimits,
    /// The oldest first.
    pending: VecDeque<Pending>,
}

struct Pending {
    /// Dead when the handshake is over, whatever its end.
    alive: Weak<()>,
    abort: AbortHandle,
    known: bool,
}

impl Handshakes {
    pub(crate) fn new(inner: Boxed<Connection>, limits: HandshakeLimits) -> Self {
        Handshakes { inner, limits, pending: VecDeque::new() }
    }

    /// Adds a handshake, and cuts another if there are too many.
    fn admit(
        &mut self,
        upgrade: BoxFuture<'static, io::Result<Connection>>,
        from: Option<IpAddr>,
    ) -> BoxFuture<'static, io::Result<Connection>> {
        self.pending.retain(|pending| pending.alive.strong_count() > 0);
        if self.pending.len() >= self.limits.pending_max {
            let stranger = self.pending.iter().position(|pending| !pending.known);
            if let Some(replaced) = self.pending.remove(stranger.unwrap_or(0)) {
                replaced.abort.abort();
                self.limits.counters.handshakes_replaced.add(1);
            }
        }
        let alive = Arc::new(());
        let (abort, registration) = AbortHandle::new_pair();
        let known = from.is_some_and(|ip| self.limits.known.contains(&ip));
        self.pending.push_back(Pending { alive: Arc::downgrade(&alive), abort, known });
        async move {
            let result = Abortable::new(upgrade, registration).await;
            drop(alive);
            result.unwrap_or_else(|_| Err(io::Error::other("replaced by a newer handshake")))
        }
        .boxed()
    }
}

impl Transport for Handshakes {
    type Output = Connection;
    type Error = io::Error;
    type ListenerUpgrade = BoxFuture<'static, io::Result<Connection>>;
    type Dial = <Boxed<Connection> as Transport>::Dial;

    fn listen_on(&mut self, id: ListenerId, address: Multiaddr) -> Result<(), TransportError<io::Error>> {
        self.inner.listen_on(id, address)
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.inner.remove_listener(id)
    }

    fn dial(&mut self, address: Multiaddr, options: DialOpts) -> Result<Self::Dial, TransportError<io::Error>> {
        self.inner.dial(address, options)
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<TransportEvent<Self::ListenerUpgrade, io::Error>> {
        let event = std::task::ready!(Pin::new(&mut self.inner).poll(cx));
        let from = match &event {
            TransportEvent::Incoming { send_back_addr, .. } => ip(send_back_addr),
            TransportEvent::NewAddress { .. }
            | TransportEvent::AddressExpired { .. }
            | TransportEvent::ListenerClosed { .. }
            | TransportEvent::ListenerError { .. } => None,
        };
        Poll::Ready(event.map_upgrade(|upgrade| self.admit(upgrade, from)))
    }
}

/// The IP address in a multiaddress.
fn ip(address: &Multiaddr) -> Option<IpAddr> {
    address.iter().find_map(|part| {
        if let multiaddr::Protocol::Ip4(ip) = part {
            Some(ip.into())
        } else if let multiaddr::Protocol::Ip6(ip) = part {
            Some(ip.into())
        } else {
            None
        }
    })
}

#[cfg(test)]
mod tests {
    use futures::future::pending;

    use super::*;

    fn handshakes(pending_max: usize) -> Handshakes {
        let limits = HandshakeLimits {
            pending_max,
            timeout: Duration::MAX,
            close_timeout: Duration::MAX,
            known: KnownAddresses::from([[10, 0, 0, 1].into()]),
            counters: Arc::default(),
        };
        Handshakes::new(libp2p::core::transport::dummy::DummyTransport::new().boxed(), limits)
    }

    #[test]
    fn handshakes_that_never_complete_make_room_for_the_newest_and_members_are_cut_last() {
        let mut handshakes = handshakes(2);
        let member = handshakes.admit(pending().boxed(), Some([10, 0, 0, 1].into()));
        let stranger = handshakes.admit(pending().boxed(), Some([10, 0, 0, 2].into()));
        let newest = handshakes.admit(pending().boxed(), Some([10, 0, 0, 3].into()));
        assert!(stranger.now_or_never().is_some_and(|result| result.is_err()));
        assert!(member.now_or_never().is_none());
        assert!(newest.now_or_never().is_none());
    }

    #[test]
    fn a_counter_of_pending_handshakes_does_not_leak_on_failed_or_dropped_ones() {
        let mut handshakes = handshakes(2);
        for _ in 0..100 {
            let failed = handshakes.admit(async { Err(io::Error::other("garbage")) }.boxed(), None);
            assert!(failed.now_or_never().is_some());
            drop(handshakes.admit(pending().boxed(), None));
        }
        assert_eq!(handshakes.limits.counters.handshakes_replaced.get(), 0);
    }
}
