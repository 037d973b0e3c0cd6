//! Counters, and what they looked like at one moment.

use std::sync::atomic::{AtomicU64, Ordering};

/// What passed between this endpoint and one peer since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeerStats {
    /// Links that can be used now.
    pub links: u64,
    /// Links that were usable and broke.
    pub links_broken: u64,
    /// Frames handed to the connection.
    pub frames_sent: u64,
    /// Their payload in bytes.
    pub bytes_sent: u64,
    /// Flushes: `frames_sent / flushes` frames went out together.
    pub flushes: u64,
    /// Frames received.
    pub frames_received: u64,
    /// Their payload in bytes.
    pub bytes_received: u64,
    /// Frames dropped because the link was down.
    pub dropped_link_down: u64,
    /// Frames dropped because a queue was full.
    pub dropped_queue_full: u64,
    /// Frames dropped because of their length.
    pub dropped_length: u64,
}

/// What a listener turned away since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListenerStats {
    /// Connections refused right after the Noise handshake: unknown keys, and known ones with too many connections.
    pub refused: u64,
    /// Connections that ended before the Noise handshake was complete, replaced ones included.
    pub handshakes_failed: u64,
    /// Handshakes cut because too many were pending.
    pub handshakes_replaced: u64,
    /// Connections closed because the peer broke a rule after the Noise handshake.
    pub violations: u64,
}

/// All counters of an endpoint whose peers are named by `P`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats<P> {
    /// By peer.
    pub peers: Vec<(P, PeerStats)>,
    /// Of the listener.
    pub listener: ListenerStats,
}

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, amount: usize) {
        self.0.fetch_add(amount as u64, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug, Default)]
pub(crate) struct PeerCounters {
    pub(crate) links_broken: Counter,
    pub(crate) frames_sent: Counter,
    pub(crate) bytes_sent: Counter,
    pub(crate) flushes: Counter,
    pub(crate) frames_received: Counter,
    pub(crate) bytes_received: Counter,
    pub(crate) dropped_link_down: Counter,
    pub(crate) dropped_queue_full: Counter,
    pub(crate) dropped_length: Counter,
}

impl PeerCounters {
    pub(crate) fn snapshot(&self, links: usize) -> PeerStats {
        PeerStats {
            links: links as u64,
            links_broken: self.links_broken.get(),
            frames_sent: self.frames_sent.get(),
            bytes_sent: self.bytes_sent.get(),
            flushes: self.flushes.get(),
            frames_received: self.frames_received.get(),
            bytes_received: self.bytes_received.get(),
            dropped_link_down: self.dropped_link_down.get(),
            dropped_queue_full: self.dropped_queue_full.get(),
            dropped_length: self.dropped_length.get(),
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct ListenerCounters {
    pub(crate) refused: Counter,
    pub(crate) handshakes_failed: Counter,
    pub(crate) handshakes_replaced: Counter,
    pub(crate) violations: Counter,
}

impl ListenerCounters {
    pub(crate) fn snapshot(&self) -> ListenerStats {
        ListenerStats {
            refused: self.refused.get(),
            handshakes_failed: self.handshakes_failed.get(),
            handshakes_replaced: self.handshakes_replaced.get(),
            violations: self.violations.get(),
        }
    }
}
