//! What a home holds and what a start would make of it, without touching it; and a repair that an operator has seen
//! before it happens.
//!
//! An inspection runs the very code of a start on a [trial disk](trial_disk), which keeps every change in memory. So it
//! cannot judge otherwise than a start does.

mod inspection;
mod repair;
mod trial_disk;
mod trial_file;

pub use inspection::{Condition, Inspection, Outlook, Owner, Part};
pub use repair::{RepairPlan, Step};
