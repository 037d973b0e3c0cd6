//! What happens to a committed batch: deterministic, and the owner of the application.
//!
//! | Module | What it holds |
//! | --- | --- |
//! | [`state_machine`] | [`StateMachine`]: the easy way to write an application |
//! | [`application`] | [`Application`]: what the executor drives |
//! | `state_machine_application` | [`StateMachineApplication`]: the one as the other |
//! | [`state`] | the ordered key-value state with its incremental Merkle root and proofs |
//! | `state_file` | a state as a stream of bytes |
//! | `guard` | an application's panic as a value |

pub mod application;
mod guard;
pub mod state;
mod state_file;
pub mod state_machine;
mod state_machine_application;

pub use application::{Admission, Application, ApplicationSnapshot, Operation};
pub use state_machine::{Context, Refusal, StateMachine};
pub use state_machine_application::StateMachineApplication;
