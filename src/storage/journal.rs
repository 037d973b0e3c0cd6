//! The journal on disk: segments of groups of records.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use quorate_crypto::Digest;

use super::disk::Disk;
use super::error::StorageError;
use super::folder;
use super::frame::{self, Head, Kind};
use super::group::{self, GroupHeader, HEADER_BYTES, Link};
use super::home::Home;
use super::index::{Index, Part, Retention};
use super::loss::Loss;
use super::promises::{Claim, PromisesFile};
use super::recovery;
use super::replay::Replay;
use super::sealed::Sealed;
use super::segment::{ActiveSegment, SegmentHeader};
use super::shelf::{Place, Shelf};
use super::space::Room;
use super::{History, Storage};
use crate::config::NodeConfig;
use crate::core::{JournalRecord, Promises, Recovered, Space};
use crate::genesis::Limits;
use crate::messages::Bounds;
use crate::mutants::Mutant;
use crate::types::SeqNum;

/// The settings of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalOptions {
    /// The size of a segment. A larger one is made when a head and a group need it.
    pub segment_bytes: u64,
    /// How much history is kept below the low watermark, for those who fell behind.
    pub history_bytes: u64,
    /// L: how many slots above the low watermark may be voted on.
    pub window: u64,
    /// What the whole home may take on the disk; 0 for as much as there is.
    pub disk_bytes_max: u64,
    /// The room that must be left for a replica that votes. Two segments at least.
    pub disk_reserve_bytes: u64,
}

impl JournalOptions {
    /// The settings of a replica.
    #[must_use]
    pub fn new(config: &NodeConfig, limits: &Limits) -> Self {
        JournalOptions {
            segment_bytes: config.segment_bytes,
            history_bytes: config.history_bytes,
            window: limits.window(),
            disk_bytes_max: config.disk_bytes_max,
            disk_reserve_bytes: config.disk_reserve_bytes,
        }
    }
}

/// What opening a journal found.
#[derive(Debug)]
pub struct Opened {
    /// The journal, to write on.
    pub journal: Journal,
    /// What binds the replica: the first pass of its recovery.
    pub recovered: Recovered,
    /// What a crash had left unfinished, if anything. It promised nothing: no message had left for it.
    pub torn_tail: Option<TornTailCut>,
    /// What was durable and is damaged or missing. Whether promises are among it stands in `recovered` too.
    pub losses: Vec<Loss>,
}

/// An interrupted write at the end of the journal was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TornTailCut {
    /// The segment.
    pub path: PathBuf,
    /// Where it was cut.
    pub offset: u64,
    /// How much was removed.
    pub bytes: u64,
}

/// The journal of one replica. See docs/STORAGE.md for its format.
pub struct Journal {
    /// Keeps the home locked.
    pub(super) lock: Option<Home>,
    pub(super) home: PathBuf,
    pub(super) folder: PathBuf,
    pub(super) chain_id: Digest,
    pub(super) options: JournalOptions,
    pub(super) disk: Arc<dyn Disk>,
    pub(super) shelf: Arc<Shelf>,
    pub(super) sealed: Sealed,
    pub(super) promised: PromisesFile,
    pub(super) closed: VecDeque<ClosedSegment>,
    pub(super) active: ActiveSegment,
    /// The highest slot of any record in the active segment.
    pub(super) active_slot_max: SeqNum,
    /// The last group written.
    pub(super) tip: Link,
    /// The last group that is durable.
    pub(super) synced: Link,
    /// The fold of everything written.
    pub(super) promises: Promises,
    /// The low watermark and the snapshot that are durable.
    pub(super) retention: Retention,
    pub(super) room: Room,
    pub(super) failed: Option<StorageError>,
}

/// A segment that is full.
#[derive(Debug)]
pub(super) struct ClosedSegment {
    pub(super) path: PathBuf,
    pub(super) part: Part,
}

impl Journal {
    /// Opens the journal of a home and recovers what it promised; begins one in a new home.
    ///
    /// # Errors
    /// [`StorageError`] when a file cannot be read or written, or is of another version. Damage is no error: see
    /// [`Opened::losses`].
    pub fn open(home: &Home, options: JournalOptions, disk: Arc<dyn Disk>) -> Result<Opened, StorageError> {
        let mut opened = Self::open_folder(home.path(), home.identity().chain_id, options, disk)?;
        opened.journal.lock = Some(home.clone());
        Ok(opened)
    }

