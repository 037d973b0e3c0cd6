//! Opening a journal: judges what the first pass found, makes what is intact durable, and puts aside what is damaged.
//!
//! A start never cuts something durable and then votes. What is damaged is either of no consequence for what the
//! replica promised, or the replica starts with [`Recovery::Lost`] and the bounds that the file `promises` names.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use quorate_crypto::Digest;

use super::disk::{Access, Disk, write_zeros};
use super::error::StorageError;
use super::folder::{self, numbered_files};
use super::group::Link;
use super::index::{Part, Retention};
use super::journal::{ClosedSegment, Journal, JournalOptions, Opened, TornTailCut};
use super::loss::{self, Harm, Loss};
use super::promises::{self, Claim, PromisesFile};
use super::sealed::{self, Sealed};
use super::segment::{self, ActiveSegment, SegmentHeader};
use super::shelf::Shelf;
use super::space::Room;
use super::survey::{LastSegment, Overlong, Survey};
use crate::batch::null_digest;
use crate::core::{Promises, Recovered, Recovery, Space};
use crate::messages::Bounds;
use crate::mutants::Mutant;
use crate::types::SeqNum;

/// Opens the journal in the folder of a home.
pub(super) fn open(
    home: &Path,
    chain_id: Digest,
    options: JournalOptions,
    disk: Arc<dyn Disk>,
) -> Result<Opened, StorageError> {
    let mut opening = Opening::examine(home, chain_id, options, disk)?;
    opening.judge();
    let (active, torn_tail) = opening.settle()?;
    opening.finish(active, torn_tail)
}

/// A journal that is being opened.
struct Opening {
    home: PathBuf,
    folder: PathBuf,
    chain_id: Digest,
    options: JournalOptions,
    disk: Arc<dyn Disk>,
    sealed: sealed::Found,
    promised: promises::Found,
    survey: Survey,
}

impl Opening {
    /// Reads everything and changes nothing but unfinished files.
    fn examine(
        home: &Path,
        chain_id: Digest,
        options: JournalOptions,
        disk: Arc<dyn Disk>,
    ) -> Result<Opening, StorageError> {
        let folder = Journal::folder_in(home);
        folder::create(&*disk, &folder)?;
        folder::remove_unfinished(&*disk, &folder)?;
        let sealed = Sealed::read(&*disk, &folder)?;
        let promised = PromisesFile::read(&*disk, home)?;
        let files = numbered_files(&*disk, &folder, segment::ENDING)?;
        let survey = Survey::of(&*disk, chain_id, sealed.link(), &files)?;
        Ok(Opening { home: home.to_path_buf(), folder, chain_id, options, disk, sealed, promised, survey })
    }

    /// Decides what the damage costs. When promises may be lost, the fold says so from here on.
    fn judge(&mut self) {
        self.judge_sealed();
        self.judge_promised();
        self.judge_batches();
        let losses = &mut self.survey.losses;
        if self.survey.last.is_none() {
            losses.push(Loss::new(&self.folder, 0, "no segment is readable", Harm::Promises));
        }
        if self.promised.claim() == Some(Claim::Bounded(Bounds::default())) {
            // Nothing has ever been granted: the first start of this home did not get far enough to promise anything.
            losses.iter_mut().for_each(|loss| loss.harm = Harm::Nothing);
            if self.survey.last.is_none() && self.sealed == sealed::Found::Intact(Link::default()) {
                losses.clear();
            }
        }
        if Mutant::DamagedRecordCut.lives() {
            losses.clear();
        }
        if losses.iter().any(|loss| loss.harm == Harm::Promises) {
            let known = self.survey.promises.bounds(self.options.window);
            self.survey.promises.recovery = match (self.survey.promises.recovery, self.promised.claim()) {
                (Recovery::Complete | Recovery::Lost(Some(_)), Some(Claim::Bounded(bounds))) => {
                    Recovery::Lost(Some(bounds.max(known)))
                }
                // What bounded it before is known not to be enough, or not known at all.
                (Recovery::Lost(None), _) | (_, Some(Claim::Unknown) | None) => Recovery::Lost(None),
            };
        }
    }

    fn judge_sealed(&mut self) {
        let path = Sealed::path(&self.folder);
        let loss = match self.sealed {
            sealed::Found::Intact(_) => return,
            sealed::Found::OneCopy(_) => {
                let has_tail = self.survey.last.as_ref().is_some_and(|last| last.tail_bytes > 0);
                let harm = if has_tail { Harm::Promises } else { Harm::Nothing };
                Loss::new(&path, 0, "one of two copies is unreadable", harm)
            }
            sealed::Found::Nothing(what) => {
                Loss::new(&path, 0, format!("{what}; the journal may have lost its end"), Harm::Promises)
            }
        };
        self.survey.losses.push(loss);
    }

