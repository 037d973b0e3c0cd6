//! Durability: what a replica promised, committed and executed outlives its process and the power of its machine.
//!
//! | Module | What it holds |
//! | --- | --- |
//! | [`home`] | the folder of one replica: layout, lock, identity |
//! | [`disk`] | what storage asks of a disk; the system's, or a simulated one |
//! | [`journal`] | the journal on disk: append, group commit, roll-over, deletion |
//! | [`loss`] | what a start found damaged, and what that costs |
//! | [`page_store`] | durable snapshots: the pages of the replicated state |
//! | [`inspect`] | what a start would find, and a repair by hand |
//! | [`replay`] | the second pass of a recovery: committed batches for the executor |
//! | [`error`] | what can go wrong, and the exit code that it means |
//!
//! The format and what it guarantees stand in docs/STORAGE.md.

pub mod disk;
pub mod error;
mod folder;
mod frame;
mod group;
pub mod home;
mod index;
pub mod inspect;
pub mod journal;
pub mod loss;
pub mod page_store;
mod promises;
mod read;
mod recovery;
pub mod replay;
mod scan;
mod sealed;
mod segment;
mod shelf;
mod space;
mod survey;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use disk::{Access, Disk, DiskFile, SystemDisk};
pub use error::{FailureClass, StorageError};
pub use home::{Home, Identity};
pub use journal::{Journal, JournalOptions, Opened, TornTailCut};
pub use loss::{Harm, Loss};
pub use page_store::{DiskPageStore, Loaded, MemoryPageStore, PageStore};
pub use replay::Replay;

use crate::core::{JournalRecord, Space};
use crate::messages::CommittedSlot;
use crate::types::SeqNum;

/// The journal of one replica, owned by whoever persists for it.
///
/// The first error is final: after it every call returns that error, because nobody can tell what of the failed write
/// or sync is on the disk. A replica whose storage failed ends.
pub trait Storage: Send {
    /// Writes these records, as one group and in their order, without waiting for the disk. Several groups may be
    /// appended before one [`Storage::sync`]; a crash before it keeps any number of them, in order.
    ///
    /// # Errors
    /// [`StorageError`] when a record is too large, the disk is full or the write failed.
    fn append(&mut self, records: &[JournalRecord]) -> Result<(), StorageError>;

    /// Makes everything appended so far durable.
    ///
    /// # Errors
    /// [`StorageError`] when the disk did not confirm it.
    fn sync(&mut self) -> Result<(), StorageError>;

    /// Says that a snapshot of the state after `seq` is durable. History at and below it may be deleted. To be called
    /// at start too, for the snapshot that was found; until then nothing is deleted.
    ///
    /// # Errors
    /// [`StorageError`] when a file cannot be deleted.
    fn snapshot_durable(&mut self, seq: SeqNum) -> Result<(), StorageError>;

    /// Says which is the oldest state that is served to others: while there is room, history above it stays, because
    /// who fetches a state needs what follows it, too.
    fn state_served(&mut self, oldest: SeqNum);

    /// Whether there is room for what voting writes. When there is not, history that only peers need goes first.
    ///
    /// # Errors
    /// [`StorageError`] when the disk cannot be asked, or a file cannot be deleted.
    fn space(&mut self) -> Result<Space, StorageError>;

    /// The committed slots, readable from any thread while this journal goes on.
    fn history(&self) -> Arc<dyn History>;

    /// How many bytes the journal takes on the disk.
    fn bytes_on_disk(&self) -> u64;
}

/// The committed slots that a journal holds.
pub trait History: Send + Sync {
    /// The slots after `after` up to `through`, consecutive and ascending, as many as fit into `bytes_max` and one
    /// message; at least one when the first is held. Empty when the slot behind `after` is not held.
    ///
    /// # Errors
    /// [`StorageError`] when a slot cannot be read or its checksum is wrong.
    fn committed(&self, after: SeqNum, through: SeqNum, bytes_max: usize) -> Result<Vec<CommittedSlot>, StorageError>;

    /// The first slot from which on everything up to [`History::newest`] is held. The slot after the newest when
    /// nothing is held.
    fn oldest(&self) -> SeqNum;

    /// The last committed slot; the genesis when there is none.
    fn newest(&self) -> SeqNum;
}
