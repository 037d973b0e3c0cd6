//! The journal of a simulated replica: the engine's own, on a simulated disk, with syncs that take time.
//!
//! As in production, one sync is under way at a time and what is written meanwhile waits for its end.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use quorate::SeqNum;
use quorate::core::{JournalRecord, Recovered};
use quorate::messages::CommittedSlot;
use quorate::storage::{Journal, JournalOptions, Loss, Opened, Storage, StorageError};
use quorate_crypto::Digest;

use super::simulated::SimDisk;

/// How many bytes one answer from the journal carries.
const HISTORY_BYTES_MAX: usize = 256 << 10;
/// The folder of the home on the simulated disk.
const HOME: &str = "home";

/// An open journal and what waits for it.
pub struct Persister {
    journal: Journal,
    /// What was written since the last sync ended.
    unsynced: Vec<JournalRecord>,
    /// How many records were written, and how many of them are synced.
    written: usize,
    durable: usize,
    /// What is written when the sync under way has ended.
    waiting: Vec<Vec<JournalRecord>>,
    is_syncing: bool,
    /// How many records, those that wait included, must be durable before what is said now may leave.
    binding: usize,
}

/// What opening a journal found.
#[derive(Debug)]
pub struct Found {
    /// What binds the replica.
    pub recovered: Recovered,
    /// Whether a write that a crash interrupted was removed.
    pub is_torn: bool,
    /// What was durable and is damaged or missing.
    pub losses: Vec<Loss>,
}

impl Persister {
    /// Makes the parts of a new home.
    ///
    /// # Errors
    /// Those of [`Journal::furnish`].
    pub fn furnish(disk: &SimDisk) -> Result<(), StorageError> {
        Journal::furnish(Path::new(HOME), disk)
    }

    /// Opens the journal on a disk; gives what else was found.
    ///
    /// # Errors
    /// Those of [`Journal::open`].
    pub fn open(disk: &SimDisk, chain_id: Digest, options: JournalOptions) -> Result<(Self, Found), StorageError> {
        let Opened { journal, recovered, torn_tail, losses } =
            Journal::open_folder(Path::new(HOME), chain_id, options, Arc::new(disk.clone()))?;
        let persister = Persister {
            journal,
            unsynced: Vec::new(),
            written: 0,
            durable: 0,
            waiting: Vec::new(),
            is_syncing: false,
            binding: 0,
        };
        Ok((persister, Found { recovered, is_torn: torn_tail.is_some(), losses }))
    }

    /// Takes the records of one step.
    ///
    /// # Errors
    /// Those of the journal.
    pub fn write(&mut self, group: Vec<JournalRecord>) -> Result<(), StorageError> {
        if group.is_empty() {
            return Ok(());
        }
        if group.iter().any(JournalRecord::must_sync) {
            self.binding = self.written + self.waiting.iter().map(Vec::len).sum::<usize>() + group.len();
        }
        if self.is_syncing {
            self.waiting.push(group);
            return Ok(());
        }
        self.append(group)
    }

    /// Begins a sync, if one is needed and none is under way. Says whether it did.
    pub fn begin_sync(&mut self) -> bool {
        let begins = !self.is_syncing && self.binding > self.durable;
        self.is_syncing |= begins;
        begins
    }

    /// The sync has ended. Gives back the records that are durable now and were not.
    ///
    /// # Errors
    /// Those of the journal.
    pub fn end_sync(&mut self) -> Result<Vec<JournalRecord>, StorageError> {
        self.journal.sync()?;
        self.durable = self.written;
        self.is_syncing = false;
        Ok(std::mem::take(&mut self.unsynced))
    }

    /// Writes what waited for the end of a sync.
    ///
    /// # Errors
    /// Those of the journal.
    pub fn write_waiting(&mut self) -> Result<(), StorageError> {
        std::mem::take(&mut self.waiting).into_iter().try_for_each(|group| self.append(group))
    }

    /// Whether a sync is under way.
    #[must_use]
    pub fn is_syncing(&self) -> bool {
        self.is_syncing
    }

    /// Whether anything waits to be written at all.
    #[must_use]
    pub fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// How many records must be durable before what is said now may leave.
    #[must_use]
    pub fn binding(&self) -> usize {
        self.binding
    }

    /// How many records are durable.
    #[must_use]
    pub fn durable(&self) -> usize {
        self.durable
    }

    /// The journal itself.
    pub fn journal(&mut self) -> &mut Journal {
        &mut self.journal
    }

    /// The committed slots after `after` up to `through`, at most `slots_max` of them and not too many bytes.
    ///
    /// # Errors
    /// Those of the journal.
    pub fn history(&self, after: SeqNum, through: SeqNum, slots_max: u64) -> Result<Vec<CommittedSlot>, StorageError> {
        self.journal.history().committed(after, through.min(after.plus(slots_max)), HISTORY_BYTES_MAX)
    }

    fn append(&mut self, group: Vec<JournalRecord>) -> Result<(), StorageError> {
        self.journal.append(&group)?;
        self.written += group.len();
        self.unsynced.extend(group);
        Ok(())
    }
}

impl fmt::Debug for Persister {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Persister({} records, {} durable)", self.written, self.durable)
    }
}
