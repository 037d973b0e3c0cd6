//! Opening a journal: the first pass of a recovery. Everything is read and checked once; what was durable is there,
//! or the replica does not start.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use quorate_crypto::Digest;

use super::disk::{Access, Disk, write_zeros};
use super::error::StorageError;
use super::folder::numbered_files;
use super::frame::Frame;
use super::group::Link;
use super::index::{Index, Part, Retention};
use super::journal::{ClosedSegment, Journal, JournalOptions, Opened, TornTailCut};
use super::scan::SegmentReader;
use super::sealed::Sealed;
use super::segment::{self, ActiveSegment, SegmentHeader};
use super::shelf::{Place, Shelf};
use crate::core::{Promises, Recovered};
use crate::types::SeqNum;

/// Opens the journal in the folder of a home.
pub(super) fn open(
    home: &Path,
    chain_id: Digest,
    options: JournalOptions,
    disk: Arc<dyn Disk>,
) -> Result<Opened, StorageError> {
    let folder = Journal::folder_in(home);
    let (mut sealed, last_sealed) = Sealed::open(&*disk, &folder)?;
    let files = numbered_files(&*disk, &folder, segment::ENDING)?;
    let (pass, active, torn_tail) = match files.first() {
        None => begin(&folder, chain_id, options, &*disk, last_sealed)?,
        Some((_, first)) => {
            let mut pass = FirstPass::starting_with(&*disk, chain_id, first, last_sealed)?;
            let last = pass.read(&*disk, &folder, &files)?;
            let (active, torn_tail) = last.settle(&*disk, options.segment_bytes)?;
            (pass, active, torn_tail)
        }
    };
    // What was read may have waited in the system's memory only; now it is durable.
    sealed.name(pass.tip)?;
    let shelf = Arc::new(Shelf::new(Arc::clone(&disk), folder.clone(), pass.index));
    let recovered = recover(&folder, &shelf, &pass.promises)?;
    let (stable, history_bytes) = (pass.promises.low_watermark(), options.history_bytes);
    let journal = Journal {
        lock: None,
        folder,
        chain_id,
        options,
        disk,
        shelf,
        sealed,
        closed: pass.closed.into(),
        active,
        active_slot_max: pass.slot_max,
        tip: pass.tip,
        synced: pass.tip,
        promises: pass.promises,
        retention: Retention { stable, snapshot: SeqNum::GENESIS, history_bytes },
        failed: None,
    };
    Ok(Opened { journal, recovered, torn_tail })
}

type Begun = (FirstPass, ActiveSegment, Option<TornTailCut>);

/// Makes the first segment of a new journal.
fn begin(
    folder: &Path,
    chain_id: Digest,
    options: JournalOptions,
    disk: &dyn Disk,
    last_sealed: Link,
) -> Result<Begun, StorageError> {
    if last_sealed != Link::default() {
        return Err(StorageError::damaged(folder, 0, "all segments are missing"));
    }
    let header = SegmentHeader::new(disk, chain_id, 1, Link::default(), Promises::default())?;
    let active = ActiveSegment::create(folder, disk, &header, options.segment_bytes, 0)?;
    Ok((FirstPass::new(chain_id, header, last_sealed), active, None))
}

/// The batches above the low watermark, and the check that every committed slot there can be replayed.
fn recover(folder: &Path, shelf: &Shelf, promises: &Promises) -> Result<Recovered, StorageError> {
    let low = promises.low_watermark();
    shelf.index_mut().forget_batches_through(low);
    let index = shelf.index();
    if promises.committed_through > low && index.oldest() > low.next() {
        let what = format!("the committed slots from {} to {} are missing", low.next(), index.oldest().previous());
        return Err(StorageError::damaged(folder, 0, what));
    }
    let batches = index.batches().map(|(key, place)| Ok((*key, shelf.batch(*place)?)));
    Ok(Recovered { promises: promises.clone(), batches: batches.collect::<Result<_, StorageError>>()? })
}

