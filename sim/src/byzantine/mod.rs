//! Byzantine replicas, one attack a file.
//!
//! A Byzantine replica is an honest core whose outgoing messages an [`Attack`] rewrites for each recipient. All Byzantine
//! replicas of a world share one attack, so that they collude; they own real keys and nobody else's.

mod attack;
mod equivocating_primary;
mod lying_source;

pub use attack::{Attack, Puppet};
pub use equivocating_primary::EquivocatingPrimary;
pub use lying_source::LyingSource;
