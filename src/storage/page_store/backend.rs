//! What redb reads and writes: a file of a [`Disk`](crate::storage::Disk), as all other files of storage are.

use std::io;

use redb::StorageBackend;

use crate::storage::DiskFile;

#[derive(Debug)]
pub(super) struct Backend {
    file: Box<dyn DiskFile>,
}

impl Backend {
    pub(super) fn new(file: Box<dyn DiskFile>) -> Self {
        Backend { file }
    }
}

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.file.bytes()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(out, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_bytes(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write_all_at(data, offset)
    }
}
