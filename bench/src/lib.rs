//! What the benchmarks under `benches/` share. `cargo bench -p quorate-bench` runs them all, `--bench state` one of them.
//!
//! | Module | What it holds |
//! | --- | --- |
//! | [`network`] | a network of four with keys, and statements of its members |
//! | [`cluster`] | its four replicas in memory: agreement without network, disk, signatures and application |
//! | [`scratch`] | a journal in a temporary folder that never grows large |
//! | [`states`] | large states |
//! | [`mode`] | whether this run measures anything |

pub mod cluster;
pub mod mode;
pub mod network;
pub mod scratch;
pub mod states;
