//! How the network is disturbed until it calms down: partitions that may come and go, clogs, filters, and an adversary who
//! holds back what completes a quorum.

use std::collections::BTreeSet;
use std::time::Duration;

use quorate::ReplicaId;
use quorate::core::{Notice, ViewChangeCause};

use super::network::{Clog, Cut, CutShape, FILTERED_KINDS, Filter, FilterSide, Hold, Released, Target, nanoseconds};
use super::queue::Event;
use super::world::World;
use crate::counters::Counter;

/// How often a flapping partition comes at most.
const FLAPS_MAX: u64 = 8;
/// What was held back arrives this long after its receiver has given up, at most.
const JUST_AFTER: Duration = Duration::from_millis(1);

impl World {
    /// Draws when the network is disturbed, and how.
    pub(super) fn plan_disturbances(&mut self) {
        for number in 0..self.options.faults.partitions {
            self.plan_cut(number);
        }
        for _ in 0..self.options.faults.clogs {
            let (at, until) = self.draw_period();
            let (from, to) = (self.draw_side(), self.draw_side());
            self.at(at, Event::Clog(Clog { from, to, until }));
        }
        for _ in 0..self.options.faults.filters {
            let (at, until) = self.draw_period();
            let side = self.choices.pick(&[FilterSide::Sending, FilterSide::Receiving]);
            let (kind, members) = (self.choices.pick(&FILTERED_KINDS), self.draw_side());
            self.at(at, Event::Filter(Filter { kind, side, members, until }));
        }
        for _ in 0..self.options.faults.holds {
            self.plan_hold();
        }
    }

    /// A partition of some shape. One in four comes and goes.
    fn plan_cut(&mut self, number: u64) {
        let shape = self.draw_shape();
        let (at, length) = (self.draw_moment(), self.draw((Duration::ZERO, self.options.faults.outage)));
        let is_flapping = self.choices.chance(250);
        let times = if is_flapping { self.choices.between(2, FLAPS_MAX) } else { 1 };
        self.counters.add_many(Counter::FlappingCuts, u64::from(is_flapping));
        let mut begins = at;
        for _ in 0..times {
            self.after(begins, Event::Cut(Cut { number, shape: shape.clone() }));
            self.after(begins + length, Event::Heal { cut: number });
            begins += length + self.draw((Duration::ZERO, length));
            if begins >= self.options.calm_at {
                break;
            }
        }
    }

    fn draw_shape(&mut self) -> CutShape {
        let drawn = self.choices.below(6);
        match drawn {
            0 | 1 => CutShape::Split(self.draw_side()),
            2 => CutShape::Mute(self.draw_side()),
            3 => CutShape::Deaf(self.draw_side()),
            4 => {
                let bridge = self.choices.pick(&self.ids());
                let others: Vec<_> = self.ids().into_iter().filter(|id| *id != bridge).collect();
                CutShape::Bridge { side: self.choices.subset(&others, others.len() / 2).into_iter().collect(), bridge }
            }
            _ => CutShape::Ring(self.draw_order()),
        }
    }

    /// The members in a drawn order.
    fn draw_order(&mut self) -> Vec<ReplicaId> {
        let mut left = self.ids();
        let mut order = Vec::new();
        while !left.is_empty() {
            let place = usize::try_from(self.choices.below(left.len() as u64)).unwrap_or(0);
            order.push(left.swap_remove(place));
        }
        order
    }

    /// Some members, often one alone, never all.
    fn draw_side(&mut self) -> BTreeSet<ReplicaId> {
        let most = if self.choices.chance(500) { 1 } else { u64::from(self.options.members) - 1 };
        let count = usize::try_from(self.choices.between(1, most)).unwrap_or(1);
        self.choices.subset(&self.ids(), count).into_iter().collect()
    }

    /// A time before the network calms down, at most as long as an outage.
    fn draw_period(&mut self) -> (u64, u64) {
        let at = nanoseconds(self.draw_moment());
        let length = nanoseconds(self.draw((Duration::from_millis(5), self.options.faults.outage)));
        (at, (at + length).min(nanoseconds(self.options.calm_at)))
    }

    /// The adversary has its way for a few time-outs.
    fn plan_hold(&mut self) {
        let timeout = self.options.config.timeout();
        let (at, length) = (nanoseconds(self.draw_moment()), nanoseconds(self.draw((timeout, timeout * 6))));
        let until = (at + length).min(nanoseconds(self.options.calm_at));
        let count = usize::try_from(self.choices.between(1, Target::ALL.len() as u64)).unwrap_or(1);
        let targets = self.choices.subset(&Target::ALL, count).into_iter().collect();
        let victims = if self.choices.chance(700) { self.ids().into_iter().collect() } else { self.draw_side() };
        self.at(at, Event::Hold(Hold { targets, victims, until }));
        self.at(until, Event::HoldEnds);
    }

    pub(super) fn on_cut(&mut self, cut: Cut) {
        if self.is_calm() {
            return;
        }
        self.counters.add(match cut.shape {
            CutShape::Split(_) => Counter::Partitions,
            CutShape::Mute(_) | CutShape::Deaf(_) => Counter::OneWayCuts,
            CutShape::Bridge { .. } => Counter::Bridges,
            CutShape::Ring(_) => Counter::Rings,
        });
        self.network.cut(cut.clone());
        self.announce(&cut, false);
    }

    pub(super) fn on_heal(&mut self, number: u64) {
        if let Some(cut) = self.network.heal(number) {
            self.announce(&cut, true);
        }
    }

    /// Tells everybody concerned that connections broke or are there again.
    pub(super) fn announce(&mut self, cut: &Cut, up: bool) {
        for node in self.ids() {
            for peer in self.ids() {
                if cut.blocks(node, peer) || cut.blocks(peer, node) {
                    self.tell_link(node, peer, up);
                }
            }
        }
    }

    /// Lets a replica know of a connection, if replicas of this world learn of connections.
    pub(super) fn tell_link(&mut self, node: ReplicaId, peer: ReplicaId, up: bool) {
        let is_there = !up || (self.is_running(peer) && !self.network.is_blocked(node, peer));
        if node == peer || !self.is_running(node) || !self.options.network.notices_links || !is_there {
            return;
        }
        let (life, delay) = (self.node(node).life(), self.draw(self.options.network.delay));
        self.after(delay, Event::Link { life, peer, up });
    }

    /// A replica that suspects, or goes on to another view by itself, has given up waiting: now comes what was held back.
    pub(super) fn let_go_after(&mut self, id: ReplicaId, notice: &Notice) {
        let has_given_up = matches!(
            notice,
            Notice::Suspected { .. }
                | Notice::ViewChangeStarted { cause: ViewChangeCause::Suspicion | ViewChangeCause::NewViewLate, .. }
        );
        if has_given_up {
            let released = self.scheduler.release(id);
            self.counters.add_many(Counter::VotesJustTooLate, released.len() as u64);
            self.deliver_held(released, (Duration::from_nanos(1), JUST_AFTER));
        }
    }

    /// The adversary's time is over.
    pub(super) fn on_hold_ends(&mut self) {
        let released = self.scheduler.end(self.now);
        self.deliver_held(released, self.options.network.delay);
    }

    fn deliver_held(&mut self, released: Vec<Released>, delays: (Duration, Duration)) {
        for Released { from, to, envelope, .. } in released {
            let delay = self.draw(delays);
            self.after(delay, Event::Deliver { from, to, envelope });
        }
    }
}