    fn judge_promised(&mut self) {
        let path = PromisesFile::path(&self.home);
        let known = self.survey.promises.bounds(self.options.window);
        let is_known = self.survey.promises.recovery != Recovery::Lost(None);
        let loss = match (&self.promised, self.promised.claim()) {
            (promises::Found::Nothing(what), _) => Loss::new(&path, 0, *what, Harm::Nothing),
            (_, Some(Claim::Bounded(bounds))) if is_known && known.max(bounds) != known => {
                let what = format!("view {} and slot {} were promised", bounds.view, bounds.seq);
                Loss::new(&self.folder, 0, format!("the journal is older than it was: {what}"), Harm::Promises)
            }
            // Bounds are noted there before the journal knows of them, so no crash leaves these two side by side.
            (_, Some(Claim::Unknown)) if is_known => {
                let what =
                    "the journal is older than it was: promises were lost since, and their bounds were not known";
                Loss::new(&self.folder, 0, what, Harm::Promises)
            }
            (promises::Found::OneCopy(_), _) => Loss::new(&path, 0, "one of two copies is unreadable", Harm::Nothing),
            (promises::Found::Intact(_), _) => return,
        };
        self.survey.losses.push(loss);
    }

    /// Whether damage took a batch that the fold still needs. Without damage every batch is there; while the replica
    /// recovers from earlier damage it is known that some are not.
    fn judge_batches(&mut self) {
        let (promises, index) = (&self.survey.promises, &self.survey.index);
        if promises.recovery != Recovery::Complete {
            return;
        }
        let low = promises.low_watermark();
        let has_gap = promises.committed_through > low && index.oldest() > low.next();
        if !has_gap && self.survey.losses.iter().all(|loss| loss.harm == Harm::Nothing) {
            return;
        }
        let accepted = promises.pre_prepared.iter().map(|(seq, signed)| (*seq, signed.payload.digest));
        let prepared = promises.prepared.iter().map(|(seq, certificate)| (*seq, certificate.digest()));
        let committed = promises.committed.iter().map(|(seq, certificate)| (*seq, certificate.digest()));
        let mut needed = accepted.chain(prepared).chain(committed).filter(|(seq, _)| *seq > low);
        let missing = needed.find(|(seq, digest)| *digest != null_digest(*seq) && !index.has_batch(*seq, *digest));
        if let Some((seq, _)) = missing {
            let what = format!("the batch of slot {seq} is missing");
            self.survey.losses.push(Loss::new(&self.folder, 0, what, Harm::Promises));
        } else if has_gap {
            let what = format!("the slots from {} to {} are missing", low.next(), index.oldest().previous());
            self.survey.losses.push(Loss::new(&self.folder, 0, what, Harm::History));
        }
    }

    /// Makes what is intact durable, and finds or makes the segment that is written on. When promises are lost, or
    /// there is no end to go on from, a new segment says so at its head, before anything damaged is touched.
    fn settle(&mut self) -> Result<(ActiveSegment, Option<TornTailCut>), StorageError> {
        let is_lost = self.survey.losses.iter().any(|loss| loss.harm == Harm::Promises);
        match self.survey.last.take() {
            Some(last) if !is_lost && !last.is_damaged => last.settle(&*self.disk, self.options.segment_bytes),
            last => {
                if let Some(last) = last {
                    last.confirm(&*self.disk)?;
                    self.retire(last);
                }
                let Some(number) = self.survey.number_max.checked_add(1) else {
                    return Err(StorageError::damaged(&self.folder, 0, "a segment has the highest number there is"));
                };
                let promises = self.survey.promises.clone();
                let header = SegmentHeader::new(&*self.disk, self.chain_id, number, self.survey.tip, promises)?;
                let segment_bytes = self.options.segment_bytes;
                Ok((ActiveSegment::create_with_room(&self.folder, &*self.disk, &header, segment_bytes, 0)?, None))
            }
        }
    }

    /// The last segment gets a successor.
    fn retire(&mut self, last: LastSegment) {
        let part = Part { bytes: last.end, slot_max: std::mem::take(&mut self.survey.slot_max) };
        let overlong = Overlong { path: last.path.clone(), end: last.end, is_damaged: last.tail_bytes > 0 };
        self.survey.overlong.push(overlong);
        self.survey.closed.push(ClosedSegment { path: last.path, part });
    }

