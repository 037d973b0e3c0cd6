//! Folders and whole files: what is renamed into place was durable before.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::error::StorageError;

/// The ending of files that are not finished. They are removed at start.
pub(super) const TEMPORARY: &str = "tmp";

/// Makes the names in a folder durable.
pub(super) fn sync(folder: &Path) -> Result<(), StorageError> {
    let result = File::open(folder).and_then(|folder| folder.sync_all());
    result.map_err(StorageError::io(folder, "sync the folder"))
}

/// Makes a folder, when it is not there yet, durably.
pub(super) fn create(folder: &Path) -> Result<(), StorageError> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => return Ok(()),
        result => result.map_err(StorageError::io(folder, "make the folder"))?,
    }
    match folder.parent() {
        Some(parent) if parent != Path::new("") => sync(parent),
        Some(_) | None => sync(Path::new(".")),
    }
}

/// Opens a new file for reading and writing in place of whatever had its name.
pub(super) fn create_file(path: &Path) -> Result<File, StorageError> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path);
    file.map_err(StorageError::io(path, "create the file"))
}

/// Gives a finished and synced file its name, durably.
pub(super) fn publish(temporary: &Path, path: &Path) -> Result<(), StorageError> {
    fs::rename(temporary, path).map_err(StorageError::io(path, "rename the new file"))?;
    match path.parent() {
        Some(folder) => sync(folder),
        None => Ok(()),
    }
}

/// Writes a small file whole or not at all.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), StorageError> {
    let temporary = path.with_extension(TEMPORARY);
    let mut file = create_file(&temporary)?;
    file.write_all(bytes).map_err(StorageError::io(&temporary, "write"))?;
    file.sync_all().map_err(StorageError::io(&temporary, "sync"))?;
    publish(&temporary, path)
}

/// Removes a file, durably.
pub(super) fn remove(path: &Path) -> Result<(), StorageError> {
    fs::remove_file(path).map_err(StorageError::io(path, "delete"))?;
    path.parent().map_or(Ok(()), sync)
}

/// The numbered files of a folder with this ending, ascending. Unfinished files are removed on the way, others left
/// alone.
pub(super) fn numbered_files(folder: &Path, ending: &str) -> Result<Vec<(u64, PathBuf)>, StorageError> {
    let failed = || StorageError::io(folder, "list the folder");
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed())? {
        let path = entry.map_err(failed())?.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if extension == Some(TEMPORARY) {
            remove(&path)?;
        } else if extension == Some(ending) {
            let number = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
            if let Some(number) = number.filter(|number| path == numbered_path(folder, *number, ending)) {
                files.push((number, path));
            }
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// The path of a numbered file. Names in order are numbers in order.
pub(super) fn numbered_path(folder: &Path, number: u64, ending: &str) -> PathBuf {
    folder.join(format!("{number:020}.{ending}"))
}
