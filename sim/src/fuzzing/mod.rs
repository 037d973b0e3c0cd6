//! What fuzzers call: each function takes bytes from anywhere, and panics when something is wrong with us.
//!
//! The targets under `fuzz/` are these functions and nothing else. `sim/tests/fuzz_entries.rs` calls them with the
//! checked-in inputs under `fuzz/corpus/` and with random ones, so that no other compiler is needed to run them.
//!
//! | Module | What it feeds |
//! | --- | --- |
//! | `decoders` | messages, receipts, records: an error or the one value with that encoding; then their judgement |
//! | `nodes` | nodes and proofs of states |
//! | `ledger` | operations of the ledger |
//! | `keys` | signatures and hexadecimal digits |
//! | `homes` | files of a home |
//! | `pages` | the file of snapshots |
//! | `steps` | one replica, with everything that can happen to it |
//! | `worlds` | a whole world |
//! | `targets` | the list of all of them, with the inputs that fuzzing begins with |
//! | `cast`, `samples`, `edits` | a network, valid values, damage |

mod cast;
mod decoders;
mod edits;
mod homes;
mod keys;
mod ledger;
mod nodes;
mod pages;
mod samples;
mod steps;
mod targets;
mod worlds;

pub use decoders::{client_message, message, receipt, record, replica_message};
pub use homes::{damaged_home, home_file};
pub use keys::{hex, signature};
pub use ledger::{ledger_bytes, ledger_operations};
pub use nodes::{state_nodes, state_proof};
pub use pages::{page_file, page_store};
pub use steps::replica_step;
pub use targets::{Seed, TARGETS, Target};
pub use worlds::world;
