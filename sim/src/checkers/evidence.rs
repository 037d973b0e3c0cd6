//! `evidence`: accusations are true. With at most f Byzantine replicas no correct one is accused, halts or diverges.

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

#[cfg(test)]
mod tests {
    use quorate::SeqNum;

    use super::super::samples::{ID, commit_certificate, digest, header};
    use super::*;

    fn check(evidence: Evidence) -> Result<(), String> {
        let correct = (0..3).map(ReplicaId).collect();
        check_notice(&correct, ID, &Notice::Evidence(Box::new(evidence)))
    }

    #[test]
    fn an_accusation_of_a_correct_replica_is_noticed_and_one_of_a_liar_is_not() {
        let pair =
            |member| Evidence::PrePrepares(header(ReplicaId(member), 3, 5, 7), header(ReplicaId(member), 3, 5, 8));
        assert_eq!(check(pair(3)), Ok(()));
        assert!(check(pair(2)).is_err());
    }

    #[test]
    fn a_proof_that_more_than_f_are_faulty_is_noticed() {
        let certificate = |mark| commit_certificate(1, 5, mark, &[0, 1, 2]);
        assert!(check(Evidence::CommitCertificates(certificate(7), certificate(8))).is_err());
    }

    #[test]
    fn nobody_halts_or_diverges() {
        let correct = BTreeSet::new();
        let (seq, own, certified) = (SeqNum(4), digest(1), digest(2));
        for notice in [Notice::Halted, Notice::Diverged { seq, own, certified }] {
            assert!(check_notice(&correct, ID, &notice).is_err(), "{notice:?}");
        }
        assert_eq!(check_notice(&correct, ID, &Notice::Prepared { view: quorate::View(1), seq }), Ok(()));
    }
}
