//! Byzantine replicas, one attack a file.
//!
//! A Byzantine replica is an honest core with [`Attack`]s around it: they see first what comes in, change what goes out
//! for each recipient, and speak by themselves. Each has a [`Trigger`] that says when. All [`Liar`]s of a world share
//! a [`Board`], so that they collude; each owns its real key and nobody else's.
//!
//! Nothing here knows the world: the same behaviours run in a real process.

mod attack;
mod behaviour;
mod board;
mod equivocating_primary;
mod liar;
mod lying_source;
mod puppet;
mod scene;
mod trigger;

pub use attack::{Attack, Heard, Parcel, Worth};
pub use behaviour::{AttackPlan, Behaviour};
pub use board::{Board, Fork, Side};
pub use liar::Liar;
pub use puppet::Puppet;
pub use scene::{Scene, Stage};
pub use trigger::{Place, Trigger};
