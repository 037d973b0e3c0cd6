//! Durable snapshots: the pages of a replicated state in a store that is replaced atomically, page by changed page.
//!
//! A state is stored as the pages of its two trees, each under its first key, and a head that names position and root. The
//! root is computed again from the pages whenever they are loaded: nothing that a disk, a store or an older copy makes of
//! them is ever taken for another state than the one whose root stands there. What is not whole is set aside for people
//! to look at, and is of use still: pages that are right need not be fetched from others again.
//!
//! | Module | What it holds |
//! | --- | --- |
//! | `disk` | [`DiskPageStore`]: in one file, with redb |
//! | `database` | that file: opened, guarded against damage, set aside |
//! | `backend` | what redb reads and writes, on a [`Disk`](super::Disk) |
//! | `memory` | [`MemoryPageStore`]: the same for simulations, with crashes and damage |
//! | `head` | what stands beside the pages |
//! | `outcome` | what a load finds and a commit did |
//! | `reading` | pages as a state again |

mod backend;
mod database;
mod disk;
mod head;
mod memory;
mod outcome;
mod reading;
#[cfg(test)]
mod tests;

use std::fmt;

use bytes::Bytes;
use quorate_crypto::Digest;

pub(super) use database::path_in;
pub use disk::DiskPageStore;
pub use memory::{CrashPoint, MemoryPageStore};
pub use outcome::{Committed, Loaded, Remains, SetAside};

use super::error::StorageError;
use crate::execution::ReplicatedState;
use crate::messages::CheckpointCertificate;

/// Where durable snapshots are kept. Several threads may share one.
pub trait PageStore: Send + Sync + fmt::Debug {
    /// What the last commit left. Called at every start, before anything else.
    ///
    /// # Errors
    /// [`StorageError`] when the disk refuses. Damage is no error but a finding.
    fn load(&self) -> Result<Loaded, StorageError>;

    /// Replaces the stored state, durably when this returns, and all or nothing whenever the power fails. Writes the pages
    /// that changed since the state that was loaded or committed last, which is kept in memory for that.
    ///
    /// # Errors
    /// [`StorageError`] when the disk is full or fails. The state that was stored before is untouched.
    fn commit(
        &self,
        state: &ReplicatedState,
        certificate: Option<&CheckpointCertificate>,
    ) -> Result<Committed, StorageError>;

    /// Keeps encoded nodes, by their hashes, of a state that is being fetched, durably when this returns.
    ///
    /// # Errors
    /// As [`PageStore::commit`].
    fn stage(&self, nodes: &[(Digest, Bytes)]) -> Result<(), StorageError>;

    /// A node that was staged, as it is stored: whoever asks compares the hash.
    ///
    /// # Errors
    /// [`StorageError`] when the disk refuses. A damaged node is none.
    fn staged(&self, hash: &Digest) -> Result<Option<Bytes>, StorageError>;

    /// Forgets all staged nodes.
    ///
    /// # Errors
    /// As [`PageStore::commit`].
    fn clear_staging(&self) -> Result<(), StorageError>;
}
