//! `certificates`: every certificate that a correct replica journals or sends has Q distinct members, the assignment is
//! its leader's, and nobody is counted who has not said it: each correct signer was heard saying exactly that, in that
//! epoch, view and slot, for that digest. The last rule needs no cryptography and sees through every way of counting a
//! vote for something else.

use std::collections::BTreeSet;

use quorate::core::{EnteredView, JournalRecord};
use quorate::messages::{
    CheckpointCertificate, CommitCertificate, CommittedSlot, Message, PreparedCertificate, Signed, ViewChange,
    VoteSignature,
};
use quorate::{ReplicaId, SeqNum, View};
use quorate_crypto::Digest;

use super::exempt::Exempt;
use super::rules::Rules;
use super::sayings::{Phase, Sayings};

/// What is known while a certificate of a replica is checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Witnesses<'a> {
    /// Whose certificate it is: its own vote may count before it is sent.
    pub holder: ReplicaId,
    /// What was said.
    pub said: &'a Sayings,
    /// Who stands by what.
    pub exempt: &'a Exempt,
}

/// What a certificate states, who signs it, and whose own vote was not asked for.
type Seen = (Kind, View, SeqNum, Digest, u64, Option<ReplicaId>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Prepared,
    Committed,
    Checkpoint,
}

/// The rule, and the certificates that were found right: most are seen again and again.
#[derive(Clone, Debug)]
pub(super) struct Certificates {
    rules: Rules,
    right: BTreeSet<Seen>,
}

impl Certificates {
    pub(super) fn new(rules: Rules) -> Self {
        Certificates { rules, right: BTreeSet::new() }
    }

    pub(super) fn check_record(&mut self, with: Witnesses<'_>, record: &JournalRecord) -> Result<(), String> {
        match record {
            JournalRecord::PrePrepared(header) => self.check_leader(with, header.payload.view, header.signer),
            JournalRecord::Prepared(known) => self.check_prepared(with, known),
            JournalRecord::Committed(known) => self.check_committed(with, known),
            JournalRecord::CheckpointStable(known) => self.check_checkpoint(with, known),
            JournalRecord::ViewChangeSent(asked) => self.check_view_change(with, asked),
            JournalRecord::ViewEntered(entered) => self.check_entered(with, entered),
            JournalRecord::Batch { .. }
            | JournalRecord::CheckpointTaken(_)
            | JournalRecord::RecoveryBegun(_)
            | JournalRecord::RecoveryEnded => Ok(()),
        }
    }

    /// What carries certificates and was not journalled by its sender.
    pub(super) fn check_message(&mut self, with: Witnesses<'_>, message: &Message) -> Result<(), String> {
        #[expect(clippy::wildcard_enum_match_arm, reason = "nothing else carries one")]
        match message {
            Message::ViewChange(asked) => self.check_view_change(with, asked),
            Message::Committed(slots) => {
                slots.iter().try_for_each(|CommittedSlot { certificate, .. }| self.check_committed(with, certificate))
            }
            Message::CheckpointCertificate(certificate) => self.check_checkpoint(with, certificate),
            _ => Ok(()),
        }
    }

    fn check_entered(&mut self, with: Witnesses<'_>, entered: &EnteredView) -> Result<(), String> {
        let new_view = &entered.new_view.payload;
        self.check_leader(with, new_view.target, entered.new_view.signer)?;
        for asked in &entered.view_changes {
            self.check_view_change(with, asked)?;
        }
        for (signer, digest) in &new_view.view_changes {
            let said = with.said.asked_for(*signer, new_view.target);
            let stands_by_it = with.exempt.stands_by_view_change(*signer, new_view.target);
            if *signer != with.holder && stands_by_it && said != Some(*digest) {
                return Err(format!(
                    "{} enters {} with a ViewChange that {signer} has not signed",
                    with.holder, new_view.target
                ));
            }
        }
        Ok(())
    }

    fn check_view_change(&mut self, with: Witnesses<'_>, asked: &Signed<ViewChange>) -> Result<(), String> {
        if let Some(stable) = &asked.payload.stable {
            self.check_checkpoint(with, stable)?;
        }
        asked.payload.prepared.iter().try_for_each(|known| self.check_prepared(with, known))
    }

