//! What a start found damaged, and where the damaged files go.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::disk::{Access, Disk};
use super::error::StorageError;
use super::folder;

/// How many damaged files are kept, and how many bytes of them; the newest in any case.
const FILES_KEPT: usize = 16;
const BYTES_KEPT: u64 = 256 << 20;

/// Something that was durable is damaged or missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The file or folder.
    pub path: PathBuf,
    /// Where in it.
    pub offset: u64,
    /// What was found.
    pub what: String,
    /// What it costs.
    pub harm: Harm,
}

/// What a loss costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Harm {
    /// Nothing: what is damaged stands elsewhere too, or held nothing.
    Nothing,
    /// Committed slots that this replica could have executed again or served. The others serve them.
    History,
    /// Something that binds this replica: it may not vote until it is clear of all that it may have said.
    Promises,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cost = match self.harm {
            Harm::Nothing => "nothing is lost",
            Harm::History => "only history is lost, which the other replicas serve",
            Harm::Promises => "this replica does not know all that it has promised and will not vote before it is safe",
        };
        write!(f, "{}: damaged at offset {}: {}; {cost}", self.path.display(), self.offset, self.what)
    }
}

impl Loss {
    pub(super) fn new(path: &Path, offset: u64, what: impl Into<String>, harm: Harm) -> Self {
        Loss { path: path.to_path_buf(), offset, what: what.into(), harm }
    }
}

/// Where damaged files are kept. Nothing reads them; somebody may want to look at them.
pub(super) fn folder_in(home: &Path) -> PathBuf {
    home.join("damaged")
}

/// Moves a file that is of no use any more out of the way; says where it is then. Not an error when it is not there.
pub(super) fn set_aside(disk: &dyn Disk, home: &Path, path: &Path) -> Result<Option<PathBuf>, StorageError> {
    let Some(to) = free_name(disk, home, path)? else { return Ok(None) };
    match disk.rename(path, &to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        result => result.map_err(StorageError::io(path, "set the damaged file aside"))?,
    }
    folder::sync_name(disk, &to)?;
    folder::sync_name(disk, path)?;
    remove_oldest(disk, &folder_in(home));
    Ok(Some(to))
}

/// Keeps a copy of a file that is about to be repaired. Not an error when it is not there.
pub(super) fn keep_copy(disk: &dyn Disk, home: &Path, path: &Path) -> Result<(), StorageError> {
    let Some(to) = free_name(disk, home, path)? else { return Ok(()) };
    let from = match disk.open(path, Access::Read) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        result => result.map_err(StorageError::io(path, "open"))?,
    };
    let temporary = to.with_extension(folder::TEMPORARY);
    let copied = disk.create(&temporary).and_then(|copy| {
        let end = from.bytes()?;
        let mut chunk = vec![0; 1 << 20];
        let mut offset = 0;
        while offset < end {
            let bytes = (end - offset).min(chunk.len() as u64) as usize;
            from.read_exact_at(&mut chunk[..bytes], offset)?;
            copy.write_all_at(&chunk[..bytes], offset)?;
            offset += bytes as u64;
        }
        copy.sync()
    });
    if let Err(error) = copied {
        // Half a copy must not take the last room. Should this fail too, it is in nobody's way.
        let _ = disk.remove(&temporary);
        return Err(StorageError::io(path, "copy the damaged file")(error));
    }
    folder::publish(disk, &temporary, &to)?;
    remove_oldest(disk, &folder_in(home));
    Ok(())
}

/// A name in the folder of damaged files that nothing has yet. Its number is higher than all others: it tells their age.
fn free_name(disk: &dyn Disk, home: &Path, path: &Path) -> Result<Option<PathBuf>, StorageError> {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return Ok(None) };
    let folder = folder_in(home);
    folder::create(disk, &folder)?;
    let taken = disk.list(&folder).map_err(StorageError::io(&folder, "list the folder"))?;
    let newest = taken.iter().map(|name| number_of(name)).max();
    let free = newest.map_or_else(|| name.to_owned(), |newest| format!("{name}.{}", newest.saturating_add(1)));
    Ok(Some(folder.join(free)))
}

/// The number of a damaged file; the first one has none.
fn number_of(name: &str) -> u32 {
    name.rsplit_once('.').and_then(|(_, number)| number.parse().ok()).unwrap_or(0)
}

/// Bounds the room that damaged files take. Nothing depends on it, so an error is only told.
fn remove_oldest(disk: &dyn Disk, folder: &Path) {
    let Ok(mut names) = disk.list(folder) else { return };
    names.sort_by_key(|name| std::cmp::Reverse((number_of(name), name.clone())));
    let mut kept_bytes = 0u64;
    for (place, path) in names.iter().map(|name| folder.join(name)).enumerate() {
        let bytes = disk.open(&path, Access::Read).and_then(|file| file.bytes()).unwrap_or(0);
        kept_bytes = kept_bytes.saturating_add(bytes);
        if place > 0 && (place >= FILES_KEPT || kept_bytes > BYTES_KEPT) {
            match folder::remove(disk, &path) {
                Ok(()) => {
                    tracing::warn!(path = %path.display(), bytes, "removed an old damaged file to bound their room")
                }
                Err(error) => tracing::warn!(%error, "cannot remove an old damaged file"),
            }
        }
    }
}
