//! Why a replica cannot start, or ends.

use std::any::Any;
use std::sync::{Mutex, PoisonError};

use crate::execution::InstallError;
use crate::genesis::InvalidGenesis;
use crate::guard;
use crate::storage::StorageError;
use crate::types::SeqNum;

/// The exit code for our own bugs, after sysexits.h.
const EXIT_BUG: u8 = 70;

/// Why a replica cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The genesis is not valid.
    #[error("genesis: {0}")]
    Genesis(#[from] InvalidGenesis),
    /// The key is not that of the member this replica is said to be.
    #[error("the key of this node is not that of replica {0} in the genesis")]
    ForeignKey(crate::types::ReplicaId),
    /// The files cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A snapshot with intact checksums is no state of this network.
    #[error("snapshot of slot {seq}: {source}. Keep the folder for inspection")]
    Snapshot {
        /// Its slot.
        seq: SeqNum,
        /// What is wrong with it.
        source: InstallError,
    },
    /// The operating system gave no thread.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}

impl StartError {
    /// The exit code, after sysexits.h.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            StartError::Genesis(_) | StartError::ForeignKey(_) => 78,
            StartError::Storage(error) => error.class().exit_code(),
            StartError::Snapshot { .. } => 65,
            StartError::Thread(_) => 74,
        }
    }
}

/// Why a running replica must end.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Failure {
    /// Storage failed: nothing more can be promised.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// An invariant does not hold: a bug of ours. It stops rather than vote on a broken state.
    #[error("a bug in the {thread} thread: {message}")]
    Bug {
        /// The thread.
        thread: &'static str,
        /// What the assertion said.
        message: String,
    },
}

impl Failure {
    /// The exit code, after sysexits.h.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Failure::Storage(error) => error.class().exit_code(),
            Failure::Bug { .. } => EXIT_BUG,
        }
    }

    /// The failure of a thread that panicked.
    pub(super) fn from_panic(thread: &'static str, panic: &(dyn Any + Send)) -> Self {
        Failure::Bug { thread, message: guard::words_of(panic) }
    }
}

/// The first failure of any thread, for whoever waits for it.
#[derive(Debug, Default)]
pub(super) struct FailureCell {
    first: Mutex<Option<Failure>>,
    notify: tokio::sync::Notify,
}

impl FailureCell {
    /// Keeps a failure, if it is the first.
    pub(super) fn set(&self, failure: Failure) {
        tracing::error!("{failure}");
        self.first.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
        self.notify.notify_waiters();
    }

    /// The failure, if there is one.
    pub(super) fn get(&self) -> Option<Failure> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for a failure, perhaps for ever.
    pub(super) async fn wait(&self) -> Failure {
        loop {
            let notified = self.notify.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            if let Some(failure) = self.get() {
                return failure;
            }
            notified.await;
        }
    }
}
