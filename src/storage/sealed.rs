//! The small file `sealed`: the last group that the disk has confirmed. It decides whether a damaged last group is a
//! write that a crash interrupted, or the loss of something durable.
//!
//! It is overwritten after every sync and never synced itself, so after a power failure it may name an earlier group;
//! never a later one. Two copies are written in turn, so that an interrupted write leaves the other.

use std::io;
use std::path::{Path, PathBuf};

use super::disk::{Access, Disk, DiskFile};
use super::error::StorageError;
use super::folder;
use super::group::Link;
use super::read::Fields;

const MAGIC: [u8; 4] = *b"\xa7QSL";
/// Magic (4), number (8), checksum of the group (4), checksum (4).
const COPY_BYTES: usize = 20;
/// Each copy has a disk block of its own.
const COPY_OFFSETS: [u64; 2] = [0, 4096];
const FILE_BYTES: usize = 8192;

/// The open file.
#[derive(Debug)]
pub(super) struct Sealed {
    file: Box<dyn DiskFile>,
    path: PathBuf,
    /// The copy that is written next: not the newest one.
    next: usize,
}

impl Sealed {
    pub(super) fn path(journal: &Path) -> PathBuf {
        journal.join("sealed")
    }

    /// Makes the file of a new journal.
    pub(super) fn create(disk: &dyn Disk, journal: &Path) -> Result<(), StorageError> {
        let mut bytes = vec![0; FILE_BYTES];
        bytes[..COPY_BYTES].copy_from_slice(&encode(Link::default()));
        folder::write_whole(disk, &Self::path(journal), &bytes)
    }

    /// Opens the file and reads the newest copy.
    pub(super) fn open(disk: &dyn Disk, journal: &Path) -> Result<(Sealed, Link), StorageError> {
        let path = Self::path(journal);
        let file = match disk.open(&path, Access::Write) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(StorageError::damaged(&path, 0, "the file is missing; the journal may have lost its end"));
            }
            result => result.map_err(StorageError::io(&path, "open"))?,
        };
        let copies = COPY_OFFSETS.map(|offset| read(&*file, offset));
        let newest = copies.into_iter().enumerate().filter_map(|(at, copy)| Some((at, copy?)));
        match newest.max_by_key(|(_, link)| link.number) {
            Some((at, link)) => Ok((Sealed { file, path, next: 1 - at }, link)),
            None => Err(StorageError::damaged(&path, 0, "both copies are unreadable")),
        }
    }

    /// Names the last group that is durable.
    pub(super) fn name(&mut self, link: Link) -> Result<(), StorageError> {
        let result = self.file.write_all_at(&encode(link), COPY_OFFSETS[self.next]);
        self.next = 1 - self.next;
        result.map_err(StorageError::io(&self.path, "write"))
    }
}

fn encode(link: Link) -> [u8; COPY_BYTES] {
    let mut copy = [0; COPY_BYTES];
    copy[..4].copy_from_slice(&MAGIC);
    copy[4..12].copy_from_slice(&link.number.to_le_bytes());
    copy[12..16].copy_from_slice(&link.checksum.to_le_bytes());
    let checksum = crc32c::crc32c(&copy[..16]);
    copy[16..].copy_from_slice(&checksum.to_le_bytes());
    copy
}

fn read(file: &dyn DiskFile, offset: u64) -> Option<Link> {
    let mut copy = [0; COPY_BYTES];
    file.read_exact_at(&mut copy, offset).ok()?;
    let mut fields = Fields::new(&copy);
    let magic: [u8; 4] = fields.array()?;
    let link = Link { number: fields.u64()?, checksum: fields.u32()? };
    (magic == MAGIC && fields.u32()? == crc32c::crc32c(&copy[..16])).then_some(link)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::disk::SystemDisk;

    const DISK: SystemDisk = SystemDisk { fsync: false };

    fn link(number: u64) -> Link {
        Link { number, checksum: 7 }
    }

    #[test]
    fn names_the_newest_group_after_reopening() {
        let folder = tempfile::tempdir().unwrap();
        Sealed::create(&DISK, folder.path()).unwrap();
        assert_eq!(Sealed::open(&DISK, folder.path()).unwrap().1, Link::default());
        for number in 1..6 {
            let (mut sealed, _) = Sealed::open(&DISK, folder.path()).unwrap();
            sealed.name(link(number)).unwrap();
            assert_eq!(Sealed::open(&DISK, folder.path()).unwrap().1, link(number));
        }
    }

    #[test]
    fn one_damaged_copy_leaves_the_other_and_two_are_damage() {
        let folder = tempfile::tempdir().unwrap();
        Sealed::create(&DISK, folder.path()).unwrap();
        let (mut sealed, _) = Sealed::open(&DISK, folder.path()).unwrap();
        sealed.name(link(1)).unwrap();
        sealed.name(link(2)).unwrap();
        sealed.file.write_all_at(b"x", COPY_OFFSETS[0] + 5).unwrap();
        assert_eq!(Sealed::open(&DISK, folder.path()).unwrap().1, link(1));
        sealed.file.write_all_at(b"x", COPY_OFFSETS[1] + 5).unwrap();
        assert!(matches!(Sealed::open(&DISK, folder.path()), Err(StorageError::Damaged { .. })));
        std::fs::remove_file(Sealed::path(folder.path())).unwrap();
        assert!(matches!(Sealed::open(&DISK, folder.path()), Err(StorageError::Damaged { .. })));
    }
}
