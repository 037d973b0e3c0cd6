//! What becomes of a message: never, once or twice, and when.

use std::collections::BTreeMap;
use std::time::Duration;

use quorate::ReplicaId;

use super::clog::Clog;
use super::cut::Cut;
use super::filter::Filter;
use crate::choices::Choices;
use crate::counters::{Counter, Counters};
use crate::options::NetworkOptions;

/// A message that a member sends to another now.
#[derive(Clone, Copy, Debug)]
pub(in crate::world) struct Passage {
    pub from: ReplicaId,
    pub to: ReplicaId,
    pub kind: &'static str,
    pub now: u64,
}

/// The channels between members, and between members and clients.
#[derive(Debug)]
pub(in crate::world) struct Network {
    options: NetworkOptions,
    calm_at: u64,
    cuts: BTreeMap<u64, Cut>,
    clogs: Vec<Clog>,
    filters: Vec<Filter>,
    /// When the last message of each channel arrives.
    last: BTreeMap<(ReplicaId, ReplicaId), u64>,
}

impl Network {
    pub(in crate::world) fn new(options: NetworkOptions, calm_at: u64) -> Self {
        let (cuts, last) = (BTreeMap::new(), BTreeMap::new());
        Network { options, calm_at, cuts, clogs: Vec::new(), filters: Vec::new(), last }
    }

    pub(in crate::world) fn cut(&mut self, cut: Cut) {
        self.cuts.insert(cut.number, cut);
    }

    pub(in crate::world) fn heal(&mut self, number: u64) -> Option<Cut> {
        self.cuts.remove(&number)
    }

    /// Everything that disturbs the network ends.
    pub(in crate::world) fn heal_all(&mut self) -> Vec<Cut> {
        self.clogs.clear();
        self.filters.clear();
        std::mem::take(&mut self.cuts).into_values().collect()
    }

    pub(in crate::world) fn clog(&mut self, clog: Clog, now: u64) {
        self.clogs.retain(|clog| now < clog.until);
        self.clogs.push(clog);
    }

    pub(in crate::world) fn filter(&mut self, filter: Filter, now: u64) {
        self.filters.retain(|filter| now < filter.until);
        self.filters.push(filter);
    }

    pub(in crate::world) fn is_blocked(&self, from: ReplicaId, to: ReplicaId) -> bool {
        self.cuts.values().any(|cut| cut.blocks(from, to))
    }

    /// When a message between members arrives: never, once, or twice.
    pub(in crate::world) fn between_members(
        &mut self,
        passage: &Passage,
        choices: &mut Choices,
        counters: &mut Counters,
    ) -> Vec<u64> {
        let Passage { from, to, now, .. } = *passage;
        if self.is_blocked(from, to) {
            return Vec::new();
        }
        if self.filters.iter().any(|filter| filter.drops(passage)) {
            counters.add(Counter::FilteredMessages);
            return Vec::new();
        }
        let mut arrivals = self.arrivals(now, choices, counters);
        if let Some(until) = self.clogs.iter().filter(|clog| clog.holds(from, to, now)).map(|clog| clog.until).max() {
            counters.add(Counter::CloggedMessages);
            arrivals.iter_mut().for_each(|at| *at = until.max(*at));
        }
        let last = self.last.entry((from, to)).or_default();
        for at in &mut arrivals {
            if self.options.keeps_order {
                *at = (*at).max(*last);
            } else if *at < *last {
                counters.add(Counter::OvertakingMessages);
            }
            *last = (*last).max(*at);
        }
        arrivals
    }

    /// When a message between a client and a member arrives.
    pub(in crate::world) fn arrivals(&self, now: u64, choices: &mut Choices, counters: &mut Counters) -> Vec<u64> {
        let is_calm = now >= self.calm_at;
        if !is_calm && choices.chance(self.options.loss) {
            counters.add(Counter::LostMessages);
            return Vec::new();
        }
        let copies = if choices.chance(self.options.duplication) { 2 } else { 1 };
        counters.add_many(Counter::DoubledMessages, copies - 1);
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

pub(in crate::world) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
