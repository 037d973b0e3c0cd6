//! One slot of the log: what is known of one sequence number (PBFT, section 4.2).

use std::collections::{BTreeMap, BTreeSet};

use quorate_crypto::Digest;

use super::vote_set::VoteSet;
use crate::batch::{Batch, CommittedBatch, null_digest};
use crate::messages::{Commit, CommitCertificate, PrePrepare, Prepare, PreparedCertificate, Signed, SlotProgress};
use crate::mutants::Mutant;
use crate::types::{SeqNum, View};

/// Where the assignment of a slot comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The primary proposed it in its view: its time is compared with the clock before the vote.
    Fresh,
    /// A NewView re-proposed it: its requests and its time were judged when it was fresh.
    ReProposed,
}

/// What is known of one sequence number. Invariant: what is prepared or committed is never forgotten here; views only
/// rise; a body is kept only while something names it.
#[derive(Clone, Debug)]
pub struct Slot {
    seq: SeqNum,
    /// The assignment with the highest view that was accepted, or made, here.
    accepted: Option<(Signed<PrePrepare>, Origin)>,
    batches: BTreeMap<Digest, Batch>,
    /// The digests whose batches are in the journal.
    journalled: BTreeSet<Digest>,
    /// Prepares, the own one included.
    pub prepares: VoteSet<Prepare>,
    /// Commits, the own one included.
    pub commits: VoteSet<Commit>,
    prepared: Option<PreparedCertificate>,
    committed: Option<CommitCertificate>,
    /// Whether the committed batch went to the executor; its body is then in the journal only.
    handed_over: bool,
}

/// What the journal says of a slot.
#[derive(Clone, Debug, Default)]
pub struct Promised {
    /// The assignment with the highest view that was made or accepted.
    pub accepted: Option<Signed<PrePrepare>>,
    /// The prepared certificate with the highest view.
    pub prepared: Option<PreparedCertificate>,
    /// The commit certificate, if the slot went to the executor.
    pub committed: Option<CommitCertificate>,
    /// The journalled batches, by digest.
    pub batches: BTreeMap<Digest, Batch>,
}

/// What became of an assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// It is accepted now.
    New,
    /// It was here; its body, if it came along, was missing and is here now.
    Unchanged,
    /// The primary assigned another batch in the same view before. That one stands.
    Equivocated {
        /// The first assignment.
        first: Signed<PrePrepare>,
    },
    /// A later view's assignment is here.
    Old,
}

impl Slot {
    /// An untouched slot.
    #[must_use]
    pub fn new(seq: SeqNum) -> Self {
        Slot {
            seq,
            accepted: None,
            batches: BTreeMap::new(),
            journalled: BTreeSet::new(),
            prepares: VoteSet::default(),
            commits: VoteSet::default(),
            prepared: None,
            committed: None,
            handed_over: false,
        }
    }

    /// Takes an assignment; the caller has checked view, signer and window.
    pub fn accept(&mut self, header: Signed<PrePrepare>, batch: Option<Batch>, origin: Origin) -> Accepted {
        if Mutant::SecondPrePrepareAccepted.lives() {
            (self.accepted, self.prepares) = (None, VoteSet::default());
        }
        match &self.accepted {
            Some((known, _)) if known.payload.view > header.payload.view => return Accepted::Old,
            Some((known, _)) if known.payload.view == header.payload.view => {
                if known.payload.digest != header.payload.digest {
                    return Accepted::Equivocated { first: known.clone() };
                }
                if let Some(batch) = batch {
                    self.add_batch(batch);
                }
                return Accepted::Unchanged;
            }
            Some(_) | None => {}
        }
        self.accepted = Some((header, origin));
        if let Some(batch) = batch {
            self.add_batch(batch);
        }
        self.forget_unnamed_batches();
        Accepted::New
    }

    /// The assignment of `view`.
    #[must_use]
    pub fn accepted_in(&self, view: View) -> Option<&Signed<PrePrepare>> {
        self.accepted.as_ref().map(|(header, _)| header).filter(|header| header.payload.view == view)
    }

    /// The assignment with the highest view.
    #[must_use]
    pub fn accepted(&self) -> Option<&Signed<PrePrepare>> {
        self.accepted.as_ref().map(|(header, _)| header)
    }

    /// Where the assignment comes from.
    #[must_use]
    pub fn origin(&self) -> Option<Origin> {
        self.accepted.as_ref().map(|(_, origin)| *origin)
    }

    /// Takes a batch if something here names its digest and it is missing. Says whether it was taken.
    pub fn add_batch(&mut self, batch: Batch) -> bool {
        let digest = batch.digest(self.seq);
        if self.has_content(digest) || !self.named_digests().any(|named| named == digest) {
            return false;
        }
        self.batches.insert(digest, batch);
        true
    }

    /// The batch with this digest, while it is in memory.
    #[must_use]
    pub fn batch(&self, digest: Digest) -> Option<&Batch> {
        self.batches.get(&digest)
    }

    /// Whether the content behind a digest is at hand: in memory, executed, or null.
    #[must_use]
    pub fn has_content(&self, digest: Digest) -> bool {
        digest == null_digest(self.seq)
            || self.batches.contains_key(&digest)
            || (self.handed_over && self.committed.as_ref().is_some_and(|known| known.digest() == digest))
    }

