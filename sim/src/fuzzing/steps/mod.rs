//! One replica against a choice of everything: valid messages of all others in any order, about any view, slot and batch,
//! with real signatures, as if all of them lied together; requests, broken connections, full disks, time, restarts.
//!
//! More than f liars can make replicas disagree. They cannot make one contradict itself, break an invariant of its own,
//! or panic.
//!
//! | Module | What it holds |
//! | --- | --- |
//! | `replica_step` | the choice of what happens next |
//! | `stage` | the replica with its journal and executor, and what must hold of it |
//! | `lines` | what the others say |

mod lines;
mod replica_step;
mod stage;

pub use replica_step::replica_step;
