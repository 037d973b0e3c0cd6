//! A Quorate node that one can run: the engine, its transport, the ledger and HTTP, in one process.
//!
//! | Module | What it holds |
//! | --- | --- |
//! | [`home`] | what a replica and a client find in their folders |
//! | [`network`] | making a network: genesis and homes |
//! | [`node`] | [`Node`]: a replica with its networks and HTTP, as a value |
//! | [`mod@run`] | a node as a process: from its home to its exit code |
//! | [`http`] | `/status`, `/metrics`, `/ledger/…` |
//! | [`served_ledger`] | the ledger, and what can be read from one replica's state of it |
//! | [`ledger_client`] | [`LedgerClient`]: the ledger over the network |
//! | [`transfers_file`] | transfers from a CSV file |
//! | [`cli`] | the command line of `quorate` |
//! | [`exit`], [`logging`] | exit codes; logs |
//! | [`wiring`] | what stands between engine and networks, in tests |
//! | `transport`, `ports`, `parent` | between engine and networks; free ports; ending with the parent process |
//!
//! Invariant: nothing in this crate decides what is agreed on. It wires parts together and shows what they say.

pub mod cli;
pub mod exit;
#[doc(hidden)]
pub mod fuzzing;
pub mod home;
pub mod http;
pub mod ledger_client;
pub mod logging;
pub mod network;
pub mod node;
mod parent;
mod ports;
pub mod run;
pub mod served_ledger;
pub mod transfers_file;
mod transport;
pub mod wiring;

pub use exit::Exit;
pub use home::{ClientHome, HomeError, NodeHome};
pub use ledger_client::{LedgerClient, LedgerError};
pub use network::{Network, NetworkPlan, Ports};
pub use node::{Node, NodeError};
pub use run::run;
