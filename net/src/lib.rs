//! The network of Quorate: moves opaque frames between known peers over libp2p. Knows no message of the protocol.
//!
//! Three kinds of endpoint: [`MemberNet`] between the replicas, [`ClientListener`] on a replica for its clients, and
//! [`ClientNet`] in a client. Each has a swarm, keys it admits and bounds of its own, so that clients cannot use up what the
//! members need.
//!
//! # The life of a connection
//!
//! 1. `dials`: replica i dials j iff i < j; a client dials every replica; again after a `backoff`.
//! 2. `transport`, `handshakes`: TCP, Noise and Yamux, in bounded time and number.
//! 3. `gate`: who is not known, or has too many connections, is refused before anything else exists.
//! 4. `streams`: both sides open one stream per [`Class`]; `hello` says what it is for and of which chain.
//! 5. `link`: one task writes or reads each stream. When all are open the link is up.
//! 6. `driver`: the only task that starts and ends links. Whatever goes wrong with a stream ends its connection, and
//!    only the connection is restored.
//!
//! # The life of a frame
//!
//! `send` → `peers` → `queue` (bounded; drops the newest) → the writer in `link` (joins what waits, flushes once) → Noise, TCP →
//! the reader in `link` (`frame` checks the length before it takes memory) → the handler's `frame`.
//!
//! # Invariants
//!
//! - Sending never blocks and nothing here retransmits: the protocol above does.
//! - Readers never stop reading, so that what Yamux buffers stays small. Handlers must therefore not block.
//! - A new connection carries nothing that was queued for an old one.
//! - Every queue, buffer, number of connections and time is bounded by [`Limits`], whatever a peer does.

mod backoff;
mod class;
mod client_side;
mod clients;
mod closing;
mod dials;
mod driver;
mod endpoint;
mod error;
mod frame;
#[doc(hidden)]
pub mod fuzzing;
mod gate;
mod handlers;
mod handshakes;
mod hello;
pub mod identity;
mod limits;
mod link;
mod members;
mod outcome;
mod peers;
mod queue;
mod quiet_log;
mod stats;
mod streams;
mod transport;

pub use class::Class;
pub use client_side::{ClientNet, ClientNetConfig};
pub use clients::{ClientListener, ClientListenerConfig};
pub use error::NetError;
pub use handlers::{ClientHandler, MemberHandler, ReplicaHandler};
pub use limits::{Limits, QueueLimits};
pub use members::{Member, MemberNet, MemberNetConfig};
pub use outcome::{DropReason, SendOutcome};
pub use stats::{ListenerStats, PeerStats, Stats};
