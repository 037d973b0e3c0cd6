//! Byzantine clients, one attack a file. Each owns a key that the genesis lists, and nobody else's.

mod bad_signatures;
mod client_attack;
mod flood;
mod odd_numbers;
mod repeats;
mod rogue;
mod two_operations;

pub use client_attack::{ClientAttack, ClientScene, Sent};
pub use rogue::{Rogue, RogueBehaviour};
