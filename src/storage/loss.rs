//! What a start found damaged, and where the damaged files go.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::disk::{Access, Disk};
use super::error::StorageError;
use super::folder;

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
    /// Committed slots that this replica could have executed again or served: it gets them from the others.
    History,
    /// Something that binds this replica: it may not vote until it is clear of all that it may have said.
    Promises,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cost = match self.harm {
            Harm::Nothing => "nothing is lost",
            Harm::History => "only history is lost, which the other replicas have",
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
    folder::publish(disk, &temporary, &to)
}

/// A name in the folder of damaged files that nothing has yet.
fn free_name(disk: &dyn Disk, home: &Path, path: &Path) -> Result<Option<PathBuf>, StorageError> {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return Ok(None) };
    let folder = folder_in(home);
    folder::create(disk, &folder)?;
    let taken = disk.list(&folder).map_err(StorageError::io(&folder, "list the folder"))?;
    let mut free = name.to_owned();
    let mut number = 1u32;
    while taken.contains(&free) {
        free = format!("{name}.{number}");
        number += 1;
    }
    Ok(Some(folder.join(free)))
}
