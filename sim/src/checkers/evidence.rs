//! `evidence`: accusations are true. With at most f Byzantine replicas no correct one is accused, halts or diverges.

use quorate::ReplicaId;
use quorate::core::{Evidence, Notice};
use quorate::messages::Signed;

use super::exempt::Exempt;

/// With at most f Byzantine replicas no correct one is ever accused, halts or diverges.
pub(super) fn check_notice(exempt: &Exempt, id: ReplicaId, notice: &Notice) -> Result<(), String> {
    if matches!(notice, Notice::Halted | Notice::Diverged { .. } | Notice::DivergedAt { .. }) {
        return Err(format!("{id}: {notice:?}"));
    }
    let Notice::Evidence(evidence) = notice else { return Ok(()) };
    if is_true(exempt, evidence) { Ok(()) } else { Err(format!("{id} accuses: {evidence:?}")) }
}

/// Whether the accused is Byzantine, or may have forgotten its first word. A proof that more than f are faulty never is.
fn is_true(exempt: &Exempt, evidence: &Evidence) -> bool {
    match evidence {
        Evidence::PrePrepares(Signed { signer, payload, .. }, _) => {
            !exempt.stands_by_vote(*signer, payload.view, payload.seq)
        }
        Evidence::Prepares(Signed { signer, payload, .. }, _) => {
            !exempt.stands_by_vote(*signer, payload.view, payload.seq)
        }
        Evidence::Commits(Signed { signer, payload, .. }, _) => {
            !exempt.stands_by_vote(*signer, payload.view, payload.seq)
        }
        Evidence::Checkpoints(first, _) => !exempt.stands_by_checkpoints(first.signer),
        Evidence::PreparedCertificates(..) | Evidence::ContradictsCommitted(..) | Evidence::CommitCertificates(..) => {
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use quorate::messages::Bounds;
    use quorate::{SeqNum, View};

    use super::super::samples::{ID, commit_certificate, digest, header};
    use super::*;

    fn exempt() -> Exempt {
        Exempt::new((0..3).map(ReplicaId).collect())
    }

    fn check(evidence: Evidence) -> Result<(), String> {
        check_notice(&exempt(), ID, &Notice::Evidence(Box::new(evidence)))
    }

    #[test]
    fn an_accusation_of_a_correct_replica_is_noticed_and_one_of_a_liar_is_not() {
        let pair =
            |member| Evidence::PrePrepares(header(ReplicaId(member), 3, 5, 7), header(ReplicaId(member), 3, 5, 8));
        assert_eq!(check(pair(3)), Ok(()));
        assert!(check(pair(2)).is_err());
    }

    #[test]
    fn who_has_forgotten_may_be_accused_of_what_it_had_said_and_of_nothing_later() {
        let pair = |view, seq| {
            let of = |mark| header(ReplicaId(2), view, seq, mark);
            Notice::Evidence(Box::new(Evidence::PrePrepares(of(7), of(8))))
        };
        let mut exempt = exempt();
        exempt.forget(ReplicaId(2), Bounds { view: View(6), seq: SeqNum(8) });
        assert_eq!(check_notice(&exempt, ID, &pair(6, 8)), Ok(()));
        assert!(check_notice(&exempt, ID, &pair(6, 9)).is_err());
        assert!(check_notice(&exempt, ID, &pair(10, 8)).is_err());
    }

    #[test]
    fn a_proof_that_more_than_f_are_faulty_is_noticed() {
        let certificate = |mark| commit_certificate(1, 5, mark, &[0, 1, 2]);
        assert!(check(Evidence::CommitCertificates(certificate(7), certificate(8))).is_err());
    }

    #[test]
    fn nobody_halts_or_diverges() {
        let exempt = Exempt::new([].into());
        let (seq, own, certified) = (SeqNum(4), digest(1), digest(2));
        for notice in [Notice::Halted, Notice::Diverged { seq, own, certified }] {
            assert!(check_notice(&exempt, ID, &notice).is_err(), "{notice:?}");
        }
        assert_eq!(check_notice(&exempt, ID, &Notice::Prepared { view: View(1), seq }), Ok(()));
    }
}
