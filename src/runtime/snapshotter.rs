//! The thread that writes durable snapshots while execution goes on.

use std::sync::Arc;
use std::time::Duration;

use super::executor_thread::ExecutorInput;
use super::failure::{Failure, FailureCell};
use super::persister::PersisterInput;
use super::queue::Queue;
use crate::core::{Event, Report};
use crate::execution::Snapshot;
use crate::storage::{SnapshotStore, StorageError};

/// How soon a fetched state that found no room on the disk is written again.
const RETRY: Duration = Duration::from_secs(1);

/// A state to be written.
pub(super) enum SnapshotOrder {
    /// That of a checkpoint: the journal holds what leads to it.
    Checkpoint(Snapshot),
    /// One that was fetched: the executor waits until it is durable.
    Install(Snapshot),
}

/// What the thread owns.
pub(super) struct Snapshotter {
    pub(super) store: SnapshotStore,
    pub(super) orders: Queue<SnapshotOrder>,
    pub(super) persister: Queue<PersisterInput>,
    pub(super) executor: Queue<ExecutorInput>,
    pub(super) events: Queue<Event>,
    pub(super) failure: Arc<FailureCell>,
}

impl Snapshotter {
    /// Runs until its queue is closed; gives the store back for the last snapshot of a clean stop.
    pub(super) fn run(self) -> SnapshotStore {
        let mut unwritten = None;
        while let Some(orders) = self.orders.take(1, unwritten.as_ref().map(|_| RETRY)) {
            for order in unwritten.take().into_iter().chain(orders) {
                match write(&self.store, order.snapshot()) {
                    Ok(()) => self.tell(&order),
                    Err(error @ StorageError::DiskFull { .. }) => {
                        tracing::warn!(%error, seq = %order.snapshot().seq(), "no snapshot was written; make room");
                        unwritten = order.if_awaited();
                    }
                    Err(error) => {
                        self.failure.set(Failure::Storage(error));
                        return self.store;
                    }
                }
            }
        }
        self.store
    }

    /// Says that a state is durable.
    fn tell(&self, order: &SnapshotOrder) {
        let seq = order.snapshot().seq();
        self.persister.push(PersisterInput::SnapshotDurable(seq));
        match order {
            SnapshotOrder::Checkpoint(_) => self.events.push(Event::Executor(Report::SnapshotDurable(seq))),
            SnapshotOrder::Install(_) => self.executor.push(ExecutorInput::StateDurable),
        }
    }
}

impl SnapshotOrder {
    fn snapshot(&self) -> &Snapshot {
        match self {
            SnapshotOrder::Checkpoint(snapshot) | SnapshotOrder::Install(snapshot) => snapshot,
        }
    }

    /// The journal makes up for a checkpoint that is not written, and the next one is tried; a fetched state is waited for.
    fn if_awaited(self) -> Option<Self> {
        match self {
            SnapshotOrder::Checkpoint(_) => None,
            SnapshotOrder::Install(_) => Some(self),
        }
    }
}

/// Writes a state; durable when it returns.
pub(super) fn write(store: &SnapshotStore, snapshot: &Snapshot) -> Result<(), StorageError> {
    store.write(snapshot.seq(), |sink| snapshot.replicated().write(sink))
}
