//! A disk in memory that loses power, and what was not synced with it; it can also be full.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::storage::{Access, Disk, DiskFile};

/// One write that is not synced.
#[derive(Clone, Debug)]
enum Pending {
    Write(u64, Vec<u8>),
    Length(u64),
}

#[derive(Clone, Debug, Default)]
struct Content {
    durable: Vec<u8>,
    /// What reading shows.
    current: Vec<u8>,
    pending: Vec<Pending>,
}

#[derive(Debug, Default)]
struct Machine {
    files: BTreeMap<PathBuf, u64>,
    contents: BTreeMap<u64, Content>,
    /// How many operations that change something succeed before the power fails.
    operations_left: Option<u64>,
    operations: u64,
    bytes_max: Option<u64>,
}

/// All clones are one disk.
#[derive(Clone, Debug, Default)]
pub(super) struct PowerDisk(Arc<Mutex<Machine>>);

#[derive(Debug)]
struct PowerFile {
    disk: PowerDisk,
    number: u64,
}

impl Pending {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Pending::Length(bytes) => content.resize(*bytes as usize, 0),
            Pending::Write(offset, bytes) => {
                let (start, end) = (*offset as usize, *offset as usize + bytes.len());
                content.resize(content.len().max(end), 0);
                content[start..end].copy_from_slice(bytes);
            }
        }
    }
}

impl PowerDisk {
    /// Lets the power fail after so many further operations.
    pub(super) fn fail_after(&self, operations: u64) {
        self.with(|machine| machine.operations_left = Some(operations));
    }

    /// The disk has no more room than this.
    pub(super) fn limit(&self, bytes_max: Option<u64>) {
        self.with(|machine| machine.bytes_max = bytes_max);
    }

    /// How many operations there were.
    pub(super) fn operations(&self) -> u64 {
        self.with(|machine| machine.operations)
    }

    /// The power comes back. Of what was not synced `keep` decides, write by write; a write may be torn at any block.
    pub(super) fn restart(&self, mut keep: impl FnMut() -> bool) {
        const BLOCK_BYTES: usize = 4096;
        self.with(|machine| {
            machine.operations_left = None;
            for content in machine.contents.values_mut() {
                for pending in std::mem::take(&mut content.pending) {
                    let parts = match pending {
                        Pending::Length(bytes) => vec![Pending::Length(bytes)],
                        Pending::Write(offset, bytes) => (offset..)
                            .step_by(BLOCK_BYTES)
                            .zip(bytes.chunks(BLOCK_BYTES))
                            .map(|(offset, bytes)| Pending::Write(offset, bytes.to_vec()))
                            .collect(),
                    };
                    parts.iter().filter(|_| keep()).for_each(|part| part.apply(&mut content.durable));
                }
                content.current.clone_from(&content.durable);
            }
        });
    }

    fn with<T>(&self, work: impl FnOnce(&mut Machine) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Counts an operation that changes something, and does it while there is power.
    fn change<T>(&self, work: impl FnOnce(&mut Machine) -> io::Result<T>) -> io::Result<T> {
        self.with(|machine| {
            machine.operations += 1;
            match &mut machine.operations_left {
                Some(0) => return Err(io::Error::other("no power")),
                Some(left) => *left -= 1,
                None => {}
            }
            work(machine)
        })
    }
}

impl Disk for PowerDisk {
    fn open(&self, path: &Path, _: Access) -> io::Result<Box<dyn DiskFile>> {
        let number = self.with(|machine| machine.files.get(path).copied()).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(PowerFile { disk: self.clone(), number }))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let number = self.change(|machine| {
            let number = machine.contents.len() as u64;
            machine.contents.insert(number, Content::default());
            machine.files.insert(path.to_path_buf(), number);
            Ok(number)
        })?;
        Ok(Box::new(PowerFile { disk: self.clone(), number }))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let name = |path: &PathBuf| Some(path.strip_prefix(folder).ok()?.to_str()?.to_owned());
        Ok(self.with(|machine| machine.files.keys().filter_map(name).collect()))
    }

    /// Names are durable at once here: the journal's tests are about those.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change(|machine| {
            let number = machine.files.remove(from).ok_or(io::ErrorKind::NotFound)?;
            machine.files.insert(to.to_path_buf(), number);
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.change(|machine| machine.files.remove(path).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into()))
    }

    fn create_folder(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn free_bytes(&self, _: &Path) -> io::Result<u64> {
        Ok(u64::MAX)
    }

    fn used_bytes(&self, _: &Path) -> io::Result<u64> {
        Ok(0)
    }

    fn random(&self) -> io::Result<[u8; 8]> {
        Ok([0; 8])
    }
}

impl PowerFile {
    fn pend(&self, pending: Pending) -> io::Result<()> {
        self.disk.change(|machine| {
            let (bytes_max, number) = (machine.bytes_max, self.number);
            let content = machine.contents.entry(number).or_default();
            let end = match &pending {
                Pending::Write(offset, bytes) => offset + bytes.len() as u64,
                Pending::Length(bytes) => *bytes,
            };
            if end > content.current.len() as u64 && bytes_max.is_some_and(|bytes_max| end > bytes_max) {
                return Err(io::ErrorKind::StorageFull.into());
            }
            pending.apply(&mut content.current);
            content.pending.push(pending);
            Ok(())
        })
    }
}

impl DiskFile for PowerFile {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.disk.with(|machine| machine.contents[&self.number].current.len() as u64))
    }

    fn read_exact_at(&self, into: &mut [u8], offset: u64) -> io::Result<()> {
        self.disk.with(|machine| {
            let content = &machine.contents[&self.number].current;
            let part = content.get(offset as usize..offset as usize + into.len());
            into.copy_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
            Ok(())
        })
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.pend(Pending::Write(offset, bytes.to_vec()))
    }

    fn set_bytes(&self, bytes: u64) -> io::Result<()> {
        self.pend(Pending::Length(bytes))
    }

    fn allocate(&self, bytes: u64) -> io::Result<()> {
        self.pend(Pending::Length(bytes))
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.change(|machine| {
            let content = machine.contents.entry(self.number).or_default();
            content.pending.clear();
            content.durable.clone_from(&content.current);
            Ok(())
        })
    }
}