    /// As [`Journal::open`], in a folder that [`Journal::furnish`] made and that nobody else uses: for simulations.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn open_folder(
        folder: &Path,
        chain_id: Digest,
        options: JournalOptions,
        disk: Arc<dyn Disk>,
    ) -> Result<Opened, StorageError> {
        recovery::open(folder, chain_id, options, disk)
    }

    /// Makes the parts of a new home that bind its replica. To be called once: whatever of them is missing later was
    /// lost.
    ///
    /// # Errors
    /// [`StorageError`] when a file cannot be made.
    pub fn furnish(folder: &Path, disk: &dyn Disk) -> Result<(), StorageError> {
        let journal = Self::folder_in(folder);
        folder::create(disk, &journal)?;
        Sealed::begin(disk, &journal, Link::default())?;
        PromisesFile::begin(disk, folder, Claim::Bounded(Bounds::default()))?;
        Ok(())
    }

    /// The folder of the segments.
    pub(super) fn folder_in(home: &Path) -> PathBuf {
        home.join("journal")
    }

    /// The committed batches after `after`, for an executor that has restored a snapshot: the second pass.
    #[must_use]
    pub fn replay(&self, after: SeqNum) -> Replay {
        Replay::after(self.history(), after)
    }

    /// Whether every slot after `after` up to `through` can be replayed.
    #[must_use]
    pub fn can_replay(&self, after: SeqNum, through: SeqNum) -> bool {
        let index = self.shelf.index();
        after >= through || (index.oldest() <= after.next() && index.newest() >= through)
    }

    /// The fold of everything written.
    #[must_use]
    pub fn promises(&self) -> &Promises {
        &self.promises
    }

    /// Runs one operation, unless an earlier one failed. The first failure is final: what of a failed write or sync
    /// is on the disk is unknown, and a second sync would report success without having written anything.
    fn run(&mut self, operation: impl FnOnce(&mut Self) -> Result<(), StorageError>) -> Result<(), StorageError> {
        match &self.failed {
            Some(error) => Err(error.clone()),
            None => operation(self).inspect_err(|error| self.failed = Some(error.clone())),
        }
    }

    /// Bounds that the others have named stand in `promises` before the journal knows them. So no crash leaves a file
    /// without bounds beside a journal that has some: where they meet, the journal is an older copy.
    fn note_bounds(&mut self, records: &[JournalRecord]) -> Result<(), StorageError> {
        if self.promised.claim() != Claim::Unknown {
            return Ok(());
        }
        let mut promises = self.promises.clone();
        records.iter().for_each(|record| promises.fold(record));
        self.promised.write(recovery::claim(&promises, self.options.window))
    }

    fn append_groups(&mut self, records: &[JournalRecord]) -> Result<(), StorageError> {
        let mut group = OpenGroup::default();
        let mut first = 0;
        for (at, record) in records.iter().enumerate() {
            let rest = group.push(record)?;
            if let Some(rest) = rest {
                self.write_group(std::mem::replace(&mut group, rest), &records[first..at])?;
                first = at;
            }
        }
        self.write_group(group, &records[first..])
    }

    fn write_group(&mut self, mut group: OpenGroup, records: &[JournalRecord]) -> Result<(), StorageError> {
        if group.frames.is_empty() {
            return Ok(());
        }
        group.require_batches(&self.shelf.index());
        let bytes = group.bytes.len() as u64;
        if self.active.end + bytes > self.active.capacity {
            self.roll_over(bytes)?;
        }
        self.tip = GroupHeader::seal(&mut group.bytes, &self.active.salt, self.tip, self.synced.number);
        let written = self.active.file.write_all_at(&group.bytes, self.active.end);
        written.map_err(StorageError::io(&self.active.path, "write"))?;
        let mut index = self.shelf.index_mut();
        for (head, offset, bytes) in &group.frames {
            let place = Place { segment: self.active.number, offset: self.active.end + *offset as u64, bytes: *bytes };
            index.note(head, place);
            self.active_slot_max = self.active_slot_max.max(head.seq);
        }
        records.iter().for_each(|record| self.promises.fold(record));
        self.active.end += bytes;
        Ok(())
    }

    /// Closes the active segment and begins the next one. Its head holds the fold of all promises, so everything in it
    /// must be durable before.
    fn roll_over(&mut self, group_bytes: u64) -> Result<(), StorageError> {
        self.sync_active()?;
        let (number, promises) = (self.active.number + 1, self.promises.clone());
        let header = SegmentHeader::new(&*self.disk, self.chain_id, number, self.tip, promises)?;
        let segment_bytes = self.options.segment_bytes;
        let next = ActiveSegment::create_with_room(&self.folder, &*self.disk, &header, segment_bytes, group_bytes)?;
        let full = std::mem::replace(&mut self.active, next);
        full.file.set_bytes(full.end).map_err(StorageError::io(&full.path, "shorten"))?;
        let slot_max = std::mem::take(&mut self.active_slot_max);
        self.closed.push_back(ClosedSegment { path: full.path, part: Part { bytes: full.end, slot_max } });
        self.delete_expired()
    }

    fn sync_active(&mut self) -> Result<(), StorageError> {
        if self.synced == self.tip {
            return Ok(());
        }
        let sync = || if Mutant::NoFsync.lives() { Ok(()) } else { self.active.file.sync() };
        let synced = sync().or_else(|error| if Mutant::FsyncRetried.lives() { sync() } else { Err(error) });
        synced.map_err(StorageError::io(&self.active.path, "sync"))?;
        self.synced = self.tip;
        self.retention.stable = self.promises.low_watermark();
        self.sealed.name(self.synced)
    }

    /// When there is too little room, history goes that only peers need. It comes back with the room.
    fn make_room(&mut self) -> Result<Space, StorageError> {
        let mut space = self.room.measure(&*self.disk, &self.home)?;
        if space == Space::Low {
            let served = self.retention.served.take();
            self.retention.history_bytes = 0;
            self.delete_expired()?;
            self.retention.served = served;
            space = self.room.measure(&*self.disk, &self.home)?;
        } else {
            self.retention.history_bytes = self.options.history_bytes;
        }
        self.room.last = space;
        Ok(space)
    }

    /// Deletes closed segments whose promises stand in the head of a later one, whose slots nobody needs to replay
    /// and which peers can do without.
    fn delete_expired(&mut self) -> Result<(), StorageError> {
        let oldest = self.shelf.index().oldest();
        for _ in 0..self.retention.expired(self.closed.iter().map(|segment| &segment.part), oldest) {
            let Some(segment) = self.closed.pop_front() else { break };
            self.shelf.index_mut().forget_through(segment.part.slot_max);
            // One after the other, each durably, so that a crash never leaves a gap.
            folder::remove(&*self.disk, &segment.path)?;
        }
        Ok(())
    }
}

