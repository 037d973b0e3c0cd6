//! What breaks: replicas crash and start again, their disks fail or become full.

use std::time::Duration;

use quorate::ReplicaId;
use quorate::core::Phase;
use quorate::storage::StorageError;

use super::aftermath::Fate;
use super::network::nanoseconds;
use super::node::{Node, Running};
use super::queue::{Event, Life};
use super::starting::reserve_bytes;
use super::world::World;
use crate::chart::{Happening, Note, Topic};
use crate::counters::Counter;

/// The farthest operation at which a fuse blows.
const FUSE_MAX: u64 = 60;

/// Per mille of starts that a fuse interrupts, and after how many operations at most.
const FAILING_STARTS: u64 = 150;
const START_FUSE_MAX: u64 = 12;

/// How far ahead of the slowest a wall clock may be set.
const CLOCK_JUMP_MAX: Duration = Duration::from_secs(10);

/// How the life of a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The machine loses power: what was not synced is at risk.
    PowerLoss,
    /// The process ends alone.
    Process,
}

impl Ending {
    fn name(self) -> &'static str {
        match self {
            Ending::PowerLoss => "power loss",
            Ending::Process => "the process ends",
        }
    }
}

/// The points of a replica's life at which a crash is most likely to hurt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CrashPoint {
    /// A step was taken, and nothing of it is written.
    BeforeWrite,
    /// Its records are written and not synced.
    AfterWrite,
    /// They are synced, and nothing has left.
    AfterSync,
    /// Messages have left, and nobody has executed what came with them.
    AfterSend,
    /// A batch is executed, and the core has not heard of it.
    AfterApply,
    /// A snapshot is durable, and the journal has not heard of it.
    AfterSnapshot,
    /// A state is being fetched from the others.
    InTransfer,
}

