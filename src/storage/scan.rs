//! Reading a segment from its head to its last intact group, and judging what follows.

use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::disk::{Access, Cursor, Disk, DiskFile};
use super::error::StorageError;
use super::group::{self, GroupHeader, HEADER_BYTES, Link};
use super::read::is_intact;
use super::segment::SegmentHeader;

/// Reads the groups of a segment in order.
#[derive(Debug)]
pub(super) struct SegmentReader {
    path: PathBuf,
    file: Box<dyn DiskFile>,
    /// The length of the file.
    length: u64,
    header: SegmentHeader,
    /// Behind the last accepted group.
    offset: u64,
    /// Behind the group that was read last.
    next_offset: u64,
    payload: Vec<u8>,
}

/// An intact group.
#[derive(Debug)]
pub(super) struct Group<'a> {
    pub(super) link: Link,
    /// Where its records begin in the file.
    pub(super) offset: u64,
    /// Its records.
    pub(super) payload: &'a [u8],
}

impl SegmentReader {
    pub(super) fn open(disk: &dyn Disk, path: &Path) -> Result<SegmentReader, StorageError> {
        let failed = || StorageError::io(path, "read");
        let file = disk.open(path, Access::Read).map_err(failed())?;
        let (header, offset) = SegmentHeader::read(&*file, path)?;
        let length = file.bytes().map_err(failed())?;
        Ok(SegmentReader {
            path: path.to_path_buf(),
            file,
            length,
            header,
            offset,
            next_offset: offset,
            payload: Vec::new(),
        })
    }

    pub(super) fn header(&self) -> &SegmentHeader {
        &self.header
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// The group that follows `tip`, where the last accepted one ends; `None` when what stands there is not that group,
    /// intact.
    pub(super) fn next(&mut self, tip: Link) -> Result<Option<Group<'_>>, StorageError> {
        let Some(header) = self.read_group(tip).map_err(StorageError::io(&self.path, "read"))? else { return Ok(None) };
        let offset = self.offset + HEADER_BYTES as u64;
        self.next_offset = offset + self.payload.len() as u64;
        Ok(Some(Group { link: header.link(), offset, payload: &self.payload }))
    }

    /// Goes on behind the group that was read last.
    pub(super) fn accept(&mut self) {
        self.offset = self.next_offset;
    }

    fn read_group(&mut self, tip: Link) -> io::Result<Option<GroupHeader>> {
        let remaining = self.length.saturating_sub(self.offset);
        let Some(payload_max) = remaining.checked_sub(HEADER_BYTES as u64) else { return Ok(None) };
        let mut bytes = [0; HEADER_BYTES];
        self.file.read_exact_at(&mut bytes, self.offset)?;
        let header = GroupHeader::read(&bytes, &self.header.salt).filter(|header| header.follows(tip));
        // A length is believed under its checksum only, and never beyond the file.
        let Some(header) = header.filter(|header| u64::from(header.payload_bytes) <= payload_max) else {
            return Ok(None);
        };
        self.payload.resize(header.payload_bytes as usize, 0);
        self.file.read_exact_at(&mut self.payload, self.offset + HEADER_BYTES as u64)?;
        Ok(is_intact(&self.payload, header.payload_checksum).then_some(header))
    }

    /// What stands behind the last accepted group, without the zeros at its end.
    pub(super) fn tail(self) -> Result<Tail, StorageError> {
        let bytes = self.read_tail().map_err(StorageError::io(&self.path, "read"))?;
        Ok(Tail { bytes, salt: self.header.salt })
    }

    fn read_tail(&self) -> io::Result<Vec<u8>> {
        let cursor = Cursor { file: &*self.file, offset: self.offset, end: self.length };
        let mut file = BufReader::with_capacity(1 << 20, cursor);
        let mut tail = Vec::new();
        let mut zeros = 0;
        loop {
            let chunk = file.fill_buf()?;
            if chunk.is_empty() {
                return Ok(tail);
            }
            let read = chunk.len();
            // A clean segment is mostly zeros: they are kept only when something follows them.
            match chunk.iter().rposition(|byte| *byte != 0) {
                None => zeros += read,
                Some(last) => {
                    tail.resize(tail.len() + zeros, 0);
                    tail.extend_from_slice(&chunk[..=last]);
                    zeros = read - last - 1;
                }
            }
            file.consume(read);
        }
    }
}

/// What stands behind the last accepted group of a segment.
#[derive(Debug)]
pub(super) struct Tail {
    bytes: Vec<u8>,
    salt: group::Salt,
}

impl Tail {
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Whether something in it proves that the group behind `tip` was durable. A crash loses unsynced groups in any
    /// pattern, but what was written after a sync names the group that was synced.
    pub(super) fn proves_loss_after(&self, tip: Link) -> bool {
        let lost = tip.number.saturating_add(1);
        group::proven_durable(&self.bytes, &self.salt, lost).is_some_and(|durable| durable >= lost)
    }
}