impl Storage for Journal {
    fn append(&mut self, records: &[JournalRecord]) -> Result<(), StorageError> {
        self.run(|journal| {
            journal.note_bounds(records)?;
            journal.append_groups(records)
        })
    }

    fn sync(&mut self) -> Result<(), StorageError> {
        self.run(|journal| {
            journal.sync_active()?;
            // After the journal, so that the file never claims more; before anything leaves that needs the growth.
            journal.promised.write(recovery::claim(&journal.promises, journal.options.window))?;
            journal.delete_expired()
        })
    }

    fn snapshot_durable(&mut self, seq: SeqNum) -> Result<(), StorageError> {
        self.run(|journal| {
            journal.retention.snapshot = journal.retention.snapshot.max(seq);
            journal.delete_expired()
        })
    }

    fn state_served(&mut self, oldest: SeqNum) {
        self.retention.served = Some(oldest);
    }

    fn space(&mut self) -> Result<Space, StorageError> {
        let mut space = Space::Low;
        self.run(|journal| {
            space = journal.make_room()?;
            Ok(())
        })?;
        Ok(space)
    }

    fn history(&self) -> Arc<dyn History> {
        Arc::clone(&self.shelf) as Arc<dyn History>
    }

    fn bytes_on_disk(&self) -> u64 {
        self.active.capacity + self.closed.iter().map(|segment| segment.part.bytes).sum::<u64>()
    }
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Journal({}, segment {}, group {})", self.folder.display(), self.active.number, self.tip.number)
    }
}

/// A group before it is written.
#[derive(Debug)]
struct OpenGroup {
    /// Room for the header, then frames.
    bytes: Vec<u8>,
    /// Head, offset in `bytes` and length of each frame.
    frames: Vec<(Head, usize, u32)>,
}

impl Default for OpenGroup {
    fn default() -> Self {
        OpenGroup { bytes: vec![0; HEADER_BYTES], frames: Vec::new() }
    }
}

impl OpenGroup {
    /// Adds a record. When it does not fit, it begins the next group, which is returned.
    fn push(&mut self, record: &JournalRecord) -> Result<Option<OpenGroup>, StorageError> {
        let offset = self.bytes.len();
        let (head, bytes) = frame::encode(record, &mut self.bytes)?;
        if self.frames.is_empty() || self.bytes.len() <= HEADER_BYTES + group::PAYLOAD_BYTES_MAX {
            self.frames.push((head, offset, bytes as u32));
            return Ok(None);
        }
        let mut next = OpenGroup::default();
        next.bytes.extend(self.bytes.drain(offset..));
        next.frames.push((head, HEADER_BYTES, bytes as u32));
        Ok(Some(next))
    }

    /// A commit without its batch could never be replayed: whoever asks for that is wrong.
    fn require_batches(&self, index: &Index<Place>) {
        let mut here: Vec<&Head> = Vec::new();
        for (head, ..) in &self.frames {
            match head.kind {
                Kind::Batch => here.push(head),
                Kind::Committed => {
                    let is_here = here.iter().any(|batch| batch.seq == head.seq && batch.digest == head.digest);
                    let is_known = is_here || index.has_batch(head.seq, head.digest);
                    assert!(is_known, "slot {} is committed, but its batch was never journalled", head.seq);
                }
                Kind::CheckpointStable | Kind::Promise => {}
            }
        }
    }
}
