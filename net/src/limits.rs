//! Every bound of the transport, by name.

use std::time::Duration;

use crate::class::Class;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// The bound of one queue of outgoing frames. When either is reached the newest frame is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueLimits {
    /// How many frames may wait.
    pub frames_max: usize,
    /// How many bytes of payload may wait.
    pub bytes_max: usize,
}

/// The bounds of one endpoint: the members' network, the listener for clients, or a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest payload of a frame, in both directions. A longer one that is announced ends the connection.
    pub frame_bytes_max: usize,
    /// The queue of votes to one peer.
    pub vote_queue: QueueLimits,
    /// The queue of bulk frames to one peer; with clients, to one connection.
    pub bulk_queue: QueueLimits,
    /// A writer joins small frames up to this many bytes before it flushes.
    pub coalesce_bytes_max: usize,
    /// Established connections of all peers together.
    pub connections_max: usize,
    /// Connections of one peer that are in use. A further one replaces the oldest.
    pub connections_per_peer: usize,
    /// Inbound connections whose handshake is not complete. A further one replaces the oldest that does not come from
    /// the address of a known peer, or else the oldest.
    pub pending_handshakes_max: usize,
    /// The time for TCP, Noise and Yamux together, and again for opening the streams after them.
    pub handshake_timeout: Duration,
    /// The time for an orderly close, after which a connection is cut.
    pub close_timeout: Duration,
    /// A connection on which nothing was sent for this time carries an empty frame.
    pub keep_alive_interval: Duration,
    /// A connection on which nothing was received for this time is closed. At least twice the other side's
    /// `keep_alive_interval`.
    pub silence_max: Duration,
    /// The time before the first attempt to restore a connection. It doubles with every attempt that fails.
    pub reconnect_delay_min: Duration,
    /// The longest time between two attempts.
    pub reconnect_delay_max: Duration,
}

impl Limits {
    /// The bounds between members.
    #[must_use]
    pub const fn members() -> Self {
        Limits {
            frame_bytes_max: 2 * MIB,
            vote_queue: QueueLimits { frames_max: 16_384, bytes_max: 8 * MIB },
            bulk_queue: QueueLimits { frames_max: 16_384, bytes_max: 32 * MIB },
            coalesce_bytes_max: 64 * KIB,
            connections_max: 256,
            connections_per_peer: 1,
            pending_handshakes_max: 64,
            handshake_timeout: Duration::from_secs(3),
            close_timeout: Duration::from_secs(1),
            keep_alive_interval: Duration::from_secs(1),
            silence_max: Duration::from_secs(10),
            reconnect_delay_min: Duration::from_millis(50),
            reconnect_delay_max: Duration::from_secs(1),
        }
    }

    /// The bounds between clients and replicas, on both sides.
    #[must_use]
    pub const fn clients() -> Self {
        Limits {
            bulk_queue: QueueLimits { frames_max: 4_096, bytes_max: 4 * MIB },
            connections_max: 1_024,
            connections_per_peer: 4,
            keep_alive_interval: Duration::from_secs(5),
            silence_max: Duration::from_secs(30),
            ..Limits::members()
        }
    }

    pub(crate) const fn queue(&self, class: Class) -> QueueLimits {
        match class {
            Class::Vote => self.vote_queue,
            Class::Bulk => self.bulk_queue,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits::members()
    }
}
