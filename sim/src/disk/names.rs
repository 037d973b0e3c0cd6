//! What changes the names of a simulated disk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A file, whatever its name is.
pub(super) type FileNumber = u64;

#[derive(Clone, Debug)]
pub(super) enum NameChange {
    Link { path: PathBuf, file: FileNumber },
    Unlink { path: PathBuf },
    Rename { from: PathBuf, to: PathBuf, file: FileNumber },
    RenameFolder { from: PathBuf, to: PathBuf },
}

impl NameChange {
    pub(super) fn apply(&self, names: &mut BTreeMap<PathBuf, FileNumber>) {
        match self {
            NameChange::Link { path, file } => {
                names.insert(path.clone(), *file);
            }
            NameChange::Unlink { path } => {
                names.remove(path);
            }
            NameChange::Rename { from, to, file } => {
                names.remove(from);
                names.insert(to.clone(), *file);
            }
            NameChange::RenameFolder { from, to } => {
                let (inside, rest) = std::mem::take(names).into_iter().partition(|(path, _)| path.starts_with(from));
                *names = rest;
                let inside: BTreeMap<PathBuf, FileNumber> = inside;
                names.extend(inside.into_iter().map(|(path, file)| (moved(&path, from, to), file)));
            }
        }
    }

    pub(super) fn touches(&self, folder: &Path) -> bool {
        match self {
            NameChange::Link { path, .. } | NameChange::Unlink { path } => path.parent() == Some(folder),
            NameChange::Rename { from, to, .. } | NameChange::RenameFolder { from, to } => {
                from.parent() == Some(folder) || to.parent() == Some(folder)
            }
        }
    }

    pub(super) fn file(&self) -> Option<FileNumber> {
        match self {
            NameChange::Link { file, .. } | NameChange::Rename { file, .. } => Some(*file),
            NameChange::Unlink { .. } | NameChange::RenameFolder { .. } => None,
        }
    }

    /// Whether something gets another name.
    pub(super) fn is_rename(&self) -> bool {
        match self {
            NameChange::Rename { .. } | NameChange::RenameFolder { .. } => true,
            NameChange::Link { .. } | NameChange::Unlink { .. } => false,
        }
    }
}

/// Where a path lies when a folder above it has another name.
pub(super) fn moved(path: &Path, from: &Path, to: &Path) -> PathBuf {
    path.strip_prefix(from)
        .map_or_else(|_| path.to_path_buf(), |rest| if rest == Path::new("") { to.into() } else { to.join(rest) })
}
