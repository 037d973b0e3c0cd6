//! The engine's [`Disk`] in memory: what a replica sees of the disk that its world breaks.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quorate::storage::{Access, Disk, DiskFile};

use super::damage::{self, Damage};
use super::file_system::FileSystem;
use super::lies::Lie;
use super::names::FileNumber;
use crate::choices::Choices;

/// The disk of one replica. It outlives the replica's processes.
#[derive(Clone, Debug, Default)]
pub struct SimDisk(Arc<Mutex<FileSystem>>);

/// A copy of a disk, as somebody may have kept one.
#[derive(Clone, Debug)]
pub struct DiskCopy(FileSystem);

impl SimDisk {
    /// The power fails now: of what was not synced, some is lost. Says whether anything is.
    pub fn lose_power(&self, choices: &mut Choices) -> bool {
        self.lock().lose_power(choices)
    }

    /// The process ended alone: the system keeps what it wrote.
    pub fn restart(&self) {
        self.lock().restart();
    }

    /// The power fails at the `operations`-th operation from now on, within whatever the replica does then.
    pub fn light_fuse(&self, operations: Option<u64>) {
        self.lock().light_fuse(operations);
    }

    /// Whether the fuse has not blown.
    #[must_use]
    pub fn has_power(&self) -> bool {
        self.lock().has_power()
    }

    /// The next sync of a file fails, and what it should have written will never be.
    pub fn refuse_next_sync(&self) {
        self.lock().refuse_next_sync();
    }

    /// Leaves room for so many bytes more; `None` is all that anybody wants.
    pub fn leave_room(&self, bytes: Option<u64>) {
        self.lock().leave_room(bytes);
    }

    /// It lies from now on, until the power fails; `number` decides where a misdirected write lands.
    pub fn lie(&self, lie: Lie, number: u64) {
        self.lock().lie(lie, number);
    }

    /// Whether it has lied since then.
    #[must_use]
    pub fn has_lied(&self) -> bool {
        self.lock().has_lied()
    }

    /// Nothing more fails: room for all that anybody wants, and no fuse.
    pub fn heal(&self) {
        let mut disk = self.lock();
        disk.leave_room(None);
        disk.light_fuse(None);
    }

    /// Everything on it, as it is now.
    #[must_use]
    pub fn copy(&self) -> DiskCopy {
        DiskCopy(self.lock().clone())
    }

    /// Puts a copy in the place of everything.
    pub fn restore(&self, copy: &DiskCopy) {
        let mut disk = self.lock();
        disk.clone_from(&copy.0);
        disk.end_lies();
    }

    /// Removes everything.
    pub fn wipe(&self) {
        *self.lock() = FileSystem::default();
    }

    /// The files that hold anything.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        damage::targets(&self.lock())
    }

    /// Damages a file somewhere.
    pub fn inflict(&self, path: &Path, damage: Damage, choices: &mut Choices) {
        damage::inflict(&mut self.lock(), path, damage, choices);
    }

    fn lock(&self) -> MutexGuard<'_, FileSystem> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk for SimDisk {
    fn open(&self, path: &Path, _access: Access) -> io::Result<Box<dyn DiskFile>> {
        let number = self.lock().open(path)?;
        Ok(Box::new(SimFile { disk: self.clone(), number }))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let number = self.lock().create(path)?;
        Ok(Box::new(SimFile { disk: self.clone(), number }))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        self.lock().list(folder)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.lock().rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.lock().remove(path)
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        self.lock().create_folder(path)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.lock().sync_folder(folder)
    }

    fn free_bytes(&self, _folder: &Path) -> io::Result<u64> {
        Ok(self.lock().free_bytes())
    }

    fn used_bytes(&self, folder: &Path) -> io::Result<u64> {
        Ok(self.lock().used_bytes(folder))
    }

    fn random(&self) -> io::Result<[u8; 8]> {
        Ok(self.lock().random())
    }
}

/// An open file.
#[derive(Debug)]
struct SimFile {
    disk: SimDisk,
    number: FileNumber,
}

impl DiskFile for SimFile {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.disk.lock().file(self.number)?.len())
    }

    fn read_exact_at(&self, into: &mut [u8], offset: u64) -> io::Result<()> {
        let disk = self.disk.lock();
        let bytes = disk.file(self.number)?.read(offset, into.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        into.copy_from_slice(bytes);
        Ok(())
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.disk.lock().write(self.number, offset, bytes)
    }

    fn set_bytes(&self, bytes: u64) -> io::Result<()> {
        self.disk.lock().set_len(self.number, bytes)
    }

    fn allocate(&self, bytes: u64) -> io::Result<()> {
        let mut disk = self.disk.lock();
        if disk.file(self.number)?.len() < bytes { disk.set_len(self.number, bytes) } else { Ok(()) }
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.lock().sync(self.number)
    }
}