    fn check_prepared(&mut self, with: Witnesses<'_>, known: &PreparedCertificate) -> Result<(), String> {
        let (view, seq, digest) = (known.view(), known.seq(), known.digest());
        let leader = known.pre_prepare.signer;
        self.check_leader(with, view, leader)?;
        // The leader's assignment is its one vote.
        let signers = self.signers(known.prepares.iter().map(|vote| vote.signer).chain([leader]));
        self.check(with, (Kind::Prepared, view, seq, digest), signers, |said, signer| {
            said.vote(signer, Phase::Accept, view, seq) == Some(digest)
        })
    }

    fn check_committed(&mut self, with: Witnesses<'_>, known: &CommitCertificate) -> Result<(), String> {
        let (view, seq, digest) = (known.commit.view, known.commit.seq, known.commit.digest);
        let signers = self.signers_of(&known.commits);
        self.check(with, (Kind::Committed, view, seq, digest), signers, |said, signer| {
            said.vote(signer, Phase::Commit, view, seq) == Some(digest)
        })
    }

    fn check_checkpoint(&mut self, with: Witnesses<'_>, known: &CheckpointCertificate) -> Result<(), String> {
        let (seq, root) = (known.checkpoint.seq, known.checkpoint.root);
        let signers = self.signers_of(&known.signatures);
        self.check(with, (Kind::Checkpoint, View(0), seq, root), signers, |said, signer| {
            said.reached(signer, seq) == Some(root)
        })
    }

    fn check(
        &mut self,
        with: Witnesses<'_>,
        (kind, view, seq, digest): (Kind, View, SeqNum, Digest),
        signers: Result<u64, String>,
        has_said: impl Fn(&Sayings, ReplicaId) -> bool,
    ) -> Result<(), String> {
        let what = || format!("{} holds a certificate ({kind:?}, view {view}, slot {seq})", with.holder);
        let signers = signers.map_err(|error| format!("{}: {error}", what()))?;
        let is_own = signers >> with.holder.0 & 1 == 1;
        let seen = (kind, view, seq, digest, signers, is_own.then_some(with.holder));
        if self.right.contains(&seen) {
            return Ok(());
        }
        let count = u64::from(signers.count_ones());
        if count < self.rules.quorum {
            return Err(format!("{} of {count} members; a quorum is {}", what(), self.rules.quorum));
        }
        let members = (0..64).filter(|member| signers >> member & 1 == 1).map(ReplicaId);
        let stands_by_it = |member| match kind {
            Kind::Prepared | Kind::Committed => with.exempt.stands_by_vote(member, view, seq),
            Kind::Checkpoint => with.exempt.stands_by_checkpoints(member),
        };
        let mut asked = members.filter(|member| *member != with.holder && stands_by_it(*member));
        if let Some(liar) = asked.find(|member| !has_said(with.said, *member)) {
            return Err(format!("{}, in which {liar} counts, who has not said that", what()));
        }
        self.right.insert(seen);
        Ok(())
    }

    fn check_leader(&self, with: Witnesses<'_>, view: View, signer: ReplicaId) -> Result<(), String> {
        if signer == self.rules.leader(view) {
            return Ok(());
        }
        Err(format!("{} takes an assignment in view {view} from {signer}, who does not lead it", with.holder))
    }

    fn signers_of(&self, votes: &[VoteSignature]) -> Result<u64, String> {
        self.signers(votes.iter().map(|vote| vote.signer))
    }

    /// The signers as bits, if they are distinct members.
    fn signers(&self, signers: impl Iterator<Item = ReplicaId>) -> Result<u64, String> {
        let mut bits = 0u64;
        for signer in signers {
            if u64::from(signer.0) >= self.rules.members {
                return Err(format!("{signer} is no member"));
            }
            if bits >> signer.0 & 1 == 1 {
                return Err(format!("{signer} counts twice"));
            }
            bits |= 1 << signer.0;
        }
        Ok(bits)
    }
}

#[cfg(test)]
mod tests {
    use quorate::messages::Bounds;

    use super::super::rules::rules;
    use super::super::samples::{
        ID, asked_for, checkpoint, checkpoint_certificate, commit, commit_certificate, entered_by, pre_prepared_by,
        prepare, prepared_certificate, proposal,
    };
    use super::*;

    /// What the members 0, 1 and 2 have said; 3 is Byzantine.
    fn said() -> Sayings {
        let mut said = Sayings::default();
        let words = [
            (0, proposal(ReplicaId(0), 4, 5, 7)),
            (1, prepare(ReplicaId(1), 4, 5, 7)),
            (2, prepare(ReplicaId(2), 4, 5, 7)),
            (1, commit(ReplicaId(1), 4, 5, 7)),
            (2, commit(ReplicaId(2), 4, 5, 7)),
            (1, checkpoint(ReplicaId(1), 8, 9)),
            (2, checkpoint(ReplicaId(2), 8, 9)),
        ];
        for (member, message) in words {
            let id = ReplicaId(member);
            said.add(id, &super::super::sayings::Saying::of(id, &message).expect("its own word"));
        }
        said
    }

