//! ⟨CHECKPOINT⟩ (PBFT, section 4.3).

use quorate_crypto::Digest;
use serde::{Deserialize, Serialize};

use super::signed::Payload;
use crate::types::SeqNum;

/// A replica has executed everything up to `seq` and its whole state then had this root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// A multiple of the checkpoint interval K.
    pub seq: SeqNum,
    /// H(tag ‖ seq ‖ application root ‖ client table root ‖ chain hash ‖ time).
    pub root: Digest,
}

impl Payload for Checkpoint {
    const DOMAIN: &'static str = "quorate/checkpoint/v1";
    const KIND: &'static str = "checkpoint";
}
