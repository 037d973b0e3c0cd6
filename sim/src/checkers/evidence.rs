//! Accusations: true ones only.

use std::collections::BTreeSet;

use quorate::ReplicaId;
use quorate::core::{Evidence, Notice};

/// With at most f Byzantine replicas no correct one is ever accused, halts or diverges.
pub(super) fn check_notice(correct: &BTreeSet<ReplicaId>, id: ReplicaId, notice: &Notice) -> Result<(), String> {
    if matches!(notice, Notice::Halted | Notice::Diverged { .. } | Notice::DivergedAt { .. }) {
        return Err(format!("{id}: {notice:?}"));
    }
    let Notice::Evidence(evidence) = notice else { return Ok(()) };
    match culprit(evidence) {
        Some(culprit) if !correct.contains(&culprit) => Ok(()),
        Some(_) | None => Err(format!("{id} accuses: {evidence:?}")),
    }
}

/// Who contradicts itself; `None` when the proof says that more than f are faulty.
fn culprit(evidence: &Evidence) -> Option<ReplicaId> {
    match evidence {
        Evidence::PrePrepares(first, _) => Some(first.signer),
        Evidence::Prepares(first, _) => Some(first.signer),
        Evidence::Commits(first, _) => Some(first.signer),
        Evidence::Checkpoints(first, _) => Some(first.signer),
        Evidence::PreparedCertificates(..) | Evidence::ContradictsCommitted(..) | Evidence::CommitCertificates(..) => {
            None
        }
    }
}