/// What is known of a journal up to the group `tip`.
struct FirstPass {
    chain_id: Digest,
    last_sealed: Link,
    tip: Link,
    promises: Promises,
    index: Index<Place>,
    closed: Vec<ClosedSegment>,
    /// The highest slot of any record in the segment that is read.
    slot_max: SeqNum,
    /// The number of the next segment.
    next_number: u64,
    /// Where the segment before ended.
    previous_end: (PathBuf, u64),
}

impl FirstPass {
    fn new(chain_id: Digest, first: SegmentHeader, last_sealed: Link) -> FirstPass {
        FirstPass {
            chain_id,
            last_sealed,
            tip: first.previous,
            index: Index::starting_after(first.promises.committed_through),
            promises: first.promises,
            closed: Vec::new(),
            slot_max: SeqNum::GENESIS,
            next_number: first.number,
            previous_end: (PathBuf::new(), 0),
        }
    }

    fn starting_with(
        disk: &dyn Disk,
        chain_id: Digest,
        first: &Path,
        last_sealed: Link,
    ) -> Result<FirstPass, StorageError> {
        let reader = SegmentReader::open(disk, first)?;
        Ok(FirstPass::new(chain_id, reader.header().clone(), last_sealed))
    }

    /// Reads all segments and returns the last one.
    fn read(&mut self, disk: &dyn Disk, folder: &Path, files: &[(u64, PathBuf)]) -> Result<LastSegment, StorageError> {
        let mut files = files.iter().peekable();
        loop {
            let Some((number, path)) = files.next() else {
                return Err(StorageError::damaged(folder, 0, "all segments are missing"));
            };
            let mut reader = SegmentReader::open(disk, path)?;
            self.enter(*number, &reader)?;
            let is_last = files.peek().is_none();
            let durable = self.read_groups(&mut reader, is_last)?;
            if is_last {
                return self.judge_end(reader, durable);
            }
            self.close(disk, reader)?;
        }
    }

    /// Checks that a segment continues the one before, and takes over the promises at its head.
    fn enter(&mut self, number: u64, reader: &SegmentReader) -> Result<(), StorageError> {
        let header = reader.header();
        let damaged = |what: String| Err(StorageError::damaged(reader.path(), 0, what));
        if number != self.next_number {
            return damaged(format!("the segment before is missing: number {}", self.next_number));
        }
        if header.number != number {
            return damaged(format!("the file holds segment {}", header.number));
        }
        if header.chain_id != self.chain_id {
            return damaged(format!("the segment belongs to network {}", header.chain_id));
        }
        if header.previous != self.tip {
            let (path, end) = &self.previous_end;
            let what =
                format!("a group is missing or changed: the next segment follows group {}", header.previous.number);
            return Err(StorageError::damaged(path, *end, what));
        }
        self.check_sealed(reader.path(), 0)?;
        self.promises = header.promises.clone();
        self.slot_max = SeqNum::GENESIS;
        self.next_number = number.saturating_add(1);
        Ok(())
    }

    /// Reads the intact groups of a segment, and returns the end of those that are known to be durable. The head of
    /// the next segment holds the fold of this one, so only the last segment's records are folded.
    fn read_groups(&mut self, reader: &mut SegmentReader, is_last: bool) -> Result<u64, StorageError> {
        let (path, segment) = (reader.path().to_path_buf(), reader.header().number);
        let mut durable = reader.offset();
        while let Some(group) = reader.next(self.tip)? {
            let (mut rest, mut offset) = (group.payload, group.offset);
            self.tip = group.link;
            while !rest.is_empty() {
                let damaged = |what: String| StorageError::damaged(&path, offset, what);
                let frame = Frame::first(rest).map_err(|what| damaged(what.to_owned()))?;
                if is_last {
                    self.promises.fold(&frame.record().map_err(damaged)?);
                }
                self.index.note(&frame.head, Place { segment, offset, bytes: frame.bytes.len() as u32 });
                self.slot_max = self.slot_max.max(frame.head.seq);
                offset += frame.bytes.len() as u64;
                rest = &rest[frame.bytes.len()..];
            }
            self.check_sealed(&path, offset)?;
            if self.tip.number <= self.last_sealed.number {
                durable = reader.offset();
            }
        }
        Ok(durable)
    }

