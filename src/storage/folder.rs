//! Folders and whole files: what is renamed into place was durable before.

use std::io;
use std::path::{Path, PathBuf};

use super::disk::{Access, Disk};
use super::error::StorageError;

/// The ending of files that are not finished. They are removed at start.
pub(super) const TEMPORARY: &str = "tmp";
/// What a disk writes at once.
const BLOCK_BYTES: usize = 4096;

/// Makes the names in a folder durable.
pub(super) fn sync(disk: &dyn Disk, folder: &Path) -> Result<(), StorageError> {
    disk.sync_folder(folder).map_err(StorageError::io(folder, "sync the folder"))
}

/// Makes the name of a file or folder durable.
pub(super) fn sync_name(disk: &dyn Disk, path: &Path) -> Result<(), StorageError> {
    match path.parent() {
        Some(parent) if parent != Path::new("") => sync(disk, parent),
        Some(_) | None => sync(disk, Path::new(".")),
    }
}

/// Makes a folder, when it is not there yet, durably.
pub(super) fn create(disk: &dyn Disk, folder: &Path) -> Result<(), StorageError> {
    match disk.create_folder(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && disk.list(folder).is_ok() => Ok(()),
        result => {
            result.map_err(StorageError::io(folder, "make the folder"))?;
            sync_name(disk, folder)
        }
    }
}

/// Gives a finished and synced file its name, durably.
pub(super) fn publish(disk: &dyn Disk, temporary: &Path, path: &Path) -> Result<(), StorageError> {
    disk.rename(temporary, path).map_err(StorageError::io(path, "rename the new file"))?;
    sync_name(disk, path)
}

/// Writes a small file whole or not at all.
pub(super) fn write_whole(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> Result<(), StorageError> {
    let temporary = path.with_extension(TEMPORARY);
    let file = disk.create(&temporary).map_err(StorageError::io(&temporary, "create the file"))?;
    file.write_all_at(bytes, 0).map_err(StorageError::io(&temporary, "write"))?;
    file.sync().map_err(StorageError::io(&temporary, "sync"))?;
    publish(disk, &temporary, path)
}

/// As [`write_whole`], for a file of copies in blocks of their own. On a full disk it is written in place of the old one,
/// block by block, each durable before the next: one whole copy is always there.
pub(super) fn write_copies(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> Result<(), StorageError> {
    let full = match write_whole(disk, path, bytes) {
        Err(full @ StorageError::DiskFull { .. }) => full,
        result => return result,
    };
    // Should this fail, the next start removes it.
    let _ = disk.remove(&path.with_extension(TEMPORARY));
    let Ok(file) = disk.open(path, Access::Write) else { return Err(full) };
    if !file.bytes().is_ok_and(|there| there >= bytes.len() as u64) {
        return Err(full);
    }
    for (number, block) in bytes.chunks(BLOCK_BYTES).enumerate() {
        let written = file.write_all_at(block, (number * BLOCK_BYTES) as u64).and_then(|()| file.sync());
        written.map_err(StorageError::io(path, "write"))?;
    }
    Ok(())
}

/// Removes a file, durably.
pub(super) fn remove(disk: &dyn Disk, path: &Path) -> Result<(), StorageError> {
    disk.remove(path).map_err(StorageError::io(path, "delete"))?;
    sync_name(disk, path)
}

/// Removes the files of a folder that a crash left unfinished.
pub(super) fn remove_unfinished(disk: &dyn Disk, folder: &Path) -> Result<(), StorageError> {
    for name in disk.list(folder).map_err(StorageError::io(folder, "list the folder"))? {
        let path = folder.join(name);
        if path.extension().is_some_and(|extension| extension == TEMPORARY) {
            remove(disk, &path)?;
        }
    }
    Ok(())
}

/// The numbered files of a folder with this ending, ascending. Others are left alone.
pub(super) fn numbered_files(
    disk: &dyn Disk,
    folder: &Path,
    ending: &str,
) -> Result<Vec<(u64, PathBuf)>, StorageError> {
    let names = disk.list(folder).map_err(StorageError::io(folder, "list the folder"))?;
    let mut files: Vec<_> = names.iter().filter_map(|name| numbered_file(folder, name, ending)).collect();
    files.sort_unstable();
    Ok(files)
}

fn numbered_file(folder: &Path, name: &str, ending: &str) -> Option<(u64, PathBuf)> {
    let number = name.strip_suffix(ending)?.strip_suffix('.')?.parse().ok()?;
    let path = numbered_path(folder, number, ending);
    (path == folder.join(name)).then_some((number, path))
}

/// The path of a numbered file. Names in order are numbers in order.
pub(super) fn numbered_path(folder: &Path, number: u64, ending: &str) -> PathBuf {
    folder.join(format!("{number:020}.{ending}"))
}
