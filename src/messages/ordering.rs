//! The normal case: ⟨PRE-PREPARE⟩, ⟨PREPARE⟩ and ⟨COMMIT⟩ (PBFT, section 4.2).

use quorate_crypto::Digest;
use serde::{Deserialize, Serialize};

use super::signed::{Payload, Signed};
use crate::batch::Batch;
use crate::types::{SeqNum, View};

macro_rules! vote {
    ($(#[$doc:meta])* $name:ident, $domain:literal, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $name {
            /// The view in which it is said.
            pub view: View,
            /// The slot.
            pub seq: SeqNum,
            /// The batch.
            pub digest: Digest,
        }

        impl Payload for $name {
            const DOMAIN: &'static str = $domain;
            const KIND: &'static str = $kind;
        }
    };
}

vote!(
    /// The primary assigns a batch to a slot of its view.
    PrePrepare, "quorate/pre-prepare/v1", "pre_prepare"
);
vote!(
    /// A backup has accepted the assignment. The primary's own Prepare does not exist and is never counted.
    Prepare, "quorate/prepare/v1", "prepare"
);
vote!(
    /// A replica holds a prepared certificate for the batch at the slot.
    Commit, "quorate/commit/v1", "commit"
);

/// A PrePrepare with the batch beside it. A null batch has no body; a relayed header may come without one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// The signed assignment.
    pub header: Signed<PrePrepare>,
    /// The batch whose digest it names.
    pub batch: Option<Batch>,
}
