//! The promises of a replica: the fold of its journal. What it has signed binds it after a crash too.

use std::collections::BTreeMap;

use quorate_crypto::Digest;
use serde::{Deserialize, Serialize};

use super::actions::JournalRecord;
use crate::batch::Batch;
use crate::codec;
use crate::messages::{
    Bounds, CheckpointCertificate, CommitCertificate, NewView, PrePrepare, PreparedCertificate, Signed, ViewChange,
};
use crate::mutants::Mutant;
use crate::types::{SeqNum, View};

/// A replica that catches up executes far above its low watermark: the latest certificates suffice. The greatest
/// window has 2,048 slots.
const COMMITTED_KEPT: usize = 2048;
const CHECKPOINTS_KEPT: usize = super::checkpoints::OWN_KEPT;

/// The proof with which a view was entered: the NewView and the ViewChanges it names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnteredView {
    /// The primary's proof.
    pub new_view: Signed<NewView>,
    /// The Q ViewChanges, in the order in which the NewView names them.
    #[serde(with = "codec::list")]
    pub view_changes: Vec<Signed<ViewChange>>,
}

/// Whether a replica knows all that it promised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Recovery {
    /// It does.
    #[default]
    Complete,
    /// Some of it is lost. `None` until the others have said what bounds it.
    Lost(Option<Bounds>),
}

/// All that binds a replica: it stands at the head of every journal segment, and the records behind it are folded
/// into it. Its size is bounded by the window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promises {
    /// The proof of the highest view entered; `None` in view 0.
    pub entered: Option<EnteredView>,
    /// The own ViewChange with the highest target.
    pub view_change: Option<Signed<ViewChange>>,
    /// The certificate of the low watermark; `None` at the genesis.
    pub stable: Option<CheckpointCertificate>,
    /// The own checkpoints at and above the low watermark.
    pub checkpoints: BTreeMap<SeqNum, Digest>,
    /// The assignment with the highest view that was proposed or accepted at each slot above the low watermark.
    pub pre_prepared: BTreeMap<SeqNum, Signed<PrePrepare>>,
    /// The prepared certificate with the highest view of each slot above the low watermark.
    pub prepared: BTreeMap<SeqNum, PreparedCertificate>,
    /// The commit certificates of the slots above the low watermark.
    pub committed: BTreeMap<SeqNum, CommitCertificate>,
    /// The last slot that went to the executor, or that an installed state contains.
    pub committed_through: SeqNum,
    /// Whether the rest of this is all that was promised.
    pub recovery: Recovery,
}

impl Promises {
    /// The highest view entered.
    #[must_use]
    pub fn view(&self) -> View {
        self.entered.as_ref().map_or(View(0), |entered| entered.new_view.payload.target)
    }

    /// The low watermark.
    #[must_use]
    pub fn low_watermark(&self) -> SeqNum {
        self.stable.as_ref().map_or(SeqNum::GENESIS, CheckpointCertificate::seq)
    }

    /// V and U: what no replica that knows less than this may sign in or below. `window` is L.
    #[must_use]
    pub fn bounds(&self, window: u64) -> Bounds {
        let asked = self.view_change.as_ref().map_or(View(0), |signed| signed.payload.target);
        let known = Bounds { view: self.view().max(asked), seq: self.low_watermark().plus(window) };
        match self.recovery {
            Recovery::Lost(Some(bounds)) => known.max(bounds),
            Recovery::Lost(None) | Recovery::Complete => known,
        }
    }

    /// Adds what a record promises.
    pub fn fold(&mut self, record: &JournalRecord) {
        match record {
            JournalRecord::Batch { .. } => {}
            JournalRecord::PrePrepared(header) => {
                self.pre_prepared.insert(header.payload.seq, header.clone());
            }
            JournalRecord::Prepared(certificate) => {
                self.prepared.insert(certificate.seq(), certificate.clone());
            }
            JournalRecord::ViewChangeSent(_) if Mutant::ViewChangeForgotten.lives() => {}
            JournalRecord::ViewChangeSent(view_change) => self.view_change = Some(view_change.clone()),
            JournalRecord::ViewEntered(entered) => self.entered = Some(entered.clone()),
            JournalRecord::Committed(certificate) => {
                self.committed_through = certificate.seq();
                self.committed.insert(certificate.seq(), certificate.clone());
                forget_oldest(&mut self.committed, COMMITTED_KEPT);
            }
            JournalRecord::CheckpointTaken(checkpoint) => {
                self.checkpoints.insert(checkpoint.seq, checkpoint.root);
                forget_oldest(&mut self.checkpoints, CHECKPOINTS_KEPT);
                self.prepared.retain(|seq, _| *seq > checkpoint.seq || !Mutant::LogDroppedBeforeStable.lives());
            }
            JournalRecord::CheckpointStable(certificate) => self.raise_low_watermark(certificate),
            JournalRecord::RecoveryBegun(bounds) => self.recovery = Recovery::Lost(*bounds),
            JournalRecord::RecoveryEnded => self.recovery = Recovery::Complete,
        }
    }

    fn raise_low_watermark(&mut self, certificate: &CheckpointCertificate) {
        let low = certificate.seq();
        self.stable = Some(certificate.clone());
        // A state that was fetched contains slots that were never committed here.
        self.committed_through = self.committed_through.max(low);
        self.checkpoints.retain(|seq, _| *seq >= low);
        self.pre_prepared.retain(|seq, _| *seq > low);
        self.prepared.retain(|seq, _| *seq > low);
        self.committed.retain(|seq, _| *seq > low);
    }
}

fn forget_oldest<V>(map: &mut BTreeMap<SeqNum, V>, kept: usize) {
    while map.len() > kept {
        map.pop_first();
    }
}

/// What storage hands to a replica that starts.
#[derive(Clone, Debug, Default)]
pub struct Recovered {
    /// What binds it.
    pub promises: Promises,
    /// The journalled batches of the slots above the low watermark, each under its digest.
    pub batches: BTreeMap<(SeqNum, Digest), Batch>,
}
