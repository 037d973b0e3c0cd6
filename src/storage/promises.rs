//! The small file `promises`: what bounds everything this replica has ever signed. It tells a replica whose journal is
//! damaged how far it must keep away from what it may have said.
//!
//! It grows after the journal and before anything leaves that needs the growth. So it never says more than an intact
//! journal does; when it does, the journal has lost its end or was replaced by an older one. Only bounds that had been
//! lost and are named by the others come first: a journal that has bounds never stands beside a file that has none. Two copies are written and
//! synced one after the other: an interrupted write leaves the other, and one damaged copy loses nothing.

use std::path::{Path, PathBuf};

use super::disk::{Access, Disk, DiskFile};
use super::error::StorageError;
use super::folder;
use super::read::{self, Fields};
use crate::messages::Bounds;
use crate::types::{SeqNum, View};

const MAGIC: [u8; 4] = *b"\xa7QPR";
const VERSION: u32 = 1;
/// Magic (4), version (4), generation (8), whether the bounds are known (1), V (8), U (8), checksum (4).
const COPY_BYTES: usize = 37;
/// Each copy has a disk block of its own.
const COPY_OFFSETS: [u64; 2] = [0, 4096];
const FILE_BYTES: usize = 8192;

/// What the file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// Everything signed lies within.
    Bounded(Bounds),
    /// Both copies and the journal had been lost, and the others have not said yet what bounds it.
    Unknown,
}

/// What was found of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Both copies are intact.
    Intact(Claim),
    /// One is. It is enough.
    OneCopy(Claim),
    /// Neither is, or there is no file.
    Nothing(&'static str),
}

impl Found {
    pub(super) fn claim(&self) -> Option<Claim> {
        match self {
            Found::Intact(claim) | Found::OneCopy(claim) => Some(*claim),
            Found::Nothing(_) => None,
        }
    }
}

/// The open file.
#[derive(Debug)]
pub(super) struct PromisesFile {
    file: Box<dyn DiskFile>,
    path: PathBuf,
    generation: u64,
    claim: Claim,
}

impl PromisesFile {
    pub(super) fn path(home: &Path) -> PathBuf {
        home.join("promises")
    }

    /// Reads both copies; the younger intact one counts. It differs from the other only when a crash came between the
    /// two, and then nothing had left yet for which it was needed.
    pub(super) fn read(disk: &dyn Disk, home: &Path) -> Result<Found, StorageError> {
        let path = Self::path(home);
        let file = match disk.open(&path, Access::Read) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Found::Nothing("the file is missing"));
            }
            result => result.map_err(StorageError::io(&path, "open"))?,
        };
        let [first, second] = COPY_OFFSETS.map(|offset| read_copy(&*file, offset, &path));
        Ok(match (first?, second?) {
            (Some((older, _)), Some((younger, claim))) if older <= younger => Found::Intact(claim),
            (Some((_, claim)), Some(_)) => Found::Intact(claim),
            (Some((_, claim)), None) | (None, Some((_, claim))) => Found::OneCopy(claim),
            (None, None) => Found::Nothing("both copies are unreadable"),
        })
    }

    /// Makes the file, in place of whatever had its name.
    pub(super) fn begin(disk: &dyn Disk, home: &Path, claim: Claim) -> Result<PromisesFile, StorageError> {
        let path = Self::path(home);
        let mut bytes = vec![0; FILE_BYTES];
        for offset in COPY_OFFSETS {
            bytes[offset as usize..][..COPY_BYTES].copy_from_slice(&encode(0, claim));
        }
        folder::write_copies(disk, &path, &bytes)?;
        let file = disk.open(&path, Access::Write).map_err(StorageError::io(&path, "open"))?;
        Ok(PromisesFile { file, path, generation: 0, claim })
    }

    /// What the file says.
    pub(super) fn claim(&self) -> Claim {
        self.claim
    }

    /// Makes a claim durable, unless it is the one that is there.
    pub(super) fn write(&mut self, claim: Claim) -> Result<(), StorageError> {
        if claim == self.claim {
            return Ok(());
        }
        self.generation += 1;
        let copy = encode(self.generation, claim);
        for offset in COPY_OFFSETS {
            self.file.write_all_at(&copy, offset).map_err(StorageError::io(&self.path, "write"))?;
            self.file.sync().map_err(StorageError::io(&self.path, "sync"))?;
        }
        self.claim = claim;
        Ok(())
    }
}

fn encode(generation: u64, claim: Claim) -> [u8; COPY_BYTES] {
    let (is_known, bounds) = match claim {
        Claim::Bounded(bounds) => (1, bounds),
        Claim::Unknown => (0, Bounds::default()),
    };
    let mut copy = [0; COPY_BYTES];
    copy[..4].copy_from_slice(&MAGIC);
    copy[4..8].copy_from_slice(&VERSION.to_le_bytes());
    copy[8..16].copy_from_slice(&generation.to_le_bytes());
    copy[16] = is_known;
    copy[17..25].copy_from_slice(&bounds.view.0.to_le_bytes());
    copy[25..33].copy_from_slice(&bounds.seq.0.to_le_bytes());
    let checksum = crc32c::crc32c(&copy[..33]);
    copy[33..].copy_from_slice(&checksum.to_le_bytes());
    copy
}

