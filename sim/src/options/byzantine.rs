//! Who lies.

use std::collections::BTreeMap;
use std::time::Duration;

use quorate::ReplicaId;
use serde::{Deserialize, Serialize};

use super::options::Options;
use crate::byzantine::{AttackPlan, Audience, Behaviour, Subject, Trigger};
use crate::choices::Choices;

/// Per mille of worlds in which all liars do the same.
const COLLUDING: u64 = 500;

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

pub(super) fn draw_lying(choices: &mut Choices, byzantine: &[ReplicaId]) -> LyingOptions {
    let pause = Duration::from_millis(choices.pick(&[20, 50, 200]));
    let attacks = if choices.chance(COLLUDING) {
        let plans = draw_plans(choices);
        byzantine.iter().map(|id| (*id, plans.clone())).collect()
    } else {
        byzantine.iter().map(|id| (*id, draw_plans(choices))).collect()
    };
    LyingOptions { attacks, pause }
}

fn draw_plans(choices: &mut Choices) -> Vec<AttackPlan> {
    let count = choices.pick(&[1, 1, 2, 3]);
    let mut plans: Vec<_> = (0..count).map(|_| draw_plan(choices)).collect();
    // What matters together is also drawn together, and whoever lies in other ways often serves wrong states, too.
    if choices.chance(300) {
        let plan = |behaviour, trigger| AttackPlan { behaviour, trigger };
        plans.push(plan(Behaviour::StaleViewChange(Audience::Some), Trigger::Always));
        plans.push(plan(Behaviour::MisleadingNewView, Trigger::Always));
        // What is prepared at some only is what a NewView can hide.
        plans.push(plan(Behaviour::ConflictingVotes, Trigger::Probability(300)));
    }
    if choices.chance(700) {
        let trigger = Trigger::Probability(choices.pick(&[300, 1000]));
        plans.push(AttackPlan { behaviour: Behaviour::LyingSource, trigger });
    }
    plans
}

fn draw_plan(choices: &mut Choices) -> AttackPlan {
    let audience = choices.pick(&[Audience::All, Audience::Some]);
    let subject = choices.pick(&Subject::ALL);
    let client = usize::try_from(choices.below(8)).unwrap_or(0);
    let ways = choices.pick(&[2, 2, 3, 8]);
    let behaviour = choices.pick(&[
        Behaviour::Equivocate { ways },
        Behaviour::Equivocate { ways },
        Behaviour::Equivocate { ways },
        Behaviour::MisleadingNewView,
        Behaviour::MisleadingNewView,
        Behaviour::ConflictingVotes,
        Behaviour::Silence(subject, audience),
        Behaviour::Censor { client },
        Behaviour::Slow,
        Behaviour::WrongCheckpoint(audience),
        Behaviour::StaleViewChange(audience),
        Behaviour::ForgedViewChange,
        Behaviour::Replays,
        Behaviour::ForeignSignatures,
        Behaviour::LyingAnswers,
        Behaviour::LyingStatus,
        Behaviour::LyingReplies,
        Behaviour::Flood,
        Behaviour::Amnesia,
        Behaviour::MutatedStatements,
        Behaviour::MutatedCertificates,
    ]);
    AttackPlan { behaviour, trigger: draw_trigger(choices) }
}

fn draw_trigger(choices: &mut Choices) -> Trigger {
    let first = choices.below(6);
    let views = first..=first + choices.below(4);
    let first = choices.below(40);
    let seqs = first..=first + choices.below(30);
    match choices.below(8) {
        0..=2 => Trigger::Always,
        3 => Trigger::InView(views),
        4 => Trigger::AtSeqs(seqs),
        _ => Trigger::Probability(choices.pick(&[20, 100, 300, 700])),
    }
}
