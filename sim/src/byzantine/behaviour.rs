//! What a Byzantine replica can be told to do.

use serde::{Deserialize, Serialize};

use super::attack::Attack;
use super::equivocating_primary::EquivocatingPrimary;
use super::lying_source::LyingSource;
use super::trigger::Trigger;

/// One thing that a Byzantine replica does, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttackPlan {
    /// What.
    pub behaviour: Behaviour,
    /// When.
    pub trigger: Trigger,
}

/// What a Byzantine replica can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Behaviour {
    /// Assigns up to so many batches to one slot of its view.
    Equivocate {
        /// At least two.
        ways: u64,
    },
    /// Serves wrong states.
    LyingSource,
}

impl Behaviour {
    /// The attack.
    #[must_use]
    pub fn build(self) -> Box<dyn Attack> {
        match self {
            Behaviour::Equivocate { ways } => Box::new(EquivocatingPrimary::new(ways)),
            Behaviour::LyingSource => Box::new(LyingSource),
        }
    }
}
