//! How one record lies in the journal: a checksum, its length, what an index needs to know, and the encoded record.

use quorate_crypto::Digest;

use crate::batch::Batch;
use crate::codec::{self, DECODE_BYTES_MAX};
use crate::core::JournalRecord;
use crate::messages::CommittedSlot;
use crate::types::SeqNum;

use super::error::StorageError;
use super::read::{Fields, is_intact};

/// Checksum (4), length (4), kind (1), slot (8), digest (32).
pub(super) const HEAD_BYTES: usize = 49;

/// The most bytes of a frame. Checked before anything is allocated for it.
pub(super) const FRAME_BYTES_MAX: usize = HEAD_BYTES + DECODE_BYTES_MAX;

/// What stands before an encoded record, so that an index is built without decoding it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) kind: Kind,
    /// The slot, or the checkpoint; the genesis for records about views.
    pub(super) seq: SeqNum,
    /// The digest of the batch, for [`Kind::Batch`] and [`Kind::Committed`].
    pub(super) digest: Digest,
}

/// The kinds of records that an index tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Batch = 1,
    Committed = 2,
    CheckpointStable = 3,
    /// Everything else; only the fold of the promises looks at it.
    Promise = 4,
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Kind> {
        [Kind::Batch, Kind::Committed, Kind::CheckpointStable, Kind::Promise]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }
}

impl Head {
    pub(super) fn of(record: &JournalRecord) -> Head {
        let head = |kind, seq| Head { kind, seq, digest: Digest::from_bytes([0; 32]) };
        match record {
            JournalRecord::Batch { seq, batch } => Head { kind: Kind::Batch, seq: *seq, digest: batch.digest(*seq) },
            JournalRecord::Committed(certificate) => {
                Head { kind: Kind::Committed, seq: certificate.seq(), digest: certificate.digest() }
            }
            JournalRecord::CheckpointStable(certificate) => head(Kind::CheckpointStable, certificate.seq()),
            JournalRecord::PrePrepared(header) => head(Kind::Promise, header.payload.seq),
            JournalRecord::Prepared(certificate) => head(Kind::Promise, certificate.seq()),
            JournalRecord::CheckpointTaken(checkpoint) => head(Kind::Promise, checkpoint.seq),
            JournalRecord::ViewChangeSent(_)
            | JournalRecord::ViewEntered(_)
            | JournalRecord::RecoveryBegun(_)
            | JournalRecord::RecoveryEnded => head(Kind::Promise, SeqNum::GENESIS),
        }
    }
}

/// Appends the frame of a record and returns its head and length.
pub(super) fn encode(record: &JournalRecord, into: &mut Vec<u8>) -> Result<(Head, usize), StorageError> {
    let body = codec::encode(record);
    // `codec::decode` reads at most this much behind the version byte.
    if body.len() > DECODE_BYTES_MAX {
        return Err(StorageError::TooLarge { what: "a record", bytes: body.len(), max: DECODE_BYTES_MAX });
    }
    let head = Head::of(record);
    let start = into.len();
    into.extend_from_slice(&[0; 4]);
    into.extend_from_slice(&(body.len() as u32).to_le_bytes());
    into.push(head.kind as u8);
    into.extend_from_slice(&head.seq.0.to_le_bytes());
    into.extend_from_slice(head.digest.as_bytes());
    into.extend_from_slice(&body);
    let checksum = crc32c::crc32c(&into[start + 4..]);
    into[start..start + 4].copy_from_slice(&checksum.to_le_bytes());
    Ok((head, HEAD_BYTES + body.len()))
}

/// A frame whose checksum was right.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    pub(super) head: Head,
    /// Everything, the head included.
    pub(super) bytes: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Reads the first frame of `bytes`.
    pub(super) fn first(bytes: &'a [u8]) -> Result<Frame<'a>, &'static str> {
        let mut fields = Fields::new(bytes);
        let (Some(checksum), Some(length)) = (fields.u32(), fields.u32()) else { return Err("a record is cut off") };
        let end = HEAD_BYTES.saturating_add(length as usize);
        let Some(frame) = bytes.get(..end) else { return Err("a record is longer than its group") };
        if !is_intact(&frame[4..], checksum) {
            return Err("the checksum of a record is wrong");
        }
        let (Some(kind), Some(seq), Some(digest)) = (fields.u8(), fields.u64(), fields.array()) else {
            return Err("a record is cut off");
        };
        let Some(kind) = Kind::from_byte(kind) else { return Err("a record is of an unknown kind") };
        Ok(Frame { head: Head { kind, seq: SeqNum(seq), digest: Digest::from_bytes(digest) }, bytes: frame })
    }

    /// The record.
    pub(super) fn record(&self) -> Result<JournalRecord, String> {
        let record = codec::decode(&self.bytes[HEAD_BYTES..]).map_err(|error| error.to_string())?;
        if Head::of(&record) == self.head { Ok(record) } else { Err("a record contradicts its head".to_owned()) }
    }
}

/// The batch in a frame that an index says is one.
pub(super) fn batch(frame: &[u8]) -> Result<Batch, String> {
    let record = whole(frame)?.record()?;
    let JournalRecord::Batch { batch, .. } = record else {
        return Err(format!("a batch was here, not {:?}", Head::of(&record)));
    };
    Ok(batch)
}

/// The committed slot of a commit certificate's frame and, unless it is the null batch, its batch's frame.
pub(super) fn committed_slot(seq: SeqNum, certificate: &[u8], batch: Option<&[u8]>) -> Result<CommittedSlot, String> {
    let record = whole(certificate)?.record()?;
    let JournalRecord::Committed(certificate) = record else {
        return Err(format!("the commit certificate of slot {seq} was here, not {:?}", Head::of(&record)));
    };
    let batch = batch.map(self::batch).transpose()?;
    let digest = batch.as_ref().map_or_else(|| crate::batch::null_digest(seq), |batch| batch.digest(seq));
    if certificate.seq() != seq || digest != certificate.digest() {
        return Err(format!("the batch of slot {seq} is not the committed one"));
    }
    Ok(CommittedSlot { certificate, batch })
}

fn whole(bytes: &[u8]) -> Result<Frame<'_>, String> {
    let frame = Frame::first(bytes)?;
    if frame.bytes.len() == bytes.len() { Ok(frame) } else { Err("a record is shorter than its place".to_owned()) }
}
