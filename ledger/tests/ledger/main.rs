//! The ledger on a state of its own, as a replica's executor drives it.

mod bytes;
mod conservation;
mod opening;
mod payments;
mod rules;
mod world;
