//! The disk of a simulated replica: the engine's journal in memory behind a persister that syncs, and a snapshot.
//!
//! As in production, one sync is under way at a time and what is written meanwhile waits for its end: a crash loses what
//! waits, and of the groups that were written but not synced it keeps the first few.

use std::fmt;
use std::sync::Arc;

use quorate::SeqNum;
use quorate::batch::CommittedBatch;
use quorate::core::{JournalRecord, Recovered};
use quorate::execution::ReplicatedState;
use quorate::messages::CommittedSlot;
use quorate::storage::{History, MemoryStorage, Replay, Storage, StorageError};

/// How many bytes one answer from the journal carries.
const HISTORY_BYTES_MAX: usize = 256 << 10;
/// No world writes that much: history is never deleted, because nothing but history brings a replica up to date yet.
const HISTORY_KEPT: u64 = 1 << 40;

/// A journal and a durable snapshot.
pub struct Disk {
    storage: MemoryStorage,
    history: Arc<dyn History>,
    /// What the journal holds, for the checkers.
    records: Vec<JournalRecord>,
    /// Where the groups end that are written and not synced.
    unsynced: Vec<usize>,
    /// How many records are synced.
    durable: usize,
    /// What the persister writes when the sync under way has ended.
    waiting: Vec<Vec<JournalRecord>>,
    is_syncing: bool,
    /// How many records, those that wait included, must be durable before what is said now may leave.
    binding: usize,
    /// The newest snapshot that is wholly written.
    snapshot: Option<ReplicatedState>,
}

impl Default for Disk {
    fn default() -> Self {
        let storage = MemoryStorage::new(HISTORY_KEPT);
        Disk {
            history: storage.history(),
            storage,
            records: Vec::new(),
            unsynced: Vec::new(),
            durable: 0,
            waiting: Vec::new(),
            is_syncing: false,
            binding: 0,
            snapshot: None,
        }
    }
}

impl Disk {
    /// Takes the records of one step.
    ///
    /// # Errors
    /// Those of the journal.
    pub fn write(&mut self, group: Vec<JournalRecord>) -> Result<(), StorageError> {
        if group.is_empty() {
            return Ok(());
        }
        if group.iter().any(JournalRecord::must_sync) {
            self.binding = self.records.len() + self.waiting.iter().map(Vec::len).sum::<usize>() + group.len();
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
        self.storage.sync()?;
        let synced = self.records.get(self.durable..).unwrap_or_default().to_vec();
        self.durable = self.records.len();
        self.unsynced.clear();
        self.is_syncing = false;
        for group in std::mem::take(&mut self.waiting) {
            self.append(group)?;
        }
        Ok(synced)
    }

    /// Whether a sync is under way.
    #[must_use]
    pub fn is_syncing(&self) -> bool {
        self.is_syncing
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

    /// How many groups are written and not synced, and whether more wait to be written.
    #[must_use]
    pub fn at_risk(&self) -> (usize, bool) {
        (self.unsynced.len(), !self.waiting.is_empty())
    }

    /// What the journal holds.
    #[must_use]
    pub fn records(&self) -> &[JournalRecord] {
        &self.records
    }

    /// The power fails: of what is not durable, only the first `kept` groups stay.
    ///
    /// # Errors
    /// Those of the journal.
    pub fn crash(&mut self, kept: usize) -> Result<(), StorageError> {
        self.storage.crash(kept)?;
        let end = kept.checked_sub(1).and_then(|last| self.unsynced.get(last)).copied();
        self.records.truncate(end.unwrap_or(self.durable));
        self.durable = self.records.len();
        self.binding = 0;
        self.unsynced.clear();
        self.waiting.clear();
        self.is_syncing = false;
        Ok(())
    }

    /// A snapshot was written.
    ///
    /// # Errors
    /// Those of the journal.
    pub fn set_snapshot(&mut self, state: ReplicatedState) -> Result<(), StorageError> {
        let seq = state.position.seq;
        if self.snapshot.as_ref().is_none_or(|known| known.position.seq < seq) {
            self.snapshot = Some(state);
            self.storage.snapshot_durable(seq)?;
        }
        Ok(())
    }

    /// The newest snapshot.
    #[must_use]
    pub fn snapshot(&self) -> Option<&ReplicatedState> {
        self.snapshot.as_ref()
    }

    /// What a replica that starts gets.
    ///
    /// # Errors
    /// Those of the journal.
    pub fn recover(&self) -> Result<Recovered, StorageError> {
        self.storage.recover()
    }

    /// The committed batches after `after`, for replay.
    ///
    /// # Errors
    /// Those of the journal.
    pub fn replay(&self, after: SeqNum) -> Result<Vec<CommittedBatch>, StorageError> {
        Replay::after(Arc::clone(&self.history), after).collect()
    }

    /// The committed slots after `after` up to `through`, at most `slots_max` of them and not too many bytes.
    ///
    /// # Errors
    /// Those of the journal.
    pub fn history(&self, after: SeqNum, through: SeqNum, slots_max: u64) -> Result<Vec<CommittedSlot>, StorageError> {
        self.history.committed(after, through.min(after.plus(slots_max)), HISTORY_BYTES_MAX)
    }

    fn append(&mut self, group: Vec<JournalRecord>) -> Result<(), StorageError> {
        self.storage.append(&group)?;
        self.records.extend(group);
        self.unsynced.push(self.records.len());
        Ok(())
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Disk({} records, {} durable)", self.records.len(), self.durable)
    }
}
