//! Snapshots: the application's state after a slot, one file each. The newest two are kept.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use super::History;
use super::blocks::{BlockReader, BlockWriter};
use super::disk::SystemDisk;
use super::error::StorageError;
use super::folder::{self, numbered_files, numbered_path};
use super::home::Home;
use crate::types::SeqNum;

pub(super) const ENDING: &str = "snapshot";
const KEPT: usize = 2;
const DISK: SystemDisk = SystemDisk { fsync: true };

/// The snapshots of a home.
#[derive(Debug)]
pub struct SnapshotStore {
    home: Home,
    folder: PathBuf,
}

/// What was found at start.
#[derive(Debug)]
pub struct Latest {
    /// The newest intact snapshot; `None` means the genesis.
    pub snapshot: Option<(SeqNum, SnapshotReader)>,
    /// Newer ones that are damaged. The journal makes up for them, but somebody should look at the disk.
    pub damaged: Vec<DamagedSnapshot>,
}

/// A snapshot that is not usable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamagedSnapshot {
    /// The slot in its name.
    pub seq: SeqNum,
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub what: String,
}

impl SnapshotStore {
    /// Opens the snapshots of a home, and removes those that were not finished.
    ///
    /// # Errors
    /// [`StorageError`] when the folder cannot be read.
    pub fn open(home: &Home) -> Result<SnapshotStore, StorageError> {
        numbered_files(&DISK, &home.snapshots(), ENDING)?;
        Ok(SnapshotStore { home: home.clone(), folder: home.snapshots() })
    }

    /// Writes the snapshot of the state after `seq`. It is durable, and only then visible, when this returns; then
    /// all but the newest two are deleted.
    ///
    /// # Errors
    /// [`StorageError`] when `write` or the disk failed. Older snapshots are untouched.
    pub fn write(&self, seq: SeqNum, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), StorageError> {
        let path = numbered_path(&self.home.snapshots(), seq.0, ENDING);
        let temporary = path.with_extension(folder::TEMPORARY);
        if let Err(error) = self.write_file(&temporary, seq, write) {
            // A half-written snapshot must not take the last room. Should this fail too, the next start removes it.
            let _ = fs::remove_file(&temporary);
            return Err(error);
        }
        folder::publish(&DISK, &temporary, &path)?;
        self.delete_old()
    }

    /// Where they are.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn write_file(
        &self,
        path: &Path,
        seq: SeqNum,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), StorageError> {
        let file = File::create(path).map_err(StorageError::io(path, "create the file"))?;
        let written = BlockWriter::begin(BufWriter::new(file), self.home.identity().chain_id, seq)
            .and_then(|mut blocks| write(&mut blocks).and_then(|()| blocks.finish()))
            .and_then(|buffered| buffered.into_inner().map_err(io::IntoInnerError::into_error));
        let file = written.map_err(StorageError::io(path, "write"))?;
        file.sync_all().map_err(StorageError::io(path, "sync"))
    }

    fn delete_old(&self) -> Result<(), StorageError> {
        let files = numbered_files(&DISK, &self.home.snapshots(), ENDING)?;
        let old = files.len().saturating_sub(KEPT);
        files.iter().take(old).try_for_each(|(_, path)| folder::remove(&DISK, path))
    }

    /// The newest snapshot whose every byte is intact. An older one, or the genesis, takes the place of a damaged one
    /// when `history` holds everything between them.
    ///
    /// # Errors
    /// [`StorageError::Damaged`] with the newest snapshot when neither it nor history can be used.
    pub fn latest(&self, history: &dyn History) -> Result<Latest, StorageError> {
        let mut damaged: Vec<DamagedSnapshot> = Vec::new();
        for (number, path) in numbered_files(&DISK, &self.home.snapshots(), ENDING)?.into_iter().rev() {
            let seq = SeqNum(number);
            let checked = self.read(&path, seq).and_then(|mut all| io::copy(&mut all, &mut io::sink()));
            match checked {
                Ok(_) => {
                    require_history(history, seq, &damaged)?;
                    let reader = self.read(&path, seq).map_err(StorageError::io(&path, "read"))?;
                    return Ok(Latest { snapshot: Some((seq, reader)), damaged });
                }
                Err(error) if is_damage(&error) => {
                    damaged.push(DamagedSnapshot { seq, path, what: error.to_string() });
                }
                Err(error) => return Err(StorageError::io(&path, "read")(error)),
            }
        }
        require_history(history, SeqNum::GENESIS, &damaged)?;
        Ok(Latest { snapshot: None, damaged })
    }

    fn read(&self, path: &Path, seq: SeqNum) -> io::Result<SnapshotReader> {
        BlockReader::begin(File::open(path)?, self.home.identity().chain_id, seq).map(SnapshotReader)
    }
}

/// Whether history leads from `seq` over everything that the damaged snapshots held.
fn require_history(history: &dyn History, seq: SeqNum, damaged: &[DamagedSnapshot]) -> Result<(), StorageError> {
    match damaged.first() {
        Some(newest) if history.oldest() > seq.next() || history.newest() < newest.seq => {
            let what = format!("{}; no older snapshot with the history behind it can replace it", newest.what);
            Err(StorageError::damaged(&newest.path, 0, what))
        }
        Some(_) | None => Ok(()),
    }
}

fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}

/// The bytes of a snapshot. Each is given out only after the checksum of its block was found right.
#[derive(Debug)]
pub struct SnapshotReader(BlockReader<File>);

impl Read for SnapshotReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}
