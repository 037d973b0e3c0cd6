//! How a replica starts: from what its disk holds.

use std::collections::VecDeque;
use std::time::Duration;

use quorate::core::{Recovery, Replica, Space};
use quorate::execution::{ServingRate, StateServer};
use quorate::storage::{FailureClass, JournalOptions, Storage, StorageError};
use quorate::{ReplicaId, SeqNum};

use super::aftermath::Fate;
use super::node::{Running, Work};
use super::queue::Event;
use super::world::World;
use crate::chart::{Happening, Note, Topic};
use crate::counters::Counter;
use crate::disk::persister::{Found, Persister};
use crate::violation::Class;

/// How many bytes of states a replica serves in a second.
const SERVED_PER_SECOND: u64 = 1 << 20;

impl World {
    /// Starts a replica that is down from what its disk holds.
    pub(super) fn start(&mut self, id: ReplicaId) {
        if self.is_running(id) || self.fate(id) == Some(Fate::Down) {
            return;
        }
        let (persister, found) = match self.open_journal(id) {
            Ok(opened) => opened,
            Err(error) => return self.on_failed_start(id, &error),
        };
        self.count_recovery(id, &found);
        self.checks.on_start(id, &found.recovered);
        if self.checks.violation().is_some() {
            return;
        }
        let (world, node) = (self.now, self.node_mut(id));
        node.incarnation += 1;
        node.started = world;
        let executor = node.load_executor();
        let pending_stable = found.recovered.promises.stable.clone();
        let committed = found.recovered.promises.committed_through;
        let replica = Replica::recover(node.identity.clone(), found.recovered, node.now(world));
        let mut running = Running {
            replica,
            persister,
            executor,
            work: VecDeque::new(),
            server: StateServer::new(ServingRate { total: SERVED_PER_SECOND, peer: SERVED_PER_SECOND / 4 }),
            fetch: None,
            installing: None,
            transfer_timer: None,
            space: Space::Enough,
            space_at: world,
            pending_stable,
            outbox: VecDeque::new(),
            is_working: false,
            timer: None,
            spins: (0, 0),
            targets: 0,
        };
        if let Err(error) = running.prepare_replay(committed) {
            return self.on_failed_start(id, &error);
        }
        self.node_mut(id).running = Some(running);
        let life = self.node(id).life();
        self.transcript.record(self.now, || Some(Happening::Started(id)));
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

    fn open_journal(&mut self, id: ReplicaId) -> Result<(Persister, Found), StorageError> {
        let machine = &self.options.machine;
        let window = self.options.limits.window();
        let options = JournalOptions {
            segment_bytes: machine.segment_bytes,
            history_bytes: machine.history_bytes,
            window,
            disk_bytes_max: 0,
            disk_reserve_bytes: reserve_bytes(machine.segment_bytes),
        };
        let node = self.node_mut(id);
        if !node.is_furnished {
            Persister::furnish(&node.disk)?;
            node.is_furnished = true;
        }
        Persister::open(&node.disk, node.identity.genesis.chain_id(), options)
    }

    /// The power failed during the start, or the disk is full: another attempt is made later. Nothing else keeps a
    /// replica from starting.
    fn on_failed_start(&mut self, id: ReplicaId, error: &StorageError) {
        self.mark(id, || Note::new(Topic::Fault, format!("does not start: {error}")));
        let node = &self.nodes[id.index()];
        if !node.disk.has_power() {
            self.counters.add(Counter::CrashesInStart);
            node.disk.lose_power(&mut self.choices);
            // What would have shown the damage was not durable before this start either.
            if node.broken.is_some() {
                self.checks.forget(id);
            }
        } else if matches!(error.class(), FailureClass::Io) {
            node.disk.restart();
        } else {
            self.checks.report(Class::Liveness, "start", format!("{id} does not start: {error}"));
            return;
        }
        self.restart_later(id);
    }

    fn count_recovery(&mut self, id: ReplicaId, found: &Found) {
        let promises = &found.recovered.promises;
        let is_lost = promises.recovery != Recovery::Complete;
        self.counters.add_many(Counter::StartsRecovering, u64::from(is_lost));
        if promises.prepared.keys().any(|seq| !promises.committed.contains_key(seq)) {
            self.counters.add(Counter::PreparedRecoveries);
        }
        let has_state = self.node(id).state.newest().is_some();
        self.counters.add_many(Counter::SnapshotStarts, u64::from(has_state));
        self.counters.add_many(Counter::TornTails, u64::from(found.is_torn));
    }
}

/// The room that a replica keeps free: enough for its next segments, whose heads may be larger than a small segment.
pub(super) fn reserve_bytes(segment_bytes: u64) -> u64 {
    (segment_bytes * 4).max(256 << 10)
}

impl Running {
    /// Queues what was committed after the loaded state; without it, a state must come from the others.
    fn prepare_replay(&mut self, committed: SeqNum) -> Result<(), StorageError> {
        let loaded = self.executor.executed();
        let journal = self.persister.journal();
        journal.snapshot_durable(loaded)?;
        if !journal.can_replay(loaded, committed) {
            self.work.push_back(Work::ReportMissing);
            return Ok(());
        }
        self.work.push_back(Work::Install);
        let replay: Result<Vec<_>, _> =
            if loaded < committed { journal.replay(loaded).collect() } else { Ok(Vec::new()) };
        self.work.extend(replay?.into_iter().map(Work::Replay));
        Ok(())
    }
}
