//! The file of a page store. Whatever redb makes of a damaged file, an error or a panic, is a value here.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::{Builder, Database, TableDefinition};

use super::SetAside;
use super::backend::Backend;
use crate::guard::{self, Panicked};
use crate::storage::error::StorageError;
use crate::storage::{Access, Disk, folder, loss};

/// The file, from its home.
const FILE: &str = "snapshots/state.redb";
/// What redb keeps in memory of the file. Every page is read once, at a start; later the upper levels of the store's own
/// trees are what a commit needs again.
const CACHE_BYTES: usize = 32 << 20;

/// One row: the head.
pub(super) const HEAD: TableDefinition<'_, u8, &[u8]> = TableDefinition::new("head");
/// First key to packed page.
pub(super) const CLIENTS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("clients");
/// First key to packed page.
pub(super) const APPLICATION: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("application");
/// Hash to encoded node.
pub(super) const STAGING: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("staging");

/// Why a piece of work on the file failed.
#[derive(Debug)]
pub(super) enum Fault {
    /// The file is not what was written to it.
    Damage(String),
    /// The disk refused.
    Disk(io::Error),
}

impl From<redb::Error> for Fault {
    fn from(error: redb::Error) -> Self {
        let is_damage =
            |error: &io::Error| matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof);
        #[expect(clippy::wildcard_enum_match_arm, reason = "the enum is redb's and not exhaustive")]
        match error {
            redb::Error::Io(error) if !is_damage(&error) => Fault::Disk(error),
            redb::Error::PreviousIo => Fault::Disk(io::Error::other("the disk failed before")),
            damage => Fault::Damage(damage.to_string()),
        }
    }
}

/// The file, open while all goes well.
pub(super) struct DatabaseFile {
    disk: Arc<dyn Disk>,
    home: PathBuf,
    path: PathBuf,
    database: Option<Database>,
}

impl DatabaseFile {
    pub(super) fn new(disk: Arc<dyn Disk>, home: &Path) -> Self {
        DatabaseFile { disk, home: home.to_path_buf(), path: path_in(home), database: None }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How long the file is.
    pub(super) fn bytes(&self) -> io::Result<u64> {
        self.disk.open(&self.path, Access::Read)?.bytes()
    }

    /// Works on the open file. After a failure it is closed, and the next piece of work opens it again: redb goes on
    /// with nothing that it has in memory, and repairs what was under way.
    pub(super) fn attempt<T>(
        &mut self,
        work: impl FnOnce(&mut Database) -> Result<T, redb::Error>,
    ) -> Result<T, Fault> {
        let result = guard::run_silently(|| match &mut self.database {
            Some(database) => work(database),
            closed @ None => work(closed.insert(open(self.disk.as_ref(), &self.path)?)),
        });
        let fault = match result {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => Fault::from(error),
            Err(Panicked(words)) => Fault::Damage(format!("reading the store made its library panic: {words}")),
        };
        self.close();
        Err(fault)
    }

    /// Moves the file out of the way; the next piece of work begins a new one.
    pub(super) fn set_aside(&mut self, what: String) -> Result<SetAside, StorageError> {
        self.close();
        let path = loss::set_aside(self.disk.as_ref(), &self.home, &self.path)?.unwrap_or_default();
        Ok(SetAside { path, what })
    }

    fn close(&mut self) {
        let database = self.database.take();
        // Closing writes, which can fail as everything can. What was committed does not depend on it.
        drop(guard::run_silently(|| drop(database)));
    }
}

impl Drop for DatabaseFile {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for DatabaseFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseFile({})", self.path.display())
    }
}

/// Where the file of a home is.
pub(in crate::storage) fn path_in(home: &Path) -> PathBuf {
    home.join(FILE)
}

fn open(disk: &dyn Disk, path: &Path) -> Result<Database, redb::Error> {
    match disk.open(path, Access::Write) {
        Ok(file) => database(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make(disk, path)?;
            database(disk.open(path, Access::Write)?)
        }
        Err(error) => Err(error.into()),
    }
}

/// Makes an empty store under a temporary name: a crash must not leave a half-made one that looks damaged.
fn make(disk: &dyn Disk, path: &Path) -> Result<(), redb::Error> {
    let temporary = path.with_extension(folder::TEMPORARY);
    let database = database(disk.create(&temporary)?)?;
    let transaction = database.begin_write()?;
    drop(transaction.open_table(HEAD)?);
    transaction.commit()?;
    drop(database);
    disk.rename(&temporary, path)?;
    match path.parent() {
        Some(folder) => Ok(disk.sync_folder(folder)?),
        None => Ok(()),
    }
}

fn database(file: Box<dyn crate::storage::DiskFile>) -> Result<Database, redb::Error> {
    Ok(Builder::new().set_cache_size(CACHE_BYTES).create_with_backend(Backend::new(file))?)
}
