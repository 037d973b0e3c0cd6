//! The thread that writes durable snapshots while execution goes on.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use quorate_crypto::Digest;

use super::executor_thread::ExecutorInput;
use super::failure::{Failure, FailureCell};
use super::persister::PersisterInput;
use super::queue::Queue;
use crate::core::{Event, Report};
use crate::execution::ReplicatedState;
use crate::messages::CheckpointCertificate;
use crate::storage::{PageStore, StorageError};

/// How soon a fetched state that found no room on the disk is written again.
const RETRY: Duration = Duration::from_secs(1);

/// What is to be written.
pub(super) enum SnapshotOrder {
    /// That of a checkpoint: the journal holds what leads to it.
    Checkpoint(Certified),
    /// One that was fetched: the executor waits until it is durable.
    Install(Certified),
    /// Verified nodes of a state that is being fetched, by their hashes.
    Stage(Vec<(Digest, Bytes)>),
    /// No state is being fetched: what was staged goes.
    ClearStaging,
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
                match self.carry_out(&order) {
                    Ok(()) => {
                        // A later state takes the place of one that has found no room.
                        unwritten = unwritten.filter(|_| order.state().is_none());
                        self.tell(&order);
                    }
                    Err(error @ StorageError::DiskFull { .. }) => {
                        tracing::warn!(%error, "no snapshot was written; make room");
                        unwritten = order.if_awaited().or(unwritten);
                    }
                    Err(error) => {
                        self.failure.set(Failure::Storage(error));
                        return;
                    }
                }
            }
        }
    }

    fn carry_out(&self, order: &SnapshotOrder) -> Result<(), StorageError> {
        match order {
            SnapshotOrder::Checkpoint(Certified { state, certificate }) => self.write(state, certificate),
            SnapshotOrder::Install(Certified { state, certificate }) => {
                self.write(state, certificate)?;
                self.store.clear_staging()
            }
            SnapshotOrder::Stage(nodes) => self.store.stage(nodes),
            SnapshotOrder::ClearStaging => self.store.clear_staging(),
        }
    }

    /// Writes a state; durable when it returns.
    fn write(&self, state: &ReplicatedState, certificate: &CheckpointCertificate) -> Result<(), StorageError> {
        let committed = self.store.commit(state, Some(certificate))?;
        if let Some(set_aside) = &committed.set_aside {
            tracing::warn!("the snapshot on the disk had become unusable and was written anew: {set_aside}");
        }
        let (seq, pages, bytes) = (state.position.seq, committed.pages, committed.bytes);
        tracing::debug!(%seq, pages, bytes, "snapshot written");
        Ok(())
    }

    /// Says that a state is durable.
    fn tell(&self, order: &SnapshotOrder) {
        match order {
            SnapshotOrder::Checkpoint(Certified { state, .. }) => {
                self.persister.push(PersisterInput::SnapshotDurable(state.position.seq));
                self.events.push(Event::Executor(Report::SnapshotDurable(state.position.seq)));
            }
            SnapshotOrder::Install(Certified { state, .. }) => {
                self.persister.push(PersisterInput::SnapshotDurable(state.position.seq));
                self.executor.push(ExecutorInput::StateDurable(state.position.seq));
            }
            SnapshotOrder::Stage(_) | SnapshotOrder::ClearStaging => {}
        }
    }
}

impl SnapshotOrder {
    /// Whether a later checkpoint may take its place.
    pub(super) fn is_replaceable(&self) -> bool {
        match self {
            SnapshotOrder::Checkpoint(_) | SnapshotOrder::Stage(_) => true,
            SnapshotOrder::Install(_) | SnapshotOrder::ClearStaging => false,
        }
    }

    /// Whether it writes nodes of a fetch.
    pub(super) fn is_stage(&self) -> bool {
        matches!(self, SnapshotOrder::Stage(_))
    }

    fn state(&self) -> Option<&Certified> {
        match self {
            SnapshotOrder::Checkpoint(certified) | SnapshotOrder::Install(certified) => Some(certified),
            SnapshotOrder::Stage(_) | SnapshotOrder::ClearStaging => None,
        }
    }

    /// The journal makes up for a checkpoint that is not written, and the next one is tried; a fetched state is waited for.
    fn if_awaited(self) -> Option<Self> {
        match self {
            SnapshotOrder::Checkpoint(_) | SnapshotOrder::Stage(_) | SnapshotOrder::ClearStaging => None,
            SnapshotOrder::Install(_) => Some(self),
        }
    }
}
