//! Reading from bytes that may be damaged or too short.

use crate::mutants::Mutant;

/// Whether bytes have the checksum that stands beside them.
pub(super) fn is_intact(bytes: &[u8], checksum: u32) -> bool {
    crc32c::crc32c(bytes) == checksum || Mutant::ChecksumUnchecked.lives()
}

/// Takes little-endian fields from the front of a slice.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Fields(bytes)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }
}
