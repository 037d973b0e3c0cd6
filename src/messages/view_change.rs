//! ⟨VIEW-CHANGE⟩ and ⟨NEW-VIEW⟩ (PBFT, section 4.4).

use quorate_crypto::{Digest, Hasher};
use serde::{Deserialize, Serialize};

use super::certificate::{CheckpointCertificate, PreparedCertificate};
use super::ordering::PrePrepare;
use super::signed::{Payload, Signed};
use crate::codec;
use crate::types::{ReplicaId, SeqNum, View};

/// A replica asks for view `target` and says what it is bound to: its stable checkpoint, and for each slot above it
/// the prepared certificate with the highest view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewChange {
    /// The view asked for.
    pub target: View,
    /// The stable checkpoint h; `None` is the genesis, which needs no proof.
    pub stable: Option<CheckpointCertificate>,
    /// At most one per slot, slots in (h, h+L] ascending, views below `target`.
    #[serde(with = "codec::list")]
    pub prepared: Vec<PreparedCertificate>,
}

impl ViewChange {
    /// h, the slot of its stable checkpoint.
    #[must_use]
    pub fn stable_seq(&self) -> SeqNum {
        self.stable.as_ref().map_or(SeqNum::GENESIS, CheckpointCertificate::seq)
    }
}

impl Payload for ViewChange {
    const DOMAIN: &'static str = "quorate/view-change/v1";
    const KIND: &'static str = "view_change";
}

impl Signed<ViewChange> {
    /// The hash by which a NewView names it: of signer and content, without its own signature.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Hasher::new("quorate/view-change-digest/v1")
            .u64(u64::from(self.signer.0))
            .bytes(&codec::canonical(&self.payload))
            .finish()
    }
}

/// The primary of `target` proves with Q ViewChanges that the view begins, and re-proposes what may be committed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewView {
    /// The view that begins.
    pub target: View,
    /// Signer and digest of Q ViewChanges, signers ascending.
    #[serde(with = "codec::list")]
    pub view_changes: Vec<(ReplicaId, Digest)>,
    /// One signed assignment for each slot in (min_s, max_s], ascending.
    #[serde(with = "codec::list")]
    pub pre_prepares: Vec<Signed<PrePrepare>>,
}

impl Payload for NewView {
    const DOMAIN: &'static str = "quorate/new-view/v1";
    const KIND: &'static str = "new_view";
}
