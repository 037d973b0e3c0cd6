//! The hash chain over the history (docs/PROTOCOL.md, "Formulas"): two replicas with one chain hash have executed the
//! same batches with the same results, and the first slot at which theirs differ is where they diverged.

use quorate_crypto::{Digest, Hasher};

use crate::types::{SeqNum, WallTime};

/// What a slot adds to the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The slot.
    pub seq: SeqNum,
    /// The committed digest.
    pub digest: Digest,
    /// The executed time: max(previous, proposed).
    pub time: WallTime,
    /// The Merkle root over the leaves of the results.
    pub results_root: Digest,
}

impl Link {
    /// `chain_s = H(tag ‖ chain_{s-1} ‖ seq ‖ digest ‖ time ‖ results_root)`.
    #[must_use]
    pub fn chain(&self, previous: &Digest) -> Digest {
        Hasher::new("quorate/chain/v1")
            .digest(previous)
            .u64(self.seq.0)
            .digest(&self.digest)
            .u64(self.time.0)
            .digest(&self.results_root)
            .finish()
    }
}

/// `chain_0 = H(tag ‖ chain id)`.
#[must_use]
pub fn genesis_chain(chain_id: &Digest) -> Digest {
    Hasher::new("quorate/chain-genesis/v1").digest(chain_id).finish()
}