impl CrashPoint {
    fn counter(self) -> Counter {
        match self {
            CrashPoint::BeforeWrite => Counter::CrashesBeforeWrite,
            CrashPoint::AfterWrite => Counter::CrashesAfterWrite,
            CrashPoint::AfterSync => Counter::CrashesAfterSync,
            CrashPoint::AfterSend => Counter::CrashesAfterSend,
            CrashPoint::AfterApply => Counter::CrashesAfterApply,
            CrashPoint::AfterSnapshot => Counter::CrashesAfterSnapshot,
            CrashPoint::InTransfer => Counter::CrashesInTransfer,
        }
    }
}

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
        for _ in 0..faults.fuses {
            let (at, id) = (self.draw_moment(), self.choices.pick(&correct));
            self.after(at, Event::Fuse { node: id });
        }
        for _ in 0..faults.refused_syncs {
            let (at, id) = (self.draw_moment(), self.choices.pick(&correct));
            self.after(at, Event::SyncRefused { node: id });
        }
        for _ in 0..faults.full_disks {
            let (at, id) = (self.draw_moment(), self.choices.pick(&correct));
            self.after(at, Event::FullDisk { node: id });
        }
        for _ in 0..faults.clock_jumps {
            let (at, id) = (self.draw_moment(), self.choices.pick(&correct));
            self.after(at, Event::ClockJump { node: id });
        }
        self.plan_mishaps(&correct);
        self.plan_disturbances();
    }

    pub(super) fn draw_moment(&mut self) -> Duration {
        self.draw((Duration::from_millis(1), self.options.calm_at - Duration::from_millis(1)))
    }

    pub(super) fn on_crash(&mut self, nodes: &[ReplicaId], is_blackout: bool) {
        if is_blackout {
            self.counters.add(Counter::Blackouts);
        }
        let ending = if is_blackout { Ending::PowerLoss } else { self.draw_ending() };
        for id in nodes {
            self.crash(*id, ending);
            if self.fate(*id) == Some(Fate::Crashing) {
                self.crash_again(*id);
            }
        }
    }

    pub(super) fn on_power_loss(&mut self, id: ReplicaId) {
        if !self.is_calm() {
            self.crash(id, Ending::PowerLoss);
        }
    }

    pub(super) fn on_crash_in_sync(&mut self, life: Life) {
        let is_syncing = |running: &Running| running.persister.is_syncing();
        if self.is_alive(life) && !self.is_calm() && self.node(life.node).running.as_ref().is_some_and(is_syncing) {
            self.counters.add(Counter::CrashesInSync);
            let ending = self.draw_ending();
            self.crash(life.node, ending);
        }
    }

    /// Whether the replica crashes at this point, which is drawn; then it has.
    pub(super) fn crashes_at(&mut self, id: ReplicaId, point: CrashPoint) -> bool {
        // Transfers and snapshots are rare: there it is more likely.
        let weight = if matches!(point, CrashPoint::InTransfer | CrashPoint::AfterSnapshot) { 20 } else { 1 };
        if self.is_calm() || !self.choices.chance(self.options.faults.crash_points * weight) {
            return false;
        }
        self.counters.add(point.counter());
        let ending = self.draw_ending();
        self.crash(id, ending);
        true
    }

    /// Storage is no use any more to this process: it ends, and another one starts later.
    pub(super) fn on_storage_failure(&mut self, id: ReplicaId, error: &StorageError) {
        self.mark(id, || Note::new(Topic::Fault, error.to_string()));
        if !self.node(id).disk.has_power() {
            self.counters.add(Counter::CrashesInDiskOperation);
            self.crash(id, Ending::PowerLoss);
            return;
        }
        let is_full = matches!(error, StorageError::DiskFull { .. });
        self.counters.add(if is_full { Counter::FullDiskAborts } else { Counter::FsyncAborts });
        self.crash(id, Ending::Process);
    }

    /// The power fails in the middle of what the replica does next on its disk.
    pub(super) fn on_fuse(&mut self, id: ReplicaId) {
        if !self.is_calm() {
            let operations = self.choices.between(1, FUSE_MAX);
            self.node(id).disk.light_fuse(Some(operations));
        }
    }

    pub(super) fn on_sync_refused(&mut self, id: ReplicaId) {
        if !self.is_calm() {
            self.node(id).disk.refuse_next_sync();
        }
    }

    /// Somebody sets a wall clock. Monotonic ones never jump.
    pub(super) fn on_clock_jump(&mut self, id: ReplicaId) {
        if !self.is_calm() {
            let ahead = self.draw((Duration::ZERO, CLOCK_JUMP_MAX));
            self.counters.add(Counter::ClockJumps);
            self.mark(id, || Note::new(Topic::Fault, format!("has a clock that is now {ahead:?} ahead")));
            self.node_mut(id).clock_error = nanoseconds(ahead);
        }
    }

    /// All wall clocks are right again, as far as they are in this world.
    pub(super) fn set_clocks(&mut self) {
        for id in self.ids() {
            let ahead = self.draw((Duration::ZERO, self.options.machine.clock_error));
            self.node_mut(id).clock_error = nanoseconds(ahead);
        }
    }

    /// Somebody else's files leave less room than a replica needs, or none.
    pub(super) fn on_full_disk(&mut self, id: ReplicaId) {
        if !self.is_calm() {
            let reserve = reserve_bytes(self.options.machine.segment_bytes);
            let room = if self.choices.chance(250) { 0 } else { self.choices.between(0, reserve * 5 / 4) };
            self.node(id).disk.leave_room(Some(room));
            let length =
                self.draw((Duration::from_millis(50), Duration::from_millis(50) + self.options.faults.outage * 2));
            self.after(length, Event::RoomAgain { node: id });
        }
    }

    fn draw_ending(&mut self) -> Ending {
        self.choices.pick(&[Ending::PowerLoss, Ending::PowerLoss, Ending::Process])
    }

    pub(super) fn crash(&mut self, id: ReplicaId, ending: Ending) {
        let Some(running) = self.node_mut(id).running.take() else { return };
        self.counters.add(Counter::Crashes);
        if matches!(running.replica.phase(), Phase::ViewChanging { .. }) {
            self.counters.add(Counter::CrashesInViewChange);
        }
        self.counters.add_many(Counter::CrashesInInstall, u64::from(running.installing.is_some()));
        let has_waiting = running.persister.has_waiting();
        let executed = running.executor.executed();
        drop(running);
        let ending = self.come_to_light(id, executed, ending);
        let disk = &self.nodes[id.index()].disk;
        let has_lost = match ending {
            Ending::PowerLoss => disk.lose_power(&mut self.choices),
            Ending::Process => {
                disk.restart();
                false
            }
        };
        if has_lost || has_waiting {
            self.counters.add(Counter::LostRecords);
        }
        self.checks.on_crash(id);
        self.scheduler.forget(id);
        self.transcript.record(self.now, || {
            let lost = if has_lost { ", unsynced writes are lost" } else { "" };
            Some(Happening::Crashed(id, format!("crashes: {}{lost}", ending.name())))
        });
        for peer in self.ids() {
            self.tell_link(peer, id, false);
        }
        self.restart_later(id);
    }

    /// Plans the next start. Where fuses are, it may fail on the way.
    pub(super) fn restart_later(&mut self, id: ReplicaId) {
        if self.options.faults.fuses > 0 && !self.is_calm() && self.choices.chance(FAILING_STARTS) {
            let operations = self.choices.between(1, START_FUSE_MAX);
            self.node(id).disk.light_fuse(Some(operations));
        }
        let outage = self.draw((Duration::from_millis(1), self.options.faults.outage));
        // Who stays broken takes its time; everybody else runs once the network is calm.
        let longest = if self.fate(id).is_some() { outage } else { self.until_calm() };
        self.after(outage.min(longest).max(Duration::from_micros(1)), Event::Restart { node: id });
    }

    pub(super) fn until_calm(&self) -> Duration {
        Duration::from_nanos(nanoseconds(self.options.calm_at).saturating_sub(self.now))
    }
}
