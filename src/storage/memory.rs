//! The journal in memory, for simulations: the same records, frames and fold, and crashes on demand.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::Bytes;

use super::error::StorageError;
use super::frame::{self, Frame, Head};
use super::index::{Index, Part, Retention};
use super::shelf::within;
use super::{History, Storage};
use crate::core::{JournalRecord, Promises, Recovered, Space};
use crate::messages::CommittedSlot;
use crate::types::SeqNum;

/// A journal that outlives a simulated crash, but not its process. A clone is a journal of its own.
#[derive(Debug)]
pub struct MemoryStorage {
    image: Arc<RwLock<Image>>,
}

#[derive(Clone, Debug)]
struct Image {
    /// The fold of what was deleted.
    base: Promises,
    groups: VecDeque<Arc<Group>>,
    /// How many groups at the end a crash may lose.
    unsynced: usize,
    /// The fold of everything, and where it lies.
    promises: Promises,
    index: Index<Bytes>,
    retention: Retention,
}

#[derive(Debug)]
struct Group {
    frames: Vec<(Head, Bytes)>,
    part: Part,
}

impl MemoryStorage {
    /// An empty journal that keeps at least `history_bytes` below the low watermark.
    #[must_use]
    pub fn new(history_bytes: u64) -> Self {
        let image = Image {
            base: Promises::default(),
            groups: VecDeque::new(),
            unsynced: 0,
            promises: Promises::default(),
            index: Index::starting_after(SeqNum::GENESIS),
            retention: Retention { stable: SeqNum::GENESIS, snapshot: SeqNum::GENESIS, history_bytes },
        };
        MemoryStorage { image: Arc::new(RwLock::new(image)) }
    }

    /// How many groups were appended since the last sync.
    #[must_use]
    pub fn unsynced_groups(&self) -> usize {
        self.image().unsynced
    }

    /// The power fails: of the groups that were not synced the first `keep_unsynced` survive. What survived is durable
    /// from then on, as it is after opening a journal on disk.
    ///
    /// # Errors
    /// [`StorageError`] when a record that was appended cannot be read again.
    pub fn crash(&mut self, keep_unsynced: usize) -> Result<(), StorageError> {
        let mut image = self.image_mut();
        let lost = image.unsynced.saturating_sub(keep_unsynced);
        let kept = image.groups.len() - lost;
        image.groups.truncate(kept);
        image.unsynced = 0;
        image.read_again()
    }

    /// What a replica that starts is handed: the first pass of a recovery. [`Replay`](super::Replay) is the second.
    ///
    /// # Errors
    /// [`StorageError`] when a record that was appended cannot be read again.
    pub fn recover(&self) -> Result<Recovered, StorageError> {
        let image = self.image();
        let low = image.promises.low_watermark();
        let above = image.index.batches().filter(|((seq, _), _)| *seq > low);
        let batches = above.map(|(key, bytes)| Ok((*key, frame::batch(bytes).map_err(unreadable)?)));
        let batches = batches.collect::<Result<BTreeMap<_, _>, StorageError>>()?;
        Ok(Recovered { promises: image.promises.clone(), batches })
    }

    fn image(&self) -> RwLockReadGuard<'_, Image> {
        self.image.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn image_mut(&mut self) -> RwLockWriteGuard<'_, Image> {
        self.image.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clone for MemoryStorage {
    fn clone(&self) -> Self {
        MemoryStorage { image: Arc::new(RwLock::new(self.image().clone())) }
    }
}

impl Image {
    fn append(&mut self, records: &[JournalRecord]) -> Result<(), StorageError> {
        let mut bytes = Vec::new();
        let frames = records.iter().map(|record| frame::encode(record, &mut bytes));
        let frames = frames.collect::<Result<Vec<_>, StorageError>>()?;
        let mut rest = Bytes::from(bytes);
        let frames: Vec<_> = frames.into_iter().map(|(head, length)| (head, rest.split_to(length))).collect();
        let part = Part {
            bytes: frames.iter().map(|(_, bytes)| bytes.len() as u64).sum(),
            slot_max: frames.iter().map(|(head, _)| head.seq).max().unwrap_or_default(),
        };
        if !frames.is_empty() {
            frames.iter().for_each(|(head, bytes)| self.index.note(head, bytes.clone()));
            records.iter().for_each(|record| self.promises.fold(record));
            self.groups.push_back(Arc::new(Group { frames, part }));
            self.unsynced += 1;
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<(), StorageError> {
        self.unsynced = 0;
        let stable = self.promises.low_watermark();
        if stable == self.retention.stable {
            return Ok(());
        }
        self.retention.stable = stable;
        self.delete_expired()
    }

    fn delete_expired(&mut self) -> Result<(), StorageError> {
        let durable = self.groups.len() - self.unsynced;
        let expired =
            self.retention.expired(self.groups.iter().take(durable).map(|group| &group.part), self.index.oldest());
        for group in self.groups.drain(..expired) {
            self.index.forget_through(group.part.slot_max);
            fold(&mut self.base, &group)?;
        }
        Ok(())
    }

    /// Folds and indexes everything anew from what is stored.
    fn read_again(&mut self) -> Result<(), StorageError> {
        self.promises = self.base.clone();
        self.index = Index::starting_after(self.base.committed_through);
        for group in &self.groups {
            group.frames.iter().for_each(|(head, bytes)| self.index.note(head, bytes.clone()));
            fold(&mut self.promises, group)?;
        }
        self.retention.stable = self.promises.low_watermark();
        Ok(())
    }
}

fn fold(promises: &mut Promises, group: &Group) -> Result<(), StorageError> {
    group.frames.iter().try_for_each(|(_, bytes)| {
        let frame = Frame::first(bytes).map_err(|what| unreadable(what.to_owned()))?;
        promises.fold(&frame.record().map_err(unreadable)?);
        Ok(())
    })
}

fn unreadable(what: String) -> StorageError {
    StorageError::damaged(Path::new("memory"), 0, what)
}

impl Storage for MemoryStorage {
    fn append(&mut self, records: &[JournalRecord]) -> Result<(), StorageError> {
        self.image_mut().append(records)
    }

    fn sync(&mut self) -> Result<(), StorageError> {
        self.image_mut().sync()
    }

    fn snapshot_durable(&mut self, seq: SeqNum) -> Result<(), StorageError> {
        let mut image = self.image_mut();
        image.retention.snapshot = image.retention.snapshot.max(seq);
        image.delete_expired()
    }

    fn space(&mut self) -> Result<Space, StorageError> {
        Ok(Space::Enough)
    }

    fn history(&self) -> Arc<dyn History> {
        Arc::new(MemoryHistory(Arc::clone(&self.image)))
    }

    fn bytes_on_disk(&self) -> u64 {
        self.image().groups.iter().map(|group| group.part.bytes).sum()
    }
}

struct MemoryHistory(Arc<RwLock<Image>>);

impl MemoryHistory {
    fn image(&self) -> RwLockReadGuard<'_, Image> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl History for MemoryHistory {
    fn committed(&self, after: SeqNum, through: SeqNum, bytes_max: usize) -> Result<Vec<CommittedSlot>, StorageError> {
        let slots = within(self.image().index.slots(after, through), bytes_max, Bytes::len);
        let read = slots.into_iter().map(|(seq, slot)| {
            frame::committed_slot(seq, &slot.certificate, slot.batch.as_deref()).map_err(unreadable)
        });
        read.collect()
    }

    fn oldest(&self) -> SeqNum {
        self.image().index.oldest()
    }

    fn newest(&self) -> SeqNum {
        self.image().index.newest()
    }
}
