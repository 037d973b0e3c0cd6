//! What breaks: replicas crash and start again, the network is cut and heals.

use std::collections::VecDeque;
use std::time::Duration;

use quorate::ReplicaId;
use quorate::core::{Phase, Recovered, Replica};

use super::acting::MEMORY;
use super::network::{Cut, CutShape, nanoseconds};
use super::node::{Node, Running, Work};
use super::queue::{Event, Life};
use super::world::World;
use crate::counters::Counter;

impl World {
    /// Draws when what breaks.
    pub(super) fn plan_faults(&mut self) {
        let faults = self.options.faults.clone();
        let correct: Vec<_> = self.nodes.iter().filter(|node| node.is_correct()).map(Node::id).collect();
        for _ in 0..faults.crashes {
            let most = self.options.faulty_max().max(1);
            let count = self.choices.between(1, most);
            let nodes = self.choices.subset(&correct, usize::try_from(count).unwrap_or(1));
            let at = self.draw_moment();
            self.after(at, Event::Crash { nodes, is_blackout: false });
        }
        for _ in 0..faults.blackouts {
            let at = self.draw_moment();
            let nodes = self.ids();
            self.after(at, Event::Crash { nodes, is_blackout: true });
        }
        for number in 0..faults.partitions {
            let (at, length) = (self.draw_moment(), self.draw((Duration::ZERO, self.options.faults.outage)));
            let shape = self.choices.pick(&[CutShape::Split, CutShape::Split, CutShape::Mute, CutShape::Deaf]);
            let most = if self.choices.chance(500) { 1 } else { u64::from(self.options.members) - 1 };
            let count = usize::try_from(self.choices.between(1, most)).unwrap_or(1);
            let side = self.choices.subset(&self.ids(), count).into_iter().collect();
            self.after(at, Event::Cut(Cut { number, shape, side }));
            self.after(at + length, Event::Heal { cut: number });
        }
    }

    fn draw_moment(&mut self) -> Duration {
        self.draw((Duration::from_millis(1), self.options.calm_at - Duration::from_millis(1)))
    }

    pub(super) fn on_crash(&mut self, nodes: &[ReplicaId], is_blackout: bool) {
        if is_blackout {
            self.counters.add(Counter::Blackouts);
        }
        for id in nodes {
            self.crash(*id);
        }
    }

    pub(super) fn on_crash_in_sync(&mut self, life: Life) {
        if self.is_alive(life) && !self.is_calm() && self.node(life.node).disk.is_syncing() {
            self.counters.add(Counter::CrashesInSync);
            self.crash(life.node);
        }
    }

    fn crash(&mut self, id: ReplicaId) {
        let Some(running) = self.node_mut(id).running.take() else { return };
        self.counters.add(Counter::Crashes);
        if matches!(running.replica.phase(), Phase::ViewChanging { .. }) {
            self.counters.add(Counter::CrashesInViewChange);
        }
        let (unsynced, more_wait) = self.node(id).disk.at_risk();
        let kept = usize::try_from(self.choices.between(0, unsynced as u64)).unwrap_or(0);
        if kept < unsynced || more_wait {
            self.counters.add(Counter::LostRecords);
        }
        self.node_mut(id).disk.crash(kept).expect(MEMORY);
        let node = &self.nodes[id.index()];
        self.checks.on_crash(id, node.disk.records());
        self.line(|| format!("{id} crashed, kept {kept} of {unsynced} unsynced groups"));
        for peer in self.ids() {
            self.tell_link(peer, id, false);
        }
        let outage = self.draw((Duration::from_millis(1), self.options.faults.outage));
        self.after(outage.min(self.until_calm()), Event::Restart { node: id });
    }

    fn until_calm(&self) -> Duration {
        Duration::from_nanos(nanoseconds(self.options.calm_at).saturating_sub(self.now))
    }

    /// Starts a replica that is down from what its disk holds.
    pub(super) fn start(&mut self, id: ReplicaId) {
        if self.is_running(id) {
            return;
        }
        let world = self.now;
        let recovered = self.node(id).disk.recover().expect(MEMORY);
        self.count_recovery(id, &recovered);
        let node = self.node_mut(id);
        node.incarnation += 1;
        node.started = world;
        let executor = node.load_executor();
        let replay = node.disk.replay(executor.executed()).expect(MEMORY);
        let work: VecDeque<_> = std::iter::once(Work::Install).chain(replay.into_iter().map(Work::Replay)).collect();
        let replica = Replica::recover(node.identity.clone(), recovered, node.now(world));
        node.running = Some(Running {
            replica,
            executor,
            work,
            outbox: VecDeque::new(),
            is_working: false,
            timer: None,
            spins: (0, 0),
            targets: 0,
        });
        let life = node.life();
        self.line(|| format!("{id} starts"));
        self.work(id);
        self.after(Duration::ZERO, Event::Timer(life));
        if let Some(running) = &mut self.node_mut(id).running {
            running.timer = Some(world);
        }
        for peer in self.ids() {
            self.tell_link(peer, id, true);
            self.tell_link(id, peer, true);
        }
    }

    fn count_recovery(&mut self, id: ReplicaId, recovered: &Recovered) {
        let promises = &recovered.promises;
        if promises.prepared.keys().any(|seq| !promises.committed.contains_key(seq)) {
            self.counters.add(Counter::PreparedRecoveries);
        }
        if self.node(id).disk.snapshot().is_some() {
            self.counters.add(Counter::SnapshotStarts);
        }
    }

    pub(super) fn on_cut(&mut self, cut: Cut) {
        self.counters.add(Counter::Partitions);
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
    fn tell_link(&mut self, node: ReplicaId, peer: ReplicaId, up: bool) {
        let is_there = !up || (self.is_running(peer) && !self.network.is_blocked(node, peer));
        if node == peer || !self.is_running(node) || !self.options.network.notices_links || !is_there {
            return;
        }
        let (life, delay) = (self.node(node).life(), self.draw(self.options.network.delay));
        self.after(delay, Event::Link { life, peer, up });
    }
}
