//! What the tests share: a committee with real keys that signs whatever a test needs, one replica, a cluster of them, and
//! their outputs as short lines.

mod checks;
mod cluster;
mod executor;
mod journal;
mod outputs;
mod samples;
mod solo;
mod world;

pub(crate) use cluster::{Cluster, Envelope, Fate};
pub(crate) use journal::recovered;
pub(crate) use outputs::{evidence, outputs, rejection};
pub(crate) use samples::{client_messages, messages, records, replica_messages, sparse_messages};
pub(crate) use solo::Solo;
pub(crate) use world::{K, L, SESSION, START, World, at, client_key, digest, member_key};
