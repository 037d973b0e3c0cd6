//! The first pass of a recovery: every segment is read and checked once. Nothing is changed here.
//!
//! The head of a segment holds the fold of all promises before it. So the last readable head and the groups behind it
//! say what binds the replica; what is damaged before that head costs history, and the batches that the fold still
//! needs. What is damaged behind it costs promises.

use std::path::{Path, PathBuf};

use quorate_crypto::Digest;

use super::disk::Disk;
use super::error::StorageError;
use super::frame::{Frame, Head};
use super::group::Link;
use super::index::{Index, Part};
use super::journal::ClosedSegment;
use super::loss::{Harm, Loss};
use super::scan::{Group, SegmentReader};
use super::segment::SegmentHeader;
use super::shelf::Place;
use crate::core::{JournalRecord, Promises};
use crate::types::SeqNum;

/// What the segments of a journal hold.
pub(super) struct Survey {
    chain_id: Digest,
    /// The last group that is known to have been durable.
    sealed: Link,
    /// The last intact group.
    pub(super) tip: Link,
    /// The fold up to it.
    pub(super) promises: Promises,
    /// The unbroken run of segments that ends with the last one.
    pub(super) index: Index<Place>,
    pub(super) closed: Vec<ClosedSegment>,
    pub(super) last: Option<LastSegment>,
    /// Closed segments with zeros or something damaged behind their end.
    pub(super) overlong: Vec<Overlong>,
    /// Files that hold nothing of use.
    pub(super) useless: Vec<PathBuf>,
    pub(super) losses: Vec<Loss>,
    /// The highest slot of any record in the segment that is read.
    pub(super) slot_max: SeqNum,
    /// The highest number of any file.
    pub(super) number_max: u64,
    /// Whether the break before the next readable segment is accounted for.
    is_break_known: bool,
}

/// A closed segment that must be shortened.
pub(super) struct Overlong {
    pub(super) path: PathBuf,
    pub(super) end: u64,
    /// Whether what stands behind the end is worth a look.
    pub(super) is_damaged: bool,
}

/// The end of a journal that was read.
pub(super) struct LastSegment {
    pub(super) path: PathBuf,
    pub(super) header: SegmentHeader,
    /// Behind the last group that is known to be durable.
    pub(super) durable: u64,
    /// Behind the last intact group.
    pub(super) end: u64,
    /// How much stands behind it.
    pub(super) tail_bytes: u64,
    /// Whether something durable is missing behind it.
    pub(super) is_damaged: bool,
}

impl Survey {
    /// Reads these segments of a journal, whose last durable group is known to be `sealed`, or a later one.
    pub(super) fn of(
        disk: &dyn Disk,
        chain_id: Digest,
        sealed: Link,
        files: &[(u64, PathBuf)],
    ) -> Result<Survey, StorageError> {
        let mut survey = Survey {
            chain_id,
            sealed,
            tip: Link::default(),
            promises: Promises::default(),
            index: Index::starting_after(SeqNum::GENESIS),
            closed: Vec::new(),
            last: None,
            overlong: Vec::new(),
            useless: Vec::new(),
            losses: Vec::new(),
            slot_max: SeqNum::GENESIS,
            number_max: files.last().map_or(0, |(number, _)| *number),
            is_break_known: true,
        };
        let mut last = None;
        for (at, (number, path)) in files.iter().enumerate().rev() {
            if survey.open(disk, *number, path)?.is_ok() {
                last = Some(at);
                break;
            }
        }
        for (at, (number, path)) in files.iter().enumerate() {
            match survey.open(disk, *number, path)? {
                Ok(reader) => survey.read(reader, Some(at) == last)?,
                Err(mut loss) => {
                    loss.harm = if last.is_some_and(|last| at < last) { Harm::History } else { Harm::Promises };
                    survey.losses.push(loss);
                    survey.useless.push(path.clone());
                    survey.is_break_known = true;
                }
            }
        }
        Ok(survey)
    }

    /// Opens a segment; the loss when its head is not readable, or not that of the segment with this number.
    fn open(&self, disk: &dyn Disk, number: u64, path: &Path) -> Result<Result<SegmentReader, Loss>, StorageError> {
        let reader = match SegmentReader::open(disk, path) {
            Err(StorageError::Damaged { offset, what, .. }) => {
                return Ok(Err(Loss::new(path, offset, what, Harm::Promises)));
            }
            result => result?,
        };
        let header = reader.header();
        let what = if header.number != number {
            format!("the file holds segment {}", header.number)
        } else if header.chain_id != self.chain_id {
            format!("the segment belongs to network {}", header.chain_id)
        } else {
            return Ok(Ok(reader));
        };
        Ok(Err(Loss::new(path, 0, what, Harm::Promises)))
    }

    fn read(&mut self, mut reader: SegmentReader, is_last: bool) -> Result<(), StorageError> {
        self.enter(&reader);
        let (durable, broken) = self.read_groups(&mut reader, is_last)?;
        if let Some(what) = &broken {
            let harm = if is_last { Harm::Promises } else { Harm::History };
            self.losses.push(Loss::new(reader.path(), reader.offset(), what.clone(), harm));
            self.is_break_known = true;
        }
        if is_last { self.judge_end(reader, durable, broken.is_some()) } else { self.close(reader) }
    }

