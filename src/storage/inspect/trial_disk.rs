//! A disk on which everything can be tried: it shows the real one, and keeps every change to itself.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::trial_file::TrialFile;
use crate::storage::{Access, Disk, DiskFile, SystemDisk};

const REAL: SystemDisk = SystemDisk { fsync: false };

#[derive(Debug, Default)]
pub(super) struct TrialDisk {
    changes: Mutex<BTreeMap<PathBuf, Entry>>,
}

#[derive(Clone, Debug)]
enum Entry {
    File(TrialFile),
    Folder,
    Gone,
}

impl TrialDisk {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Entry>> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self, path: &Path) -> io::Result<TrialFile> {
        let mut changes = self.lock();
        match changes.get(path) {
            Some(Entry::File(file)) => Ok(file.clone()),
            Some(Entry::Folder) => Err(io::ErrorKind::IsADirectory.into()),
            Some(Entry::Gone) => Err(io::ErrorKind::NotFound.into()),
            None => {
                let file = TrialFile::over(REAL.open(path, Access::Read)?)?;
                changes.insert(path.to_path_buf(), Entry::File(file.clone()));
                Ok(file)
            }
        }
    }
}

impl Disk for TrialDisk {
    fn open(&self, path: &Path, _: Access) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(self.file(path)?))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = TrialFile::new();
        self.lock().insert(path.to_path_buf(), Entry::File(file.clone()));
        Ok(Box::new(file))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let changes = self.lock();
        let mut names = match REAL.list(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && changes.contains_key(folder) => Vec::new(),
            result => result?,
        };
        names.retain(|name| !changes.contains_key(&folder.join(name)));
        let here =
            changes.iter().filter(|(path, entry)| path.parent() == Some(folder) && !matches!(entry, Entry::Gone));
        names.extend(here.filter_map(|(path, _)| Some(path.file_name()?.to_str()?.to_owned())));
        Ok(names)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let file = self.file(from)?;
        let mut changes = self.lock();
        changes.insert(from.to_path_buf(), Entry::Gone);
        changes.insert(to.to_path_buf(), Entry::File(file));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.file(path)?;
        self.lock().insert(path.to_path_buf(), Entry::Gone);
        Ok(())
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        if self.list(path).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.lock().insert(path.to_path_buf(), Entry::Folder);
        Ok(())
    }

    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn free_bytes(&self, folder: &Path) -> io::Result<u64> {
        REAL.free_bytes(folder)
    }

    fn used_bytes(&self, folder: &Path) -> io::Result<u64> {
        REAL.used_bytes(folder)
    }

    fn random(&self) -> io::Result<[u8; 8]> {
        REAL.random()
    }
}
