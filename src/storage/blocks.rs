//! A stream of bytes in blocks with checksums, with a head that says whose it is and an end that shows that nothing is
//! missing.

use std::io::{self, Read, Write};

use quorate_crypto::Digest;

use super::read::Fields;
use crate::types::SeqNum;

const MAGIC: [u8; 8] = *b"\xa7QSNP\r\n\x01";
/// Magic with version (8), chain id (32), slot (8), checksum (4).
const HEAD_BYTES: usize = 52;
const BLOCK_BYTES: usize = 1 << 20;

/// Writes blocks of `BLOCK_BYTES`. Each is its length, the checksum over its index, length and content, and the
/// content; an empty one ends the stream.
#[derive(Debug)]
pub(super) struct BlockWriter<W> {
    inner: W,
    block: Vec<u8>,
    index: u64,
}

impl<W: Write> BlockWriter<W> {
    pub(super) fn begin(mut inner: W, chain_id: Digest, seq: SeqNum) -> io::Result<Self> {
        inner.write_all(&head(chain_id, seq))?;
        Ok(BlockWriter { inner, block: Vec::with_capacity(BLOCK_BYTES), index: 0 })
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        if !self.block.is_empty() {
            self.write_block()?;
        }
        self.write_block()?;
        Ok(self.inner)
    }

    fn write_block(&mut self) -> io::Result<()> {
        self.inner.write_all(&(self.block.len() as u32).to_le_bytes())?;
        self.inner.write_all(&checksum(self.index, &self.block).to_le_bytes())?;
        self.inner.write_all(&self.block)?;
        self.block.clear();
        self.index += 1;
        Ok(())
    }
}

impl<W: Write> Write for BlockWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(BLOCK_BYTES - self.block.len());
        self.block.extend_from_slice(&bytes[..taken]);
        if self.block.len() == BLOCK_BYTES {
            self.write_block()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads what a [`BlockWriter`] wrote.
#[derive(Debug)]
pub(super) struct BlockReader<R> {
    inner: R,
    block: Vec<u8>,
    /// How much of the block was given out.
    taken: usize,
    index: u64,
    ended: bool,
}

impl<R: Read> BlockReader<R> {
    pub(super) fn begin(mut inner: R, chain_id: Digest, seq: SeqNum) -> io::Result<Self> {
        let mut found = [0; HEAD_BYTES];
        inner.read_exact(&mut found)?;
        if found != head(chain_id, seq) {
            return Err(damaged(format!("the head is not that of slot {seq} of this network, format 1")));
        }
        Ok(BlockReader { inner, block: Vec::new(), taken: 0, index: 0, ended: false })
    }

    fn read_block(&mut self) -> io::Result<()> {
        let mut lengths = [0; 8];
        self.inner.read_exact(&mut lengths)?;
        let mut fields = Fields::new(&lengths);
        let (length, expected) = (fields.u32().unwrap_or(0) as usize, fields.u32());
        if length > BLOCK_BYTES {
            return Err(damaged(format!("block {} claims {length} bytes", self.index)));
        }
        self.block.resize(length, 0);
        self.taken = 0;
        self.inner.read_exact(&mut self.block)?;
        if expected != Some(checksum(self.index, &self.block)) {
            return Err(damaged(format!("the checksum of block {} is wrong", self.index)));
        }
        self.index += 1;
        self.ended = length == 0;
        if self.ended && self.inner.read(&mut [0])? != 0 {
            return Err(damaged("something follows the end".to_owned()));
        }
        Ok(())
    }
}

impl<R: Read> Read for BlockReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.block.len() && !self.ended {
            // A block that failed its check is never given out, even if the caller reads on.
            if let Err(error) = self.read_block() {
                self.block.clear();
                self.taken = 0;
                return Err(error);
            }
        }
        let rest = &self.block[self.taken..];
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        self.taken += count;
        Ok(count)
    }
}

fn head(chain_id: Digest, seq: SeqNum) -> [u8; HEAD_BYTES] {
    let mut head = [0; HEAD_BYTES];
    head[..8].copy_from_slice(&MAGIC);
    head[8..40].copy_from_slice(chain_id.as_bytes());
    head[40..48].copy_from_slice(&seq.0.to_le_bytes());
    let checksum = crc32c::crc32c(&head[..48]);
    head[48..].copy_from_slice(&checksum.to_le_bytes());
    head
}

fn checksum(index: u64, block: &[u8]) -> u32 {
    let index = crc32c::crc32c(&index.to_le_bytes());
    crc32c::crc32c_append(crc32c::crc32c_append(index, &(block.len() as u32).to_le_bytes()), block)
}

fn damaged(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
