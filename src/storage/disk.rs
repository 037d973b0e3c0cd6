//! What storage asks of a disk. Everything that binds a replica is read and written through these two traits, so that a
//! simulation can run the same journal on a disk that loses power, lies or fills up.
//!
//! A disk forgets what it was not told to keep: a file's content and length until [`DiskFile::sync`], and the names in
//! a folder (made, renamed, removed) until [`Disk::sync_folder`]. Until then a crash may keep any part of it. Reading
//! always shows what was written last.

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Files and folders, by path.
pub trait Disk: Send + Sync + Debug {
    /// Opens a file that is there.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] when it is not there; whatever else the disk says.
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn DiskFile>>;

    /// Makes an empty file, in place of whatever had its name, to read and write.
    ///
    /// # Errors
    /// Whatever the disk says.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// The names of the files and folders in a folder, in any order. Names that are no UTF-8 are left out: they are
    /// none of ours.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] when the folder is not there; whatever else the disk says.
    fn list(&self, folder: &Path) -> io::Result<Vec<String>>;

    /// Gives a file or folder another name, in place of whatever file had that.
    ///
    /// # Errors
    /// Whatever the disk says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes the name of a file. Who has it open reads on.
    ///
    /// # Errors
    /// Whatever the disk says.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes a folder.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] when something has its name; whatever else the disk says.
    fn create_folder(&self, path: &Path) -> io::Result<()>;

    /// Waits until the names in a folder are durable.
    ///
    /// # Errors
    /// Whatever the disk says.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;

    /// How many bytes can still be written on the disk that holds this folder.
    ///
    /// # Errors
    /// Whatever the disk says.
    fn free_bytes(&self, folder: &Path) -> io::Result<u64>;

    /// How many bytes the files in a folder and in the folders below it have.
    ///
    /// # Errors
    /// Whatever the disk says.
    fn used_bytes(&self, folder: &Path) -> io::Result<u64>;

    /// Bytes that nobody outside can guess: the salt of a segment. A simulation draws them from its seed.
    ///
    /// # Errors
    /// Whatever the system says.
    fn random(&self) -> io::Result<[u8; 8]>;
}

/// An open file.
pub trait DiskFile: Send + Sync + Debug {
    /// Its length.
    ///
    /// # Errors
    /// Whatever the disk says.
    fn bytes(&self) -> io::Result<u64>;

    /// Fills `into` from this offset.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] when the file ends before; whatever else the disk says.
    fn read_exact_at(&self, into: &mut [u8], offset: u64) -> io::Result<()>;

    /// Writes at this offset. Zeros fill what lies between the end of the file and it.
    ///
    /// # Errors
    /// Whatever the disk says; some of the bytes may have been written then.
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Cuts the file, or fills it up with zeros.
    ///
    /// # Errors
    /// Whatever the disk says.
    fn set_bytes(&self, bytes: u64) -> io::Result<()>;

    /// Makes the file at least this long, with zeros, and reserves the room for all of it.
    ///
    /// # Errors
    /// [`io::ErrorKind::StorageFull`] when there is not enough room; whatever else the disk says.
    fn allocate(&self, bytes: u64) -> io::Result<()>;

    /// Waits until content and length are durable.
    ///
    /// # Errors
    /// Whatever the disk says. What was written is then neither durable nor known to be lost.
    fn sync(&self) -> io::Result<()>;
}

/// What a file is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// To read.
    Read,
    /// To read and write.
    Write,
}

/// The disk of the operating system.
#[derive(Clone, Copy, Debug)]
pub struct SystemDisk {
    /// Whether to wait for it. Only a benchmark or a test may say no.
    pub fsync: bool,
}

#[derive(Debug)]
struct SystemFile {
    file: File,
    fsync: bool,
}

impl SystemDisk {
    fn file(self, file: File) -> Box<dyn DiskFile> {
        Box::new(SystemFile { file, fsync: self.fsync })
    }
}

impl Disk for SystemDisk {
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new().read(true).write(access == Access::Write).open(path)?;
        Ok(self.file(file))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?;
        Ok(self.file(file))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let names = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().into_string().ok()));
        names.filter_map(Result::transpose).collect()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        if self.fsync { File::open(folder)?.sync_all() } else { Ok(()) }
    }

    fn free_bytes(&self, folder: &Path) -> io::Result<u64> {
        let disk = rustix::fs::statvfs(folder)?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    fn used_bytes(&self, folder: &Path) -> io::Result<u64> {
        let mut bytes = 0;
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            bytes += match entry.metadata() {
                Ok(found) if found.is_dir() => self.used_bytes(&entry.path())?,
                Ok(found) => found.len(),
                // It was removed since it was listed.
                Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
                Err(error) => return Err(error),
            };
        }
        Ok(bytes)
    }

    fn random(&self) -> io::Result<[u8; 8]> {
        let mut bytes = [0; 8];
        File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

impl DiskFile for SystemFile {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read_exact_at(&self, into: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(into, offset)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_all_at(bytes, offset)
    }

    fn set_bytes(&self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)
    }

    fn allocate(&self, bytes: u64) -> io::Result<()> {
        use rustix::fs::{FallocateFlags, fallocate};
        match fallocate(&self.file, FallocateFlags::empty(), 0, bytes) {
            // Some file systems cannot promise blocks. Zeros take them.
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => write_zeros(self, self.bytes()?, bytes),
            result => Ok(result?),
        }
    }

    fn sync(&self) -> io::Result<()> {
        if self.fsync { self.file.sync_data() } else { Ok(()) }
    }
}

/// Fills a file with zeros from `start` to `end`.
pub(super) fn write_zeros(file: &dyn DiskFile, start: u64, end: u64) -> io::Result<()> {
    static ZEROS: [u8; 64 << 10] = [0; 64 << 10];
    let mut offset = start;
    while offset < end {
        let part = (end - offset).min(ZEROS.len() as u64);
        file.write_all_at(&ZEROS[..part as usize], offset)?;
        offset += part;
    }
    Ok(())
}

/// Reads an open file from an offset on.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    pub(super) file: &'a dyn DiskFile,
    pub(super) offset: u64,
    /// Where the file ends.
    pub(super) end: u64,
}

impl Read for Cursor<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let bytes = self.end.saturating_sub(self.offset).min(into.len() as u64) as usize;
        self.file.read_exact_at(&mut into[..bytes], self.offset)?;
        self.offset += bytes as u64;
        Ok(bytes)
    }
}