    fn check(record: &JournalRecord) -> Result<(), String> {
        let exempt = Exempt::new((0..3).map(ReplicaId).collect());
        let said = said();
        let with = Witnesses { holder: ID, said: &said, exempt: &exempt };
        let mut certificates = Certificates::new(rules(4, 8));
        let first = certificates.check_record(with, record);
        assert_eq!(certificates.check_record(with, record), first, "the same again");
        first
    }

    #[test]
    fn a_quorum_of_those_who_said_it_is_right() {
        for record in [
            pre_prepared_by(ReplicaId(0), 4, 5, 7),
            JournalRecord::Prepared(prepared_certificate(4, 5, 7, &[1, 2])),
            JournalRecord::Prepared(prepared_certificate(4, 5, 7, &[2, 3])),
            JournalRecord::Committed(commit_certificate(4, 5, 7, &[1, 2, 3])),
            JournalRecord::CheckpointStable(checkpoint_certificate(8, 9, &[1, 2, 3])),
            asked_for(ID, 5, vec![prepared_certificate(4, 5, 7, &[1, 2])]),
        ] {
            assert_eq!(check(&record), Ok(()), "{record:?}");
        }
    }

    #[test]
    fn too_few_doubled_and_foreign_signers_are_noticed() {
        for signers in [&[1, 2][..], &[1, 2, 2], &[1, 2, 4], &[1]] {
            assert!(check(&JournalRecord::Committed(commit_certificate(4, 5, 7, signers))).is_err(), "{signers:?}");
            let stable = checkpoint_certificate(8, 9, signers);
            assert!(check(&JournalRecord::CheckpointStable(stable)).is_err(), "{signers:?}");
        }
        for signers in [&[1][..], &[1, 1], &[1, 4], &[0, 1]] {
            let prepared = prepared_certificate(4, 5, 7, signers);
            assert!(check(&JournalRecord::Prepared(prepared.clone())).is_err(), "{signers:?}");
            assert!(check(&asked_for(ID, 5, vec![prepared])).is_err(), "inside a ViewChange: {signers:?}");
        }
    }

    #[test]
    fn a_vote_for_something_else_does_not_count() {
        for (view, seq, mark) in [(4, 5, 8), (4, 6, 7), (8, 5, 7)] {
            let prepared = prepared_certificate(view, seq, mark, &[1, 2]);
            assert!(check(&JournalRecord::Prepared(prepared)).is_err(), "{view} {seq} {mark}");
            let committed = commit_certificate(view, seq, mark, &[1, 2, 3]);
            assert!(check(&JournalRecord::Committed(committed)).is_err(), "{view} {seq} {mark}");
        }
        let stable = checkpoint_certificate(8, 8, &[1, 2, 3]);
        assert!(check(&JournalRecord::CheckpointStable(stable)).is_err(), "another root");
    }

    #[test]
    fn who_has_forgotten_may_count_in_a_certificate_of_that_time_only() {
        let mut exempt = Exempt::new((0..3).map(ReplicaId).collect());
        exempt.forget(ReplicaId(2), Bounds { view: View(4), seq: SeqNum(5) });
        let said = said();
        let check = |record: &JournalRecord| {
            let with = Witnesses { holder: ID, said: &said, exempt: &exempt };
            Certificates::new(rules(4, 4)).check_record(with, record)
        };
        let committed = |view, seq| JournalRecord::Committed(commit_certificate(view, seq, 8, &[1, 2, 3]));
        assert_eq!(check(&committed(4, 5)), Ok(()));
        assert!(check(&committed(4, 6)).is_err() && check(&committed(8, 5)).is_err());
        let stable = checkpoint_certificate(8, 8, &[1, 2, 3]);
        assert!(check(&JournalRecord::CheckpointStable(stable)).is_err(), "states are not forgotten");
    }

    #[test]
    fn nobody_but_the_leader_assigns_and_proves_a_view() {
        assert!(check(&pre_prepared_by(ReplicaId(1), 4, 5, 7)).is_err());
        assert!(check(&entered_by(ReplicaId(3), 5)).is_err());
    }
}
