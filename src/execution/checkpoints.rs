//! The checkpoints that were executed here: those that wait for their certificate, and the last certified one, which
//! proven reads are answered from.

use std::collections::BTreeMap;

use quorate_crypto::Digest;

use super::snapshot::Snapshot;
use crate::codec;
use crate::messages::CheckpointCertificate;
use crate::messages::client::{Answer, ProvenAnswer};
use crate::types::SeqNum;

/// How many checkpoints wait for their certificate. A replica votes at most two checkpoints beyond the last certified
/// one; when it catches up faster than certificates arrive, older ones are forgotten and later ones serve.
const PENDING_MAX: usize = 4;

/// Snapshots share what did not change, so that each costs what changed since the one before.
#[derive(Clone, Debug, Default)]
pub(super) struct Checkpoints {
    pending: BTreeMap<SeqNum, Snapshot>,
    certified: Option<(CheckpointCertificate, Snapshot)>,
}

/// What a certificate means to this replica.
#[derive(Clone, Debug)]
pub enum Stability {
    /// This is the certified state. It may be written to disk.
    Certified(Snapshot),
    /// The state at that checkpoint is not kept here, or a later one is certified already.
    NotKept,
    /// The own state at that checkpoint is another one.
    Diverged {
        /// The checkpoint.
        seq: SeqNum,
        /// The own root.
        own: Digest,
        /// The certified root.
        certified: Digest,
    },
}

impl Checkpoints {
    /// Adds a checkpoint that was just executed.
    pub(super) fn push(&mut self, snapshot: Snapshot) {
        self.pending.insert(snapshot.seq(), snapshot);
        if self.pending.len() > PENDING_MAX {
            self.pending.pop_first();
        }
    }

    /// Takes the certificate of a checkpoint.
    pub(super) fn certify(&mut self, certificate: CheckpointCertificate) -> Stability {
        let (seq, certified) = (certificate.seq(), certificate.root());
        let Some(snapshot) = self.pending.get(&seq).cloned() else { return Stability::NotKept };
        let own = snapshot.root();
        if own != certified {
            return Stability::Diverged { seq, own, certified };
        }
        self.pending = self.pending.split_off(&seq.next());
        self.certified = Some((certificate, snapshot.clone()));
        Stability::Certified(snapshot)
    }

    /// The last certified checkpoint.
    pub(super) fn certified(&self) -> Option<(&CheckpointCertificate, &Snapshot)> {
        self.certified.as_ref().map(|(certificate, snapshot)| (certificate, snapshot))
    }

    /// What stands under `key` at the last certified checkpoint, with the proof.
    pub(super) fn answer(&self, tag: u64, key: &[u8]) -> Answer {
        let proven = self.certified().map(|(certificate, snapshot)| ProvenAnswer {
            certificate: certificate.clone(),
            parts: snapshot.parts(),
            proof: codec::encode(&snapshot.application().state().prove(key)).into(),
        });
        Answer { tag, proven }
    }
}
