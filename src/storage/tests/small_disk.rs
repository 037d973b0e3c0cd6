//! A disk with little room: whatever makes a file longer takes some, and nothing goes beyond it.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::storage::{Access, Disk, DiskFile, SystemDisk};

const SYSTEM: SystemDisk = SystemDisk { fsync: false };

#[derive(Clone, Debug)]
pub(super) struct SmallDisk(Arc<AtomicU64>);

#[derive(Debug)]
struct SmallFile {
    file: Box<dyn DiskFile>,
    disk: SmallDisk,
}

impl SmallDisk {
    pub(super) fn with_room_for(bytes: u64) -> Self {
        SmallDisk(Arc::new(AtomicU64::new(bytes)))
    }

    fn take(&self, bytes: u64) -> io::Result<()> {
        let taken = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |room| room.checked_sub(bytes));
        taken.map(drop).map_err(|_| io::ErrorKind::StorageFull.into())
    }

    /// Gives back what the file with this name took, if there is one.
    fn give_back(&self, path: &Path) {
        let bytes = SYSTEM.open(path, Access::Read).and_then(|file| file.bytes()).unwrap_or(0);
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    fn file(&self, file: Box<dyn DiskFile>) -> Box<dyn DiskFile> {
        Box::new(SmallFile { file, disk: self.clone() })
    }
}

impl Disk for SmallDisk {
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn DiskFile>> {
        Ok(self.file(SYSTEM.open(path, access)?))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.give_back(path);
        Ok(self.file(SYSTEM.create(path)?))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        SYSTEM.list(folder)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.give_back(to);
        SYSTEM.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.give_back(path);
        SYSTEM.remove(path)
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        SYSTEM.create_folder(path)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        SYSTEM.sync_folder(folder)
    }

    fn free_bytes(&self, _: &Path) -> io::Result<u64> {
        Ok(self.0.load(Ordering::Relaxed))
    }

    fn used_bytes(&self, folder: &Path) -> io::Result<u64> {
        SYSTEM.used_bytes(folder)
    }

    fn random(&self) -> io::Result<[u8; 8]> {
        SYSTEM.random()
    }
}

impl SmallFile {
    fn grow_to(&self, end: u64) -> io::Result<()> {
        self.disk.take(end.saturating_sub(self.file.bytes()?))
    }
}

impl DiskFile for SmallFile {
    fn bytes(&self) -> io::Result<u64> {
        self.file.bytes()
    }

    fn read_exact_at(&self, into: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(into, offset)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.grow_to(offset + bytes.len() as u64)?;
        self.file.write_all_at(bytes, offset)
    }

    fn set_bytes(&self, bytes: u64) -> io::Result<()> {
        self.grow_to(bytes)?;
        self.disk.0.fetch_add(self.file.bytes()?.saturating_sub(bytes), Ordering::Relaxed);
        self.file.set_bytes(bytes)
    }

    fn allocate(&self, bytes: u64) -> io::Result<()> {
        self.grow_to(bytes)?;
        self.file.allocate(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }
}
