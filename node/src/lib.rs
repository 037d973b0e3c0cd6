//! A Quorate node that one can run: the engine, its transport, the ledger and HTTP, in one process.
//!
//! | Module | What it holds |
//! | --- | --- |
//! | [`home`] | what a replica and a client find in their folders |
//! | [`network`] | making a network: genesis and homes |
//! | [`ledger_client`] | [`LedgerClient`]: the ledger over the network |
//! | [`transfers_file`] | transfers from a CSV file |
//! | [`exit`] | exit codes |

pub mod exit;
pub mod home;
pub mod ledger_client;
pub mod network;
mod ports;
pub mod transfers_file;

pub use exit::Exit;
pub use home::{ClientHome, HomeError, NodeHome};
pub use ledger_client::{LedgerClient, LedgerError};
pub use network::{Network, NetworkPlan, Ports};
