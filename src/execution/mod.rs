//! What happens to a committed batch: deterministic, and the owner of the application.
//!
//! | Module | What it holds |
//! | --- | --- |
//! | [`state`] | the ordered key-value state with its incremental Merkle root and proofs |

pub mod state;
