//! The thread that writes durable snapshots while execution goes on.

use std::sync::Arc;

use super::failure::{Failure, FailureCell};
use super::persister::PersisterInput;
use super::queue::Queue;
use crate::core::{Event, Report};
use crate::execution::Snapshot;
use crate::storage::{SnapshotStore, StorageError};

/// A state to be written.
pub(super) struct SnapshotOrder {
    pub(super) snapshot: Snapshot,
}

/// What the thread owns.
pub(super) struct Snapshotter {
    pub(super) store: SnapshotStore,
    pub(super) orders: Queue<SnapshotOrder>,
    pub(super) persister: Queue<PersisterInput>,
    pub(super) events: Queue<Event>,
    pub(super) failure: Arc<FailureCell>,
}

impl Snapshotter {
    /// Runs until its queue is closed; gives the store back for the last snapshot of a clean stop.
    pub(super) fn run(self) -> SnapshotStore {
        while let Some(orders) = self.orders.take(1, None) {
            for SnapshotOrder { snapshot } in orders {
                let seq = snapshot.seq();
                match write(&self.store, &snapshot) {
                    Ok(()) => {}
                    // The journal holds everything: a snapshot only lets it be shortened. The next one tries again.
                    Err(error @ StorageError::DiskFull { .. }) => {
                        tracing::warn!(%error, %seq, "no snapshot was written; make room");
                        continue;
                    }
                    Err(error) => {
                        self.failure.set(Failure::Storage(error));
                        return self.store;
                    }
                }
                self.persister.push(PersisterInput::SnapshotDurable(seq));
                self.events.push(Event::Executor(Report::SnapshotDurable(seq)));
            }
        }
        self.store
    }
}

/// Writes a state; durable when it returns.
pub(super) fn write(store: &SnapshotStore, snapshot: &Snapshot) -> Result<(), StorageError> {
    store.write(snapshot.seq(), |sink| snapshot.replicated().write(sink))
}
