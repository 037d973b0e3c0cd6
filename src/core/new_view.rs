//! The rule of the new view (PBFT, section 4.4, the computation of O) as one pure function, used to build a NewView and
//! to check one.

use std::collections::BTreeMap;

use quorate_crypto::Digest;

use crate::batch::null_digest;
use crate::messages::{PreparedCertificate, ViewChange};
use crate::mutants::Mutant;
use crate::types::SeqNum;

/// What a set of ViewChanges makes of the slots that may be committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The highest proven stable checkpoint.
    pub min_s: SeqNum,
    /// The highest prepared slot, at least `min_s`.
    pub max_s: SeqNum,
    /// The batch of each slot in (min_s, max_s], ascending.
    pub assignments: Vec<(SeqNum, Digest)>,
}

/// Two valid certificates for one slot and view with different batches: more than f members are faulty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict(pub PreparedCertificate, pub PreparedCertificate);

/// Each slot between the highest proven stable checkpoint and the highest prepared slot takes the batch of the
/// certificate with the highest view, else the null batch.
///
/// 1. A batch committed at s in view v was prepared by at least f+1 correct replicas of any quorum's Q members, because
///    two quorums share f+1 members. One of them is among the senders of these ViewChanges.
/// 2. It reports its certificate for s, unless its stable checkpoint is at s or above; then so is `min_s`.
/// 3. No certificate of a later view names another batch: by the same argument for each view in between.
///
/// # Errors
/// [`Conflict`] when two certificates of one view disagree.
pub fn plan<'a>(view_changes: impl IntoIterator<Item = &'a ViewChange> + Clone) -> Result<Plan, Box<Conflict>> {
    let min_s = view_changes.clone().into_iter().map(ViewChange::stable_seq).max().unwrap_or_default();
    let mut highest: BTreeMap<SeqNum, &PreparedCertificate> = BTreeMap::new();
    for certificate in view_changes.into_iter().flat_map(|view_change| &view_change.prepared) {
        match highest.get(&certificate.seq()) {
            _ if certificate.seq() <= min_s => {}
            Some(known) if known.view() == certificate.view() && known.digest() != certificate.digest() => {
                return Err(Box::new(Conflict((*known).clone(), certificate.clone())));
            }
            Some(known) if (known.view() >= certificate.view()) != Mutant::LowestViewWins.lives() => {}
            Some(_) | None => {
                highest.insert(certificate.seq(), certificate);
            }
        }
    }
    let max_s = highest.last_key_value().map_or(min_s, |(seq, _)| *seq);
    let assignments = min_s
        .up_to(max_s)
        .map(|seq| (seq, highest.get(&seq).filter(|_| !Mutant::CommittedSlotNulled.lives())))
        .map(|(seq, certificate)| (seq, certificate.map_or_else(|| null_digest(seq), |found| found.digest())))
        .collect();
    Ok(Plan { min_s, max_s, assignments })
}
