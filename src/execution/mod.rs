//! What happens to a committed batch: deterministic, and the owner of the application.
//!
//! | Module | What it holds |
//! | --- | --- |
//! | [`executor`] | [`Executor`]: applies batches in order, each operation at most once |
//! | `client_table` | which requests are executed, and their results |
//! | `chain` | the hash chain over the history |
//! | `replies` | what the clients get |
//! | `attestations` | which batches can be attested, and by whom |
//! | [`receipt`] | [`Receipt`]: what a client can show to a third party |
//! | `checkpoints` | the states that wait for a certificate, and the certified one |
//! | `replicated_state` | [`ReplicatedState`]: what replicas agree on after a slot |
//! | `snapshot` | [`Snapshot`]: the same with the application that answers questions about it |
//! | [`application`] | [`Application`]: what the executor drives |
//! | [`state_machine`] | [`StateMachine`]: the easy way to write an application |
//! | `state_machine_application` | [`StateMachineApplication`]: the one as the other |
//! | [`state`] | the ordered key-value state with its incremental Merkle root and proofs |
//! | [`state_fetch`] | [`StateFetch`](state_fetch::StateFetch): a whole state, node by node from the others |
//! | [`state_server`] | [`StateServer`]: the other end of it |

pub mod application;
mod attestations;
mod chain;
mod checkpoints;
mod client_table;
pub mod executor;
pub mod receipt;
mod replicated_state;
mod replies;
mod snapshot;
pub mod state;
pub mod state_fetch;
pub mod state_machine;
mod state_machine_application;
pub mod state_server;
#[cfg(test)]
mod tests;

pub use application::{Admission, Application, ApplicationSnapshot, Operation};
pub use attestations::Signer;
pub use chain::{Link, genesis_chain};
pub use checkpoints::Stability;
pub use executor::{Applied, Executor, Replies};
pub use receipt::{InvalidReceipt, Receipt, ReceiptBuilder};
pub use replicated_state::{InstallError, Position, ReplicatedState};
pub use snapshot::Snapshot;
pub use state_machine::{Context, Refusal, StateMachine};
pub use state_machine_application::StateMachineApplication;
pub use state_server::{ServingRate, StateServer};
