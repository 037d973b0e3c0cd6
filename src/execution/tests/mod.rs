//! The executor as a whole, on a toy key-value store.

mod checkpoints;
mod formulas;
mod once;
mod outcomes;
mod receipts;
mod restart;
mod transfer;
mod world;
