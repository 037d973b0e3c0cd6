//! Clients against committees that the tests speak for: no sockets, no waiting.

mod handle;
mod proofs;
mod session;
mod world;