    /// The digest whose content is needed next and missing: the committed one before the accepted one.
    #[must_use]
    pub fn missing_content(&self) -> Option<Digest> {
        let wanted = match &self.committed {
            Some(certificate) => Some(certificate.digest()),
            None => self.accepted.as_ref().map(|(header, _)| header.payload.digest),
        };
        wanted.filter(|digest| !self.has_content(*digest))
    }

    /// The batch behind a digest, if it must still go to the journal; it counts as journalled from now on.
    pub fn take_unjournalled(&mut self, digest: Digest) -> Option<Batch> {
        let batch = self.batches.get(&digest)?;
        self.journalled.insert(digest).then(|| batch.clone())
    }

    /// The prepared certificate with the highest view.
    #[must_use]
    pub fn prepared(&self) -> Option<&PreparedCertificate> {
        self.prepared.as_ref()
    }

    /// Keeps a prepared certificate. Certificates come with rising views.
    pub fn set_prepared(&mut self, certificate: PreparedCertificate) {
        assert!(self.prepared.as_ref().is_none_or(|known| known.view() < certificate.view()), "views rise");
        self.prepared = Some(certificate);
    }

    /// The commit certificate.
    #[must_use]
    pub fn committed(&self) -> Option<&CommitCertificate> {
        self.committed.as_ref()
    }

    /// Keeps a commit certificate; says what is known already if it differs. The first one stands.
    pub fn set_committed(&mut self, certificate: CommitCertificate) -> Result<(), CommitCertificate> {
        match &self.committed {
            Some(known) if known.digest() != certificate.digest() => Err(known.clone()),
            Some(_) => Ok(()),
            None => {
                self.committed = Some(certificate);
                Ok(())
            }
        }
    }

    /// The committed batch, when its content is here and it was not handed over yet.
    #[must_use]
    pub fn ready(&self) -> Option<CommittedBatch> {
        let digest = self.committed.as_ref()?.digest();
        if self.handed_over || !self.has_content(digest) {
            return None;
        }
        Some(CommittedBatch { seq: self.seq, digest, batch: self.batches.get(&digest).cloned() })
    }

    /// The committed batch has gone to the executor and the journal.
    pub fn set_handed_over(&mut self) {
        assert!(self.committed.is_some(), "only a committed batch is handed over");
        self.handed_over = true;
    }

    /// The state that contained the committed batch was discarded.
    pub fn reopen(&mut self) {
        self.handed_over = false;
    }

    /// Whether the committed batch has gone to the executor.
    #[must_use]
    pub fn is_handed_over(&self) -> bool {
        self.handed_over
    }

    /// The batch has been executed: its body is served from the journal from now on.
    pub fn forget_executed_batch(&mut self) {
        if self.handed_over {
            self.batches.clear();
        }
    }

    /// Bytes of batches in memory.
    #[must_use]
    pub fn body_bytes(&self) -> u64 {
        self.batches.values().map(|batch| batch.body().len() as u64).sum()
    }

    /// The batch of the current assignment, while it is in memory.
    #[must_use]
    pub fn accepted_batch(&self) -> Option<&Batch> {
        self.accepted.as_ref().and_then(|(header, _)| self.batches.get(&header.payload.digest))
    }

    /// The batch of the current assignment, if another one is committed.
    #[must_use]
    pub fn overruled_batch(&self) -> Option<&Batch> {
        let committed = self.committed.as_ref()?.digest();
        let overruled = self.accepted().filter(|header| header.payload.digest != committed)?;
        self.batches.get(&overruled.payload.digest)
    }

    /// All batches in memory.
    pub fn batches(&self) -> impl Iterator<Item = (&Digest, &Batch)> {
        self.batches.iter()
    }

    /// How far it is, as seen from `view`.
    #[must_use]
    pub fn progress(&self, view: View) -> SlotProgress {
        let accepted = self.accepted_in(view);
        SlotProgress {
            pre_prepared: accepted.is_some(),
            has_body: accepted.is_some_and(|header| self.has_content(header.payload.digest)),
            prepared: self.prepared.as_ref().is_some_and(|certificate| certificate.view() == view),
            committed: self.committed.is_some(),
        }
    }

    /// Restores what was promised before.
    pub fn restore(&mut self, promised: Promised) {
        // The time of a restored proposal was judged before it was journalled.
        self.accepted = promised.accepted.map(|header| (header, Origin::ReProposed));
        self.prepared = promised.prepared;
        self.handed_over = promised.committed.is_some();
        self.committed = promised.committed;
        self.journalled = promised.batches.keys().copied().collect();
        if !self.handed_over {
            self.batches = promised.batches;
            self.forget_unnamed_batches();
        }
    }

    fn forget_unnamed_batches(&mut self) {
        let named: BTreeSet<_> = self.named_digests().collect();
        self.batches.retain(|digest, _| named.contains(digest));
    }

    /// The digests that something here names: at most three.
    fn named_digests(&self) -> impl Iterator<Item = Digest> + '_ {
        let accepted = self.accepted.as_ref().map(|(header, _)| header.payload.digest);
        let prepared = self.prepared.as_ref().map(PreparedCertificate::digest);
        let committed = self.committed.as_ref().map(CommitCertificate::digest);
        [accepted, prepared, committed].into_iter().flatten()
    }
}
