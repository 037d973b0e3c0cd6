//! What stands beside the pages.

use quorate_crypto::Digest;
use serde::{Deserialize, Serialize};

use crate::codec;
use crate::execution::{Position, ReplicatedState};
use crate::messages::CheckpointCertificate;

/// Whose pages they are. The root covers the position and all pages; the checksum covers the certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) position: Position,
    pub(super) root: Digest,
    pub(super) certificate: Option<CheckpointCertificate>,
}

impl Head {
    pub(super) fn of(state: &ReplicatedState, certificate: Option<&CheckpointCertificate>) -> Self {
        Head { position: state.position, root: state.root(), certificate: certificate.cloned() }
    }

    /// Encoded, behind a checksum.
    pub(super) fn encode(&self) -> Vec<u8> {
        let encoded = codec::encode(self);
        [&crc32c::crc32c(&encoded).to_le_bytes(), &encoded[..]].concat()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let (checksum, encoded) = bytes.split_first_chunk().ok_or("the head is too short")?;
        if u32::from_le_bytes(*checksum) != crc32c::crc32c(encoded) {
            return Err("the checksum of the head is wrong".to_owned());
        }
        let head: Head = codec::decode(encoded).map_err(|error| format!("the head is malformed: {error}"))?;
        match &head.certificate {
            Some(certificate) if certificate.seq() != head.position.seq || certificate.root() != head.root => {
                Err("the certificate is that of another state".to_owned())
            }
            Some(_) | None => Ok(head),
        }
    }
}
