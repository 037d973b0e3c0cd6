//! The journal's history: committed slots, read from its segments while they are written.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::History;
use super::disk::{Access, Disk, DiskFile};
use super::error::StorageError;
use super::folder::numbered_path;
use super::frame;
use super::index::{Index, Slot};
use super::segment;
use crate::batch::Batch;
use crate::messages::CommittedSlot;
use crate::messages::verify::COMMITTED_SLOTS_MAX;
use crate::types::SeqNum;

/// Where a frame lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) segment: u64,
    pub(super) offset: u64,
    pub(super) bytes: u32,
}

/// The index of a journal with the folder that it points into.
#[derive(Debug)]
pub(super) struct Shelf {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    index: RwLock<Index<Place>>,
}

impl Shelf {
    pub(super) fn new(disk: Arc<dyn Disk>, folder: PathBuf, index: Index<Place>) -> Self {
        Shelf { disk, folder, index: RwLock::new(index) }
    }

    pub(super) fn index(&self) -> RwLockReadGuard<'_, Index<Place>> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn index_mut(&self) -> RwLockWriteGuard<'_, Index<Place>> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The batch at a place.
    pub(super) fn batch(&self, place: Place) -> Result<Batch, StorageError> {
        let bytes = OpenSegments::new(self).read(place)?;
        frame::batch(&bytes).map_err(|what| self.damaged(place, what))
    }

    fn damaged(&self, place: Place, what: String) -> StorageError {
        StorageError::damaged(&self.segment_path(place), place.offset, what)
    }

    fn segment_path(&self, place: Place) -> PathBuf {
        numbered_path(&self.folder, place.segment, segment::ENDING)
    }

    fn slot(
        &self,
        files: &mut OpenSegments<'_>,
        seq: SeqNum,
        slot: &Slot<Place>,
    ) -> Result<CommittedSlot, StorageError> {
        let certificate = files.read(slot.certificate)?;
        let batch = slot.batch.map(|place| files.read(place)).transpose()?;
        let place = slot.batch.unwrap_or(slot.certificate);
        frame::committed_slot(seq, &certificate, batch.as_deref()).map_err(|what| self.damaged(place, what))
    }
}

impl History for Shelf {
    fn committed(&self, after: SeqNum, through: SeqNum, bytes_max: usize) -> Result<Vec<CommittedSlot>, StorageError> {
        let places = within(self.index().slots(after, through), bytes_max);
        let mut files = OpenSegments::new(self);
        let mut slots = Vec::with_capacity(places.len());
        for (seq, place) in places {
            match self.slot(&mut files, seq, &place) {
                Ok(slot) => slots.push(slot),
                // The slot was deleted while it was looked for. What was read is consecutive.
                Err(_) if self.index().oldest() > seq => break,
                Err(error) => return Err(error),
            }
        }
        Ok(slots)
    }

    fn oldest(&self) -> SeqNum {
        self.index().oldest()
    }

    fn newest(&self) -> SeqNum {
        self.index().newest()
    }
}

/// The first of these slots, as many as fit into `bytes_max` and one message, and at least one.
fn within<'a>(slots: impl Iterator<Item = (SeqNum, &'a Slot<Place>)>, bytes_max: usize) -> Vec<(SeqNum, Slot<Place>)> {
    let mut bytes = 0;
    let mut chosen = Vec::new();
    for (seq, slot) in slots.take(COMMITTED_SLOTS_MAX) {
        bytes += slot.certificate.bytes as usize + slot.batch.map_or(0, |place| place.bytes as usize);
        if bytes > bytes_max && !chosen.is_empty() {
            break;
        }
        chosen.push((seq, slot.clone()));
    }
    chosen
}

/// The segments that one question has opened.
struct OpenSegments<'a> {
    shelf: &'a Shelf,
    files: BTreeMap<u64, Box<dyn DiskFile>>,
}

impl<'a> OpenSegments<'a> {
    fn new(shelf: &'a Shelf) -> Self {
        OpenSegments { shelf, files: BTreeMap::new() }
    }

    fn read(&mut self, place: Place) -> Result<Vec<u8>, StorageError> {
        // The length comes from the index, which took it from a frame under a checksum.
        let mut bytes = vec![0; place.bytes as usize];
        self.read_into(place, &mut bytes).map_err(StorageError::io(&self.shelf.segment_path(place), "read"))?;
        Ok(bytes)
    }

    fn read_into(&mut self, place: Place, bytes: &mut [u8]) -> io::Result<()> {
        if !self.files.contains_key(&place.segment) {
            let file = self.shelf.disk.open(&self.shelf.segment_path(place), Access::Read)?;
            self.files.insert(place.segment, file);
        }
        match self.files.get(&place.segment) {
            Some(file) => file.read_exact_at(bytes, place.offset),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
}
