//! Who lies.

use std::collections::BTreeMap;
use std::time::Duration;

use quorate::ReplicaId;
use serde::{Deserialize, Serialize};

use super::options::Options;
use crate::byzantine::{AttackPlan, Behaviour, Trigger};
use crate::choices::Choices;

/// What the liars do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LyingOptions {
    /// What each of them does; one that is not listed equivocates as a primary and lies as a source of states, at the
    /// rates of the faults.
    pub attacks: BTreeMap<ReplicaId, Vec<AttackPlan>>,
    /// The time between two occasions on which they speak by themselves.
    pub pause: Duration,
}

impl Options {
    /// What a Byzantine replica does.
    #[must_use]
    pub fn attacks_of(&self, id: ReplicaId) -> Vec<AttackPlan> {
        let plan = |behaviour, rate| AttackPlan { behaviour, trigger: Trigger::Probability(rate) };
        let usual = || {
            vec![
                plan(Behaviour::Equivocate { ways: 2 }, self.faults.equivocation),
                plan(Behaviour::LyingSource, self.faults.lies),
            ]
        };
        self.lying.attacks.get(&id).cloned().unwrap_or_else(usual)
    }
}

pub(super) fn draw_byzantine(choices: &mut Choices, members: u16) -> Vec<ReplicaId> {
    let most = usize::from((members - 1) / 3);
    let count = if choices.chance(550) { most } else { 0 };
    let all: Vec<_> = (0..members).map(ReplicaId).collect();
    if count > 0 && choices.chance(500) {
        // The first primary leads longest.
        let mut chosen = vec![ReplicaId(0)];
        chosen.extend(choices.subset(&all[1..], count - 1));
        return chosen;
    }
    choices.subset(&all, count)
}

pub(super) fn draw_lying(choices: &mut Choices) -> LyingOptions {
    LyingOptions { attacks: BTreeMap::new(), pause: Duration::from_millis(choices.pick(&[10, 50, 200])) }
}
