//! The few operations on the journal's files that can fail for the disk's reasons, behind a trait so that tests can
//! make them fail.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// What the journal asks of a disk.
pub(super) trait Disk: Send + Sync {
    /// Gives a file real blocks up to this size.
    fn allocate(&self, file: &File, bytes: u64) -> io::Result<()>;

    /// Writes into a file.
    fn write_all_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Waits until a file's content is durable.
    fn sync(&self, file: &File) -> io::Result<()>;

    /// Waits until the names in a folder are durable.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
}

/// The operating system's.
#[derive(Clone, Copy, Debug)]
pub(super) struct SystemDisk {
    /// Whether to wait for the disk at all.
    pub(super) fsync: bool,
}

impl Disk for SystemDisk {
    fn allocate(&self, file: &File, bytes: u64) -> io::Result<()> {
        use rustix::fs::{FallocateFlags, fallocate};
        match fallocate(file, FallocateFlags::empty(), 0, bytes) {
            // Some file systems cannot promise blocks. Zeros take them.
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {
                write_zeros(file, file.metadata()?.len(), bytes)
            }
            result => Ok(result?),
        }
    }

    fn write_all_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        if self.fsync { file.sync_data() } else { Ok(()) }
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        if self.fsync { File::open(folder)?.sync_all() } else { Ok(()) }
    }
}

/// Fills a file with zeros from `start` to `end`.
pub(super) fn write_zeros(file: &File, start: u64, end: u64) -> io::Result<()> {
    static ZEROS: [u8; 64 << 10] = [0; 64 << 10];
    let mut offset = start;
    while offset < end {
        let part = (end - offset).min(ZEROS.len() as u64);
        file.write_all_at(&ZEROS[..part as usize], offset)?;
        offset += part;
    }
    Ok(())
}