    /// The journal stands on its own now; what was damaged may go.
    fn finish(mut self, active: ActiveSegment, torn_tail: Option<TornTailCut>) -> Result<Opened, StorageError> {
        self.put_aside()?;
        let Opening { home, folder, chain_id, options, disk, survey, .. } = self;
        // What was read may have waited in the system's memory only; now it is durable.
        let sealed = Sealed::begin(&*disk, &folder, survey.tip)?;
        let promised = PromisesFile::begin(&*disk, &home, claim(&survey.promises, options.window))?;
        let low = survey.promises.low_watermark();
        let mut index = survey.index;
        index.forget_batches_through(low);
        let shelf = Arc::new(Shelf::new(Arc::clone(&disk), folder.clone(), index));
        let recovered = recover(&shelf, &survey.promises)?;
        let (snapshot, history_bytes) = (SeqNum::GENESIS, options.history_bytes);
        let retention = Retention { stable: low, snapshot, served: None, history_bytes };
        let room =
            Room { bytes_max: options.disk_bytes_max, reserve_bytes: options.disk_reserve_bytes, last: Space::Enough };
        let journal = Journal {
            lock: None,
            home,
            folder,
            chain_id,
            options,
            disk,
            shelf,
            sealed,
            promised,
            closed: survey.closed.into(),
            active,
            active_slot_max: survey.slot_max,
            tip: survey.tip,
            synced: survey.tip,
            promises: survey.promises,
            retention,
            room,
            failed: None,
        };
        Ok(Opened { journal, recovered, torn_tail, losses: survey.losses })
    }

    fn put_aside(&mut self) -> Result<(), StorageError> {
        let disk = Arc::clone(&self.disk);
        for path in &self.survey.useless {
            loss::set_aside(&*disk, &self.home, path)?;
        }
        for Overlong { path, end, is_damaged } in std::mem::take(&mut self.survey.overlong) {
            if is_damaged {
                self.keep_copy(&path, end)?;
            }
            let file = disk.open(&path, Access::Write).map_err(StorageError::io(&path, "open"))?;
            let shortened = file.set_bytes(end).and_then(|()| file.sync());
            shortened.map_err(StorageError::io(&path, "shorten"))?;
        }
        if !matches!(self.sealed, sealed::Found::Intact(_)) {
            self.keep_copy(&Sealed::path(&self.folder), 0)?;
        }
        if !matches!(self.promised, promises::Found::Intact(_)) {
            self.keep_copy(&PromisesFile::path(&self.home), 0)?;
        }
        Ok(())
    }

    /// Keeps a copy of a file that is changed from `offset` on. It serves curiosity only: a start does not fail for
    /// want of room for it, but says what goes without one.
    fn keep_copy(&mut self, path: &Path, offset: u64) -> Result<(), StorageError> {
        match loss::keep_copy(&*self.disk, &self.home, path) {
            Err(StorageError::DiskFull { .. }) => {
                let what = "there was no room to keep a copy: what stood from here on is gone";
                self.survey.losses.push(Loss::new(path, offset, what, Harm::Nothing));
                Ok(())
            }
            result => result,
        }
    }
}

/// What the file `promises` must say of these promises.
pub(super) fn claim(promises: &Promises, window: u64) -> Claim {
    match promises.recovery {
        Recovery::Lost(None) => Claim::Unknown,
        Recovery::Lost(Some(_)) | Recovery::Complete => Claim::Bounded(promises.bounds(window)),
    }
}

/// What a replica that starts is handed: its promises, and the batches above the low watermark.
fn recover(shelf: &Shelf, promises: &Promises) -> Result<Recovered, StorageError> {
    let index = shelf.index();
    let batches = index.batches().map(|(key, place)| Ok((*key, shelf.batch(*place)?)));
    Ok(Recovered { promises: promises.clone(), batches: batches.collect::<Result<_, StorageError>>()? })
}

impl LastSegment {
    /// Makes everything up to the end durable, and removes what stands behind it.
    fn settle(self, disk: &dyn Disk, segment_bytes: u64) -> Result<(ActiveSegment, Option<TornTailCut>), StorageError> {
        let mut active = ActiveSegment::reopen(&self.path, disk, &self.header, self.end)?;
        let settled = self.rewrite(&active).and_then(|()| {
            write_zeros(&*active.file, self.end, self.end + self.tail_bytes)?;
            active.file.sync()
        });
        settled.map_err(StorageError::io(&self.path, "write the last groups again"))?;
        active.reserve(segment_bytes.max(self.end))?;
        let cut = TornTailCut { path: self.path, offset: self.end, bytes: self.tail_bytes };
        Ok((active, (cut.bytes > 0).then_some(cut)))
    }

    /// Makes everything up to the end durable, and leaves the rest as it is.
    fn confirm(&self, disk: &dyn Disk) -> Result<(), StorageError> {
        let active = ActiveSegment::reopen(&self.path, disk, &self.header, self.end)?;
        let confirmed = self.rewrite(&active).and_then(|()| active.file.sync());
        confirmed.map_err(StorageError::io(&self.path, "write the last groups again"))
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