    /// The group that `sealed` names must be the one that is here under its number.
    fn check_sealed(&self, path: &Path, offset: u64) -> Result<(), StorageError> {
        if self.tip.number == self.last_sealed.number && self.tip != self.last_sealed {
            let what = format!("group {} is not the one that was written and synced", self.tip.number);
            return Err(StorageError::damaged(path, offset, what));
        }
        Ok(())
    }

    /// A segment that has a successor was full and durable before that was made.
    fn close(&mut self, disk: &dyn Disk, reader: SegmentReader) -> Result<(), StorageError> {
        let (path, end, length) = (reader.path().to_path_buf(), reader.offset(), reader.length());
        if reader.tail()?.bytes() > 0 {
            let what = format!("group {} is damaged, or something follows the last one", self.tip.number + 1);
            return Err(StorageError::damaged(&path, end, what));
        }
        if length > end {
            let file = disk.open(&path, Access::Write);
            file.and_then(|file| file.set_bytes(end)).map_err(StorageError::io(&path, "shorten"))?;
        }
        self.closed.push(ClosedSegment { path: path.clone(), part: Part { bytes: end, slot_max: self.slot_max } });
        self.previous_end = (path, end);
        Ok(())
    }

    /// Decides what stands behind the last intact group: nothing, a write that a crash interrupted, or damage.
    fn judge_end(&self, reader: SegmentReader, durable: u64) -> Result<LastSegment, StorageError> {
        let (path, end, header) = (reader.path().to_path_buf(), reader.offset(), reader.header().clone());
        let lost = self.tip.number + 1;
        if self.last_sealed.number >= lost {
            let what = format!("group {lost} is damaged or missing, and group {} was durable", self.last_sealed.number);
            return Err(StorageError::damaged(&path, end, what));
        }
        let tail = reader.tail()?;
        if tail.proves_loss_after(self.tip) {
            let what = format!("group {lost} is damaged, and a later group proves that it was durable");
            return Err(StorageError::damaged(&path, end, what));
        }
        Ok(LastSegment { path, header, durable, end, torn_bytes: tail.bytes() })
    }
}

/// The end of a journal that was read.
struct LastSegment {
    path: PathBuf,
    header: SegmentHeader,
    /// Behind the last group that is known to be durable.
    durable: u64,
    /// Behind the last intact group.
    end: u64,
    /// What a crash left behind it.
    torn_bytes: u64,
}

impl LastSegment {
    /// Makes everything up to the end durable, and removes what stands behind it.
    fn settle(self, disk: &dyn Disk, segment_bytes: u64) -> Result<(ActiveSegment, Option<TornTailCut>), StorageError> {
        let mut active = ActiveSegment::reopen(&self.path, disk, &self.header, self.end)?;
        let settled = self.rewrite(&active).and_then(|()| {
            write_zeros(&*active.file, self.end, self.end + self.torn_bytes)?;
            active.file.sync()
        });
        settled.map_err(StorageError::io(&self.path, "write the last groups again"))?;
        if active.capacity < segment_bytes.max(self.end) {
            let reserved = active.file.allocate(segment_bytes.max(self.end));
            reserved.map_err(StorageError::io(&self.path, "reserve room for the segment"))?;
            active.capacity = segment_bytes.max(self.end);
        }
        let cut = TornTailCut { path: self.path, offset: self.end, bytes: self.torn_bytes };
        Ok((active, (cut.bytes > 0).then_some(cut)))
    }

    /// Writes the groups again that nobody has seen durable. After a failed sync the system may hold them in memory as
    /// if they were clean; a sync alone would then write nothing.
    fn rewrite(&self, active: &ActiveSegment) -> io::Result<()> {
        let mut offset = self.durable;
        let mut chunk = vec![0; 1 << 20];
        while offset < self.end {
            let bytes = (self.end - offset).min(chunk.len() as u64) as usize;
            active.file.read_exact_at(&mut chunk[..bytes], offset)?;
            active.file.write_all_at(&chunk[..bytes], offset)?;
            offset += bytes as u64;
        }
        Ok(())
    }
}