    /// Takes over the promises at the head of a segment. When it does not continue the one before, what lies before is
    /// of no use: history is contiguous, and batches may be missing in it.
    fn enter(&mut self, reader: &SegmentReader) {
        let header = reader.header();
        self.promises = header.promises.clone();
        self.slot_max = SeqNum::GENESIS;
        let is_first = self.closed.is_empty();
        if is_first || header.previous != self.tip {
            if let Some(before) = self.closed.last()
                && !self.is_break_known
            {
                let what =
                    format!("a group is missing or changed: the next segment follows group {}", header.previous.number);
                self.losses.push(Loss::new(&before.path, before.part.bytes, what, Harm::History));
            }
            self.useless.extend(self.closed.drain(..).map(|segment| segment.path));
            self.overlong.clear();
            self.index = Index::starting_after(header.promises.committed_through);
            self.tip = header.previous;
        } else if let Some(before) = self.overlong.last().filter(|overlong| overlong.is_damaged)
            && self.closed.last().is_some_and(|segment| segment.path == before.path)
        {
            let what = "something stands behind the last group";
            self.losses.push(Loss::new(&before.path, before.end, what, Harm::Nothing));
        }
        self.is_break_known = false;
    }

    /// Reads the intact groups of a segment. Returns the end of those that are known to be durable, and what is wrong
    /// with a group whose checksum is right. Only the last segment's records are folded: the head of the next one
    /// holds the fold of the others.
    fn read_groups(
        &mut self,
        reader: &mut SegmentReader,
        is_last: bool,
    ) -> Result<(u64, Option<String>), StorageError> {
        let (path, segment) = (reader.path().to_path_buf(), reader.header().number);
        let mut durable = reader.offset();
        self.check_sealed(&path, durable);
        loop {
            let Some(group) = reader.next(self.tip)? else { return Ok((durable, None)) };
            let frames = match frames(&group, segment) {
                Ok(frames) => frames,
                Err(what) => return Ok((durable, Some(what))),
            };
            let records = if is_last { records(&group) } else { Ok(Vec::new()) };
            match records {
                Ok(records) => records.iter().for_each(|record| self.promises.fold(record)),
                Err(what) => return Ok((durable, Some(what))),
            }
            self.tip = group.link;
            for (head, place) in frames {
                self.index.note(&head, place);
                self.slot_max = self.slot_max.max(head.seq);
            }
            reader.accept();
            self.check_sealed(&path, reader.offset());
            if self.tip.number <= self.sealed.number {
                durable = reader.offset();
            }
        }
    }

    /// The group that `sealed` names must be the one that is here under its number.
    fn check_sealed(&mut self, path: &Path, offset: u64) {
        if self.tip.number == self.sealed.number && self.tip != self.sealed {
            let what = format!("group {} is not the one that was written and synced", self.tip.number);
            let loss = Loss::new(path, offset, what, Harm::Promises);
            if !self.losses.contains(&loss) {
                self.losses.push(loss);
            }
        }
    }

    /// A segment that has a successor was full and durable before that was made.
    fn close(&mut self, reader: SegmentReader) -> Result<(), StorageError> {
        let (path, end, length) = (reader.path().to_path_buf(), reader.offset(), reader.length());
        if length > end {
            let is_damaged = reader.tail()?.bytes() > 0;
            self.overlong.push(Overlong { path: path.clone(), end, is_damaged });
        }
        self.closed.push(ClosedSegment { path, part: Part { bytes: end, slot_max: self.slot_max } });
        Ok(())
    }

    /// Decides what stands behind the last intact group: nothing, a write that a crash interrupted, or damage.
    fn judge_end(&mut self, reader: SegmentReader, durable: u64, is_broken: bool) -> Result<(), StorageError> {
        let (path, end, header) = (reader.path().to_path_buf(), reader.offset(), reader.header().clone());
        let lost = self.tip.number.saturating_add(1);
        let tail = reader.tail()?;
        let what = if self.sealed.number >= lost {
            Some(format!("group {lost} is damaged or missing, and group {} was durable", self.sealed.number))
        } else if tail.proves_loss_after(self.tip) {
            Some(format!("group {lost} is damaged, and a later group proves that it was durable"))
        } else {
            None
        };
        let is_damaged = is_broken || what.is_some();
        self.losses.extend(what.map(|what| Loss::new(&path, end, what, Harm::Promises)));
        self.last = Some(LastSegment { path, header, durable, end, tail_bytes: tail.bytes(), is_damaged });
        Ok(())
    }
}

/// The heads of a group's records, with their places.
fn frames(group: &Group<'_>, segment: u64) -> Result<Vec<(Head, Place)>, String> {
    let (mut rest, mut offset) = (group.payload, group.offset);
    let mut frames = Vec::new();
    while !rest.is_empty() {
        let frame = Frame::first(rest)?;
        let bytes = frame.bytes.len();
        frames.push((frame.head, Place { segment, offset, bytes: bytes as u32 }));
        offset += bytes as u64;
        rest = rest.get(bytes..).unwrap_or_default();
    }
    Ok(frames)
}

/// The records of a group.
fn records(group: &Group<'_>) -> Result<Vec<JournalRecord>, String> {
    let mut rest = group.payload;
    let mut records = Vec::new();
    while !rest.is_empty() {
        let frame = Frame::first(rest)?;
        records.push(frame.record()?);
        rest = rest.get(frame.bytes.len()..).unwrap_or_default();
    }
    Ok(records)
}
