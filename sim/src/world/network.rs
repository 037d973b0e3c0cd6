//! The network: how long a message takes, whether it arrives, and who cannot reach whom.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use quorate::ReplicaId;

use crate::choices::Choices;
use crate::options::NetworkOptions;

/// Who cannot reach whom.
#[derive(Clone, Debug)]
pub(super) struct Cut {
    pub number: u64,
    pub shape: CutShape,
    pub side: BTreeSet<ReplicaId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CutShape {
    /// Nothing passes between the side and the rest.
    Split,
    /// Nothing leaves the side.
    Mute,
    /// Nothing reaches the side.
    Deaf,
}

impl Cut {
    pub(super) fn blocks(&self, from: ReplicaId, to: ReplicaId) -> bool {
        let (is_from, is_to) = (self.side.contains(&from), self.side.contains(&to));
        match self.shape {
            CutShape::Split => is_from != is_to,
            CutShape::Mute => is_from && !is_to,
            CutShape::Deaf => !is_from && is_to,
        }
    }
}

/// The channels between members, and between members and clients.
#[derive(Debug)]
pub(super) struct Network {
    options: NetworkOptions,
    calm_at: u64,
    cuts: BTreeMap<u64, Cut>,
    /// When the last message of each channel arrives, where channels keep their order.
    last: BTreeMap<(ReplicaId, ReplicaId), u64>,
}

impl Network {
    pub(super) fn new(options: NetworkOptions, calm_at: u64) -> Self {
        Network { options, calm_at, cuts: BTreeMap::new(), last: BTreeMap::new() }
    }

    pub(super) fn cut(&mut self, cut: Cut) {
        self.cuts.insert(cut.number, cut);
    }

    pub(super) fn heal(&mut self, number: u64) -> Option<Cut> {
        self.cuts.remove(&number)
    }

    pub(super) fn heal_all(&mut self) -> Vec<Cut> {
        std::mem::take(&mut self.cuts).into_values().collect()
    }

    pub(super) fn is_blocked(&self, from: ReplicaId, to: ReplicaId) -> bool {
        self.cuts.values().any(|cut| cut.blocks(from, to))
    }

    /// When a message between members arrives: never, once, or twice.
    pub(super) fn between_members(
        &mut self,
        choices: &mut Choices,
        now: u64,
        (from, to): (ReplicaId, ReplicaId),
    ) -> Vec<u64> {
        if self.is_blocked(from, to) {
            return Vec::new();
        }
        let mut arrivals = self.arrivals(choices, now);
        if self.options.keeps_order {
            let last = self.last.entry((from, to)).or_default();
            for at in &mut arrivals {
                *last = (*last).max(*at);
                *at = *last;
            }
        }
        arrivals
    }

    /// When a message between a client and a member arrives.
    pub(super) fn arrivals(&self, choices: &mut Choices, now: u64) -> Vec<u64> {
        let is_calm = now >= self.calm_at;
        if !is_calm && choices.chance(self.options.loss) {
            return Vec::new();
        }
        let copies = if choices.chance(self.options.duplication) { 2 } else { 1 };
        let mut arrival = || {
            let at = now + self.delay(choices, is_calm);
            // What was on its way when the network calmed down arrives soon.
            if is_calm { at } else { at.min(self.calm_at.max(now) + nanoseconds(self.options.delay.1)) }
        };
        (0..copies).map(|_| arrival()).collect()
    }

    fn delay(&self, choices: &mut Choices, is_calm: bool) -> u64 {
        let (shortest, longest) = (nanoseconds(self.options.delay.0), nanoseconds(self.options.delay.1));
        if !is_calm && choices.chance(self.options.straggling) {
            return choices.between(longest, longest * 20);
        }
        choices.between(shortest, longest)
    }
}

pub(super) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
