//! The small file `sealed`: the last group that the disk has confirmed. It decides whether a damaged last group is a
//! write that a crash interrupted, or the loss of something durable.
//!
//! It is overwritten after every sync and not synced itself, so after a power failure it may name an earlier group;
//! never a later one. Two copies are written in turn, so that an interrupted write leaves the other.

use std::io;
use std::path::{Path, PathBuf};

use super::disk::{Access, Disk, DiskFile};
use super::error::StorageError;
use super::folder;
use super::group::Link;
use super::read::{Fields, is_intact};

const MAGIC: [u8; 4] = *b"\xa7QSL";
/// Magic (4), number (8), checksum of the group (4), checksum (4).
const COPY_BYTES: usize = 20;
/// Each copy has a disk block of its own.
const COPY_OFFSETS: [u64; 2] = [0, 4096];
const FILE_BYTES: usize = 8192;

/// What was found of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The newest of two intact copies.
    Intact(Link),
    /// The only intact copy. The other may have named one group more.
    OneCopy(Link),
    /// Neither is intact, or there is no file.
    Nothing(&'static str),
}

impl Found {
    /// The last group that is known to have been durable.
    pub(super) fn link(&self) -> Link {
        match self {
            Found::Intact(link) | Found::OneCopy(link) => *link,
            Found::Nothing(_) => Link::default(),
        }
    }
}

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

    /// Reads the newest copy.
    pub(super) fn read(disk: &dyn Disk, journal: &Path) -> Result<Found, StorageError> {
        let path = Self::path(journal);
        let file = match disk.open(&path, Access::Read) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing("the file is missing")),
            result => result.map_err(StorageError::io(&path, "open"))?,
        };
        let [first, second] = COPY_OFFSETS.map(|offset| read_copy(&*file, offset, &path));
        Ok(match (first?, second?) {
            (Some(first), Some(second)) if first.number > second.number => Found::Intact(first),
            (Some(_), Some(second)) => Found::Intact(second),
            (Some(link), None) | (None, Some(link)) => Found::OneCopy(link),
            (None, None) => Found::Nothing("both copies are unreadable"),
        })
    }

    /// Makes the file, in place of whatever had its name, durably: it names `link`.
    pub(super) fn begin(disk: &dyn Disk, journal: &Path, link: Link) -> Result<Sealed, StorageError> {
        let path = Self::path(journal);
        let mut bytes = vec![0; FILE_BYTES];
        for offset in COPY_OFFSETS {
            bytes[offset as usize..][..COPY_BYTES].copy_from_slice(&encode(link));
        }
        folder::write_copies(disk, &path, &bytes)?;
        let file = disk.open(&path, Access::Write).map_err(StorageError::io(&path, "open"))?;
        Ok(Sealed { file, path, next: 0 })
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

fn read_copy(file: &dyn DiskFile, offset: u64, path: &Path) -> Result<Option<Link>, StorageError> {
    let mut copy = [0; COPY_BYTES];
    match file.read_exact_at(&mut copy, offset) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(StorageError::io(path, "read")(error)),
        Ok(()) => Ok(decode(&copy)),
    }
}

fn decode(copy: &[u8; COPY_BYTES]) -> Option<Link> {
    let mut fields = Fields::new(copy);
    let magic: [u8; 4] = fields.array()?;
    let link = Link { number: fields.u64()?, checksum: fields.u32()? };
    (magic == MAGIC && is_intact(&copy[..16], fields.u32()?)).then_some(link)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::disk::SystemDisk;

    const DISK: SystemDisk = SystemDisk { fsync: false };

    fn link(number: u64) -> Link {
        Link { number, checksum: 7 }
    }

    fn found(folder: &Path) -> Found {
        Sealed::read(&DISK, folder).unwrap()
    }

    #[test]
    fn the_format_is_the_documented_one() {
        let copy = encode(link(258));
        assert_eq!(copy[..16], *b"\xa7QSL\x02\x01\0\0\0\0\0\0\x07\0\0\0");
        assert_eq!(copy[16..], crc32c::crc32c(&copy[..16]).to_le_bytes());
    }

    #[test]
    fn the_newest_group_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut sealed = Sealed::begin(&DISK, folder.path(), Link::default()).unwrap();
        assert_eq!(found(folder.path()), Found::Intact(Link::default()));
        for number in 1..6 {
            sealed.name(link(number)).unwrap();
            assert_eq!(found(folder.path()), Found::Intact(link(number)));
        }
        // What is made anew may name an earlier group: the later ones were lost.
        Sealed::begin(&DISK, folder.path(), link(2)).unwrap();
        assert_eq!(found(folder.path()), Found::Intact(link(2)));
    }

    #[test]
    fn one_damaged_copy_leaves_the_other_and_two_leave_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut sealed = Sealed::begin(&DISK, folder.path(), Link::default()).unwrap();
        sealed.name(link(1)).unwrap();
        sealed.name(link(2)).unwrap();
        sealed.file.write_all_at(b"x", COPY_OFFSETS[1] + 5).unwrap();
        assert_eq!(found(folder.path()), Found::OneCopy(link(1)));
        sealed.file.write_all_at(b"x", COPY_OFFSETS[0] + 5).unwrap();
        assert!(matches!(found(folder.path()), Found::Nothing(_)));
        std::fs::remove_file(Sealed::path(folder.path())).unwrap();
        assert!(matches!(found(folder.path()), Found::Nothing(_)));
    }
}
