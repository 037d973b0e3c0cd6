//! A deterministic simulator of whole Quorate clusters.
//!
//! A [`World`](world::World) is one thread and virtual time. The same verification, core, executor and fold of the
//! journal run in it as in production; network, disks, clocks, clients and everything that fails are drawn from one
//! seed. The same seed gives the same run, event by event. [`checkers`] outside the replicas decide whether what happened
//! was allowed.
//!
//! | Module | What it holds |
//! | --- | --- |
//! | [`choices`] | the one source of everything that is drawn: a seed, a recorded schedule, or bytes |
//! | [`options`] | what differs from seed to seed |
//! | [`world`] | replicas, clients, disks and network |
//! | [`byzantine`] | replicas that lie, one attack a file |
//! | [`twins`] | Byzantine behaviour made of two honest cores with one key; the canary |
//! | [`checkers`] | what must hold |
//! | [`counters`] | how often the interesting things happened |
//! | [`campaign`] | many seeds in several threads |
//! | [`chart`] | what happened in a world, drawn for people |
//! | [`fuzzing`] | what fuzzers call |
//! | `mutants` | broken engines, which the checkers must notice; with the feature of that name |
//! | [`shrink`] | a failing world made small |
//! | [`disk`], [`panics`], [`tally`], [`signatures`], [`transcript`], [`violation`] | the smaller parts |

pub mod byzantine;
pub mod campaign;
pub mod chart;
pub mod checkers;
pub mod choices;
pub mod counters;
pub mod disk;
pub mod fuzzing;
#[cfg(feature = "mutants")]
pub mod mutants;
pub mod options;
pub mod panics;
pub mod shrink;
pub mod signatures;
pub mod tally;
pub mod transcript;
pub mod twins;
pub mod violation;
pub mod world;
