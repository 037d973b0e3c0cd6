//! Replicas that lie: the behaviours of the simulator around the transport of a real process.
//!
//! What lies is built with the feature `byzantine` only. The node itself knows nothing of it.

mod lie;
#[cfg(feature = "byzantine")]
mod lying;
#[cfg(feature = "byzantine")]
mod post_office;

pub use lie::{BehaviourName, Liars, Lie};
#[cfg(feature = "byzantine")]
pub(crate) use lying::wire;
