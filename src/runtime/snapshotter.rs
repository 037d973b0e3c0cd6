//! The thread that writes durable snapshots while execution goes on.

use std::sync::Arc;
use std::time::Duration;

use super::executor_thread::ExecutorInput;
use super::failure::{Failure, FailureCell};
use super::persister::PersisterInput;
use super::queue::Queue;
use crate::core::{Event, Report};
use crate::execution::ReplicatedState;
use crate::messages::CheckpointCertificate;
use crate::storage::{PageStore, StorageError};
use crate::types::SeqNum;

/// How soon a fetched state that found no room on the disk is written again.
const RETRY: Duration = Duration::from_secs(1);

/// A state to be written.
pub(super) enum SnapshotOrder {
    /// That of a checkpoint: the journal holds what leads to it.
    Checkpoint(Certified),
    /// One that was fetched: the executor waits until it is durable.
    Install(Certified),
}

/// A state with the proof that it is the certified one.
pub(super) struct Certified {
    pub(super) state: ReplicatedState,
    pub(super) certificate: CheckpointCertificate,
}

/// What the thread owns.
pub(super) struct Snapshotter {
    pub(super) store: Arc<dyn PageStore>,
    pub(super) orders: Queue<SnapshotOrder>,
    pub(super) persister: Queue<PersisterInput>,
    pub(super) executor: Queue<ExecutorInput>,
    pub(super) events: Queue<Event>,
    pub(super) failure: Arc<FailureCell>,
}

impl Snapshotter {
    /// Runs until its queue is closed.
    pub(super) fn run(self) {
        let mut unwritten = None;
        while let Some(orders) = self.orders.take(1, unwritten.as_ref().map(|_| RETRY)) {
            for order in unwritten.take().into_iter().chain(orders) {
                let Certified { state, certificate } = order.certified();
                match write(self.store.as_ref(), state, Some(certificate)) {
                    Ok(()) => self.tell(&order),
                    Err(error @ StorageError::DiskFull { .. }) => {
                        tracing::warn!(%error, seq = %order.seq(), "no snapshot was written; make room");
                        unwritten = order.if_awaited();
                    }
                    Err(error) => {
                        self.failure.set(Failure::Storage(error));
                        return;
                    }
                }
            }
        }
    }

    /// Says that a state is durable.
    fn tell(&self, order: &SnapshotOrder) {
        let seq = order.seq();
        self.persister.push(PersisterInput::SnapshotDurable(seq));
        match order {
            SnapshotOrder::Checkpoint(_) => self.events.push(Event::Executor(Report::SnapshotDurable(seq))),
            SnapshotOrder::Install(_) => self.executor.push(ExecutorInput::StateDurable),
        }
    }
}

impl SnapshotOrder {
    /// Whether a later checkpoint may take its place.
    pub(super) fn is_replaceable(&self) -> bool {
        match self {
            SnapshotOrder::Checkpoint(_) => true,
            SnapshotOrder::Install(_) => false,
        }
    }

    fn certified(&self) -> &Certified {
        match self {
            SnapshotOrder::Checkpoint(certified) | SnapshotOrder::Install(certified) => certified,
        }
    }

    fn seq(&self) -> SeqNum {
        self.certified().state.position.seq
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
pub(super) fn write(
    store: &dyn PageStore,
    state: &ReplicatedState,
    certificate: Option<&CheckpointCertificate>,
) -> Result<(), StorageError> {
    let committed = store.commit(state, certificate)?;
    if let Some(set_aside) = &committed.set_aside {
        tracing::warn!("the snapshot on the disk had become unusable and was written anew: {set_aside}");
    }
    let (seq, pages, bytes) = (state.position.seq, committed.pages, committed.bytes);
    tracing::debug!(%seq, pages, bytes, "snapshot written");
    Ok(())
}
