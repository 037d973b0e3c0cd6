//! A disk that fails on demand.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::storage::{Access, Disk, DiskFile, SystemDisk};

const SYSTEM: SystemDisk = SystemDisk { fsync: false };

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Allocate,
    Write,
    Sync,
    /// Whatever changes something on the disk.
    Any,
}

/// Fails one kind of operation for good after a number of successes, or, as Linux does, once.
#[derive(Debug)]
pub(super) struct Failing {
    pub(super) operation: Operation,
    pub(super) error: io::ErrorKind,
    pub(super) successes: AtomicI64,
    pub(super) recovers: bool,
    pub(super) failures: Arc<AtomicU64>,
}

impl Failing {
    fn check(&self, operation: Operation) -> io::Result<()> {
        if operation != self.operation && self.operation != Operation::Any {
            return Ok(());
        }
        let left = self.successes.fetch_sub(1, Ordering::Relaxed);
        if left > 0 || (self.recovers && left < 0) {
            return Ok(());
        }
        self.failures.fetch_add(1, Ordering::Relaxed);
        Err(self.error.into())
    }
}

#[derive(Debug)]
pub(super) struct FailingDisk(pub(super) Arc<Failing>);

#[derive(Debug)]
struct FailingFile {
    file: Box<dyn DiskFile>,
    /// `None` for files that never fail.
    failing: Option<Arc<Failing>>,
}

impl FailingDisk {
    fn file(&self, path: &Path, file: Box<dyn DiskFile>) -> Box<dyn DiskFile> {
        let name = path.file_stem().and_then(|name| name.to_str());
        let fails = self.0.operation == Operation::Any || name.is_some_and(|name| name.starts_with('0'));
        Box::new(FailingFile { file, failing: fails.then(|| Arc::clone(&self.0)) })
    }
}

impl Disk for FailingDisk {
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn DiskFile>> {
        Ok(self.file(path, SYSTEM.open(path, access)?))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.0.check(Operation::Any)?;
        Ok(self.file(path, SYSTEM.create(path)?))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        SYSTEM.list(folder)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.check(Operation::Any)?;
        SYSTEM.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.check(Operation::Any)?;
        SYSTEM.remove(path)
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        self.0.check(Operation::Any)?;
        SYSTEM.create_folder(path)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        SYSTEM.sync_folder(folder)
    }

    fn free_bytes(&self, folder: &Path) -> io::Result<u64> {
        SYSTEM.free_bytes(folder)
    }

    fn used_bytes(&self, folder: &Path) -> io::Result<u64> {
        SYSTEM.used_bytes(folder)
    }

    fn random(&self) -> io::Result<[u8; 8]> {
        SYSTEM.random()
    }
}

impl FailingFile {
    fn check(&self, operation: Operation) -> io::Result<()> {
        self.failing.as_ref().map_or(Ok(()), |failing| failing.check(operation))
    }
}

impl DiskFile for FailingFile {
    fn bytes(&self) -> io::Result<u64> {
        self.file.bytes()
    }

    fn read_exact_at(&self, into: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(into, offset)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        // A write that fails has often written something.
        let done = self.check(Operation::Write);
        let bytes = if done.is_ok() { bytes } else { &bytes[..bytes.len() / 2] };
        self.file.write_all_at(bytes, offset)?;
        done
    }

    fn set_bytes(&self, bytes: u64) -> io::Result<()> {
        self.check(Operation::Any)?;
        self.file.set_bytes(bytes)
    }

    fn allocate(&self, bytes: u64) -> io::Result<()> {
        self.check(Operation::Allocate)?;
        self.file.allocate(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.check(Operation::Sync)
    }
}
