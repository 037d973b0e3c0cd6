//! Segments: the files of the journal. Each opens with the fold of all promises before it.

use std::path::{Path, PathBuf};

use quorate_crypto::Digest;

use super::disk::{Access, Disk, DiskFile};
use super::error::StorageError;
use super::folder::{self, numbered_path};
use super::group::{Link, Salt};
use super::read::{Fields, is_intact};
use crate::codec::{self, DECODE_BYTES_MAX};
use crate::core::Promises;

pub(super) const ENDING: &str = "segment";
const MAGIC: [u8; 8] = *b"\xa7QJRNL\r\n";
const VERSION: u32 = 1;
/// Magic (8), version (4), number (8), chain id (32), salt (8), previous group (8 + 4), promises length (4), checksum.
const FIXED_BYTES: usize = 80;
/// The sizes of a segment when there is no room for a whole one.
const SMALL_SEGMENT_BYTES: [u64; 2] = [1 << 20, 64 << 10];

/// What stands at the head of a segment.
#[derive(Clone, Debug)]
pub(super) struct SegmentHeader {
    pub(super) number: u64,
    pub(super) chain_id: Digest,
    pub(super) salt: Salt,
    /// The last group of the segment before.
    pub(super) previous: Link,
    /// The fold of everything before this segment.
    pub(super) promises: Promises,
}

impl SegmentHeader {
    /// A header with fresh salt.
    pub(super) fn new(
        disk: &dyn Disk,
        chain_id: Digest,
        number: u64,
        previous: Link,
        promises: Promises,
    ) -> Result<Self, StorageError> {
        let salt = disk.random().map_err(StorageError::io(Path::new("/dev/urandom"), "draw random bytes"))?;
        Ok(SegmentHeader { number, chain_id, salt, previous, promises })
    }

    fn encode(&self) -> Result<Vec<u8>, StorageError> {
        let promises = codec::encode(&self.promises);
        if promises.len() > DECODE_BYTES_MAX {
            let (what, bytes) = ("the fold of the promises", promises.len());
            return Err(StorageError::TooLarge { what, bytes, max: DECODE_BYTES_MAX });
        }
        let mut header = Vec::with_capacity(FIXED_BYTES + promises.len() + 4);
        header.extend_from_slice(&MAGIC);
        header.extend_from_slice(&VERSION.to_le_bytes());
        header.extend_from_slice(&self.number.to_le_bytes());
        header.extend_from_slice(self.chain_id.as_bytes());
        header.extend_from_slice(&self.salt);
        header.extend_from_slice(&self.previous.number.to_le_bytes());
        header.extend_from_slice(&self.previous.checksum.to_le_bytes());
        header.extend_from_slice(&(promises.len() as u32).to_le_bytes());
        header.extend_from_slice(&crc32c::crc32c(&header).to_le_bytes());
        header.extend_from_slice(&promises);
        header.extend_from_slice(&crc32c::crc32c(&promises).to_le_bytes());
        Ok(header)
    }

    /// Reads the head of a segment, and says how long it is.
    pub(super) fn read(file: &dyn DiskFile, path: &Path) -> Result<(SegmentHeader, u64), StorageError> {
        let damaged = |offset: usize, what: &str| StorageError::damaged(path, offset as u64, what);
        let mut fixed = [0; FIXED_BYTES];
        file.read_exact_at(&mut fixed, 0).map_err(|_| damaged(0, "the head of the segment is cut off"))?;
        let Some((mut header, promises_bytes)) = Self::read_fixed(&fixed, path)? else {
            return Err(damaged(0, "the head of the segment is unreadable"));
        };
        // The length is under a checksum and limited; nothing is allocated for a larger one.
        if promises_bytes > DECODE_BYTES_MAX {
            return Err(damaged(0, "the promises at the head of the segment are too long"));
        }
        let mut bytes = vec![0; promises_bytes + 4];
        let read = file.read_exact_at(&mut bytes, FIXED_BYTES as u64);
        read.map_err(|_| damaged(FIXED_BYTES, "the promises at the head of the segment are cut off"))?;
        let (promises, checksum) = bytes.split_at(promises_bytes);
        if !Fields::new(checksum).u32().is_some_and(|checksum| is_intact(promises, checksum)) {
            return Err(damaged(FIXED_BYTES, "the checksum of the promises at the head of the segment is wrong"));
        }
        header.promises = codec::decode(promises).map_err(|error| damaged(FIXED_BYTES, &error.to_string()))?;
        Ok((header, (FIXED_BYTES + bytes.len()) as u64))
    }