/// The generation and the claim of an intact copy.
fn read_copy(file: &dyn DiskFile, offset: u64, path: &Path) -> Result<Option<(u64, Claim)>, StorageError> {
    let mut copy = [0; COPY_BYTES];
    match file.read_exact_at(&mut copy, offset) {
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
        result => result.map_err(StorageError::io(path, "read"))?,
    }
    match decode(&copy) {
        Some((VERSION, generation, claim)) => Ok(Some((generation, claim))),
        Some((found, ..)) => Err(StorageError::Version { path: path.to_path_buf(), found, expected: VERSION }),
        None => Ok(None),
    }
}

fn decode(copy: &[u8; COPY_BYTES]) -> Option<(u32, u64, Claim)> {
    let mut fields = Fields::new(copy);
    let magic: [u8; 4] = fields.array()?;
    let (version, generation, is_known) = (fields.u32()?, fields.u64()?, fields.u8()?);
    let bounds = Bounds { view: View(fields.u64()?), seq: SeqNum(fields.u64()?) };
    let is_intact = magic == MAGIC && read::is_intact(&copy[..COPY_BYTES - 4], fields.u32()?);
    let claim = if is_known == 1 { Claim::Bounded(bounds) } else { Claim::Unknown };
    is_intact.then_some((version, generation, claim))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::disk::SystemDisk;

    const DISK: SystemDisk = SystemDisk { fsync: false };

    fn claim(view: u64, seq: u64) -> Claim {
        Claim::Bounded(Bounds { view: View(view), seq: SeqNum(seq) })
    }

    fn damage(home: &Path, copy: usize) {
        let file = DISK.open(&PromisesFile::path(home), Access::Write).unwrap();
        file.write_all_at(b"x", COPY_OFFSETS[copy] + 20).unwrap();
    }

    #[test]
    fn the_format_is_the_documented_one() {
        let copy = encode(3, claim(5, 900));
        assert_eq!(copy[..8], *b"\xa7QPR\x01\0\0\0");
        assert_eq!(copy[8..17], *b"\x03\0\0\0\0\0\0\0\x01");
        assert_eq!(copy[17..33], *b"\x05\0\0\0\0\0\0\0\x84\x03\0\0\0\0\0\0");
        assert_eq!(copy[33..], crc32c::crc32c(&copy[..33]).to_le_bytes());
        assert_eq!(encode(3, Claim::Unknown)[16..33], [0; 17]);
    }

    #[test]
    fn what_was_written_last_is_read_from_either_copy() {
        for copy in 0..2 {
            let home = tempfile::tempdir().unwrap();
            let mut file = PromisesFile::begin(&DISK, home.path(), claim(0, 0)).unwrap();
            for claim in [claim(0, 256), claim(3, 256), Claim::Unknown, claim(5, 900)] {
                file.write(claim).unwrap();
                assert_eq!(PromisesFile::read(&DISK, home.path()).unwrap(), Found::Intact(claim));
            }
            damage(home.path(), copy);
            assert_eq!(PromisesFile::read(&DISK, home.path()).unwrap(), Found::OneCopy(claim(5, 900)));
            damage(home.path(), 1 - copy);
            assert_eq!(PromisesFile::read(&DISK, home.path()).unwrap().claim(), None);
        }
    }

    #[test]
    fn a_crash_between_the_copies_leaves_either_claim() {
        let home = tempfile::tempdir().unwrap();
        PromisesFile::begin(&DISK, home.path(), claim(1, 10)).unwrap();
        let file = DISK.open(&PromisesFile::path(home.path()), Access::Write).unwrap();
        file.write_all_at(&encode(1, claim(2, 20)), COPY_OFFSETS[0]).unwrap();
        assert_eq!(PromisesFile::read(&DISK, home.path()).unwrap(), Found::Intact(claim(2, 20)));
        file.write_all_at(&encode(1, claim(2, 20))[..10], COPY_OFFSETS[0]).unwrap();
        damage(home.path(), 0);
        assert_eq!(PromisesFile::read(&DISK, home.path()).unwrap(), Found::OneCopy(claim(1, 10)));
    }

    #[test]
    fn a_file_that_is_missing_or_cut_off_claims_nothing() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(PromisesFile::read(&DISK, home.path()).unwrap().claim(), None);
        std::fs::write(PromisesFile::path(home.path()), b"short").unwrap();
        assert_eq!(PromisesFile::read(&DISK, home.path()).unwrap().claim(), None);
    }
}
