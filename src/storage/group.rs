//! Groups: what one `append` wrote. Each names the one before it, and the last one that was durable when it was written.

use super::frame::FRAME_BYTES_MAX;
use super::read::Fields;

/// Magic (4), number (8), synced (8), previous checksum (4), payload length (4), payload checksum (4), checksum (4).
pub(super) const HEADER_BYTES: usize = 36;

/// The most bytes of a group's records. A group that would become larger is split.
pub(super) const PAYLOAD_BYTES_MAX: usize = FRAME_BYTES_MAX;

const MAGIC: [u8; 4] = *b"\xa7QGR";

/// The random bytes of a segment that its groups' checksums cover: nobody outside can put into a request what would
/// pass for a group.
pub(super) type Salt = [u8; 8];

/// A place in the chain of groups: a group's number and checksum. The default stands before the first group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) number: u64,
    pub(super) checksum: u32,
}

/// What stands before the records of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GroupHeader {
    pub(super) number: u64,
    /// The last group that was durable when this one was written: its presence proves that one.
    pub(super) synced: u64,
    /// The checksum of the group before.
    pub(super) previous: u32,
    pub(super) payload_bytes: u32,
    pub(super) payload_checksum: u32,
    /// Over the salt and everything above.
    pub(super) checksum: u32,
}

impl GroupHeader {
    /// Fills in the first bytes of `group`, which are left free for it, and returns the group's place in the chain.
    pub(super) fn seal(group: &mut [u8], salt: &Salt, after: Link, synced: u64) -> Link {
        let (header, payload) = group.split_at_mut(HEADER_BYTES);
        let link = Link { number: after.number + 1, checksum: 0 };
        header[..4].copy_from_slice(&MAGIC);
        header[4..12].copy_from_slice(&link.number.to_le_bytes());
        header[12..20].copy_from_slice(&synced.to_le_bytes());
        header[20..24].copy_from_slice(&after.checksum.to_le_bytes());
        header[24..28].copy_from_slice(&(payload.len() as u32).to_le_bytes());
        header[28..32].copy_from_slice(&crc32c::crc32c(payload).to_le_bytes());
        let checksum = header_checksum(salt, &header[..32]);
        header[32..].copy_from_slice(&checksum.to_le_bytes());
        Link { checksum, ..link }
    }

    /// The header at the front of `bytes`, when there is an intact one.
    pub(super) fn read(bytes: &[u8], salt: &Salt) -> Option<GroupHeader> {
        let covered = bytes.get(..HEADER_BYTES - 4)?;
        let mut fields = Fields::new(bytes);
        let magic: [u8; 4] = fields.array()?;
        let header = GroupHeader {
            number: fields.u64()?,
            synced: fields.u64()?,
            previous: fields.u32()?,
            payload_bytes: fields.u32()?,
            payload_checksum: fields.u32()?,
            checksum: fields.u32()?,
        };
        let intact = magic == MAGIC
            && header.payload_bytes as usize <= PAYLOAD_BYTES_MAX
            && header.checksum == header_checksum(salt, covered);
        intact.then_some(header)
    }

    pub(super) fn link(&self) -> Link {
        Link { number: self.number, checksum: self.checksum }
    }

    /// Whether it is the group behind `tip`.
    pub(super) fn follows(&self, tip: Link) -> bool {
        Some(self.number) == tip.number.checked_add(1) && self.previous == tip.checksum
    }
}

/// The highest `synced` of any intact group header in `bytes`, for groups numbered `from` or higher: what follows a
/// damaged group, and may prove that it was durable.
pub(super) fn proven_durable(bytes: &[u8], salt: &Salt, from: u64) -> Option<u64> {
    bytes
        .windows(HEADER_BYTES)
        .filter(|window| window.starts_with(&MAGIC))
        .filter_map(|window| GroupHeader::read(window, salt))
        .filter(|header| header.number >= from)
        .map(|header| header.synced)
        .max()
}

fn header_checksum(salt: &Salt, header: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(salt), header)
}