    fn read_fixed(fixed: &[u8; FIXED_BYTES], path: &Path) -> Result<Option<(SegmentHeader, usize)>, StorageError> {
        let mut fields = Fields::new(fixed);
        let mut take = || {
            let magic: [u8; 8] = fields.array()?;
            let version = fields.u32()?;
            let header = SegmentHeader {
                number: fields.u64()?,
                chain_id: Digest::from_bytes(fields.array()?),
                salt: fields.array()?,
                previous: Link { number: fields.u64()?, checksum: fields.u32()? },
                promises: Promises::default(),
            };
            let promises_bytes = fields.u32()? as usize;
            let intact = magic == MAGIC && is_intact(&fixed[..FIXED_BYTES - 4], fields.u32()?);
            intact.then_some((version, header, promises_bytes))
        };
        match take() {
            None => Ok(None),
            Some((VERSION, header, promises_bytes)) => Ok(Some((header, promises_bytes))),
            Some((found, ..)) => Err(StorageError::Version { path: path.to_path_buf(), found, expected: VERSION }),
        }
    }
}

/// A segment that is written to.
#[derive(Debug)]
pub(super) struct ActiveSegment {
    pub(super) number: u64,
    pub(super) path: PathBuf,
    pub(super) file: Box<dyn DiskFile>,
    pub(super) salt: Salt,
    /// Where the next group begins.
    pub(super) end: u64,
    /// Up to where it has blocks.
    pub(super) capacity: u64,
}

impl ActiveSegment {
    /// Makes a segment with room for `segment_bytes`, and in any case for its head and a group of `group_bytes`. It
    /// gets its name only when its head is durable.
    pub(super) fn create(
        folder: &Path,
        disk: &dyn Disk,
        header: &SegmentHeader,
        segment_bytes: u64,
        group_bytes: u64,
    ) -> Result<ActiveSegment, StorageError> {
        let path = numbered_path(folder, header.number, ENDING);
        let temporary = path.with_extension(folder::TEMPORARY);
        let head = header.encode()?;
        let end = head.len() as u64;
        let capacity = segment_bytes.max(end + group_bytes);
        let file = disk.create(&temporary).map_err(StorageError::io(&temporary, "create the file"))?;
        let filled = file
            .allocate(capacity)
            .map_err(StorageError::io(&temporary, "reserve room for a segment"))
            .and_then(|()| file.write_all_at(&head, 0).map_err(StorageError::io(&temporary, "write")))
            .and_then(|()| file.sync().map_err(StorageError::io(&temporary, "sync")))
            .and_then(|()| disk.rename(&temporary, &path).map_err(StorageError::io(&path, "rename the new segment")))
            .and_then(|()| disk.sync_folder(folder).map_err(StorageError::io(folder, "sync the folder")));
        if let Err(error) = filled {
            // A half-made segment must not take the last room. Should this fail too, the next start removes it.
            let _ = disk.remove(&temporary);
            return Err(error);
        }
        Ok(ActiveSegment { number: header.number, path, file, salt: header.salt, end, capacity })
    }

    /// As [`ActiveSegment::create`], but a small one when there is no room for `segment_bytes`: the reserve is there
    /// for what must still be written.
    pub(super) fn create_with_room(
        folder: &Path,
        disk: &dyn Disk,
        header: &SegmentHeader,
        segment_bytes: u64,
        group_bytes: u64,
    ) -> Result<ActiveSegment, StorageError> {
        let mut created = Self::create(folder, disk, header, segment_bytes, group_bytes);
        for bytes in SMALL_SEGMENT_BYTES.into_iter().filter(|bytes| *bytes < segment_bytes) {
            if matches!(created, Err(StorageError::DiskFull { .. })) {
                created = Self::create(folder, disk, header, bytes, group_bytes);
            }
        }
        created
    }

    /// Opens the last segment again, to write on at `end`.
    pub(super) fn reopen(
        path: &Path,
        disk: &dyn Disk,
        header: &SegmentHeader,
        end: u64,
    ) -> Result<ActiveSegment, StorageError> {
        let file = disk.open(path, Access::Write).map_err(StorageError::io(path, "open"))?;
        let capacity = file.bytes().map_err(StorageError::io(path, "read the size"))?;
        Ok(ActiveSegment { number: header.number, path: path.to_path_buf(), file, salt: header.salt, end, capacity })
    }

    /// Makes room for this much. On a full disk the segment stays as long as it is.
    pub(super) fn reserve(&mut self, bytes: u64) -> Result<(), StorageError> {
        if self.capacity >= bytes {
            return Ok(());
        }
        match self.file.allocate(bytes).map_err(StorageError::io(&self.path, "reserve room for the segment")) {
            Ok(()) => self.capacity = bytes,
            Err(StorageError::DiskFull { .. }) => {
                // What was taken of the last room is given back.
                let shortened = self.file.set_bytes(self.capacity);
                shortened.map_err(StorageError::io(&self.path, "shorten"))?;
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
