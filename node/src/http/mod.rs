//! HTTP, for people and their tools: how the replica is, what it counts, and what its ledger holds. Without any
//! authentication, so it listens on loopback unless the settings say otherwise; nothing can be changed over it.
//!
//! | Path | Answer |
//! | --- | --- |
//! | `/status` | JSON: role, view, watermarks, who is missing, why it does not vote |
//! | `/metrics` | OpenMetrics text |
//! | `/ledger/summary` | JSON: how many accounts and transfers, their sums |
//! | `/ledger/accounts?prefix=&after=&limit=` | JSON: a page of accounts |
//! | `/ledger/accounts/{name}` | JSON: one account |
//!
//! What `/ledger` says is this replica's word alone: unproven, and as old as the slot it names. `quorate balance` asks
//! the network.

mod error;
mod ledger;
mod metrics;
mod routes;
mod server;
mod status;

pub(crate) use routes::Served;
pub(crate) use server::HttpServer;
pub use status::Status;
