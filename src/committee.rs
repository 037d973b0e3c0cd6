//! The committee: who its members are, how many may fail, how many votes decide. The only place where that stands.
//!
//! For n members, f = floor((n-1)/3) may be Byzantine. A quorum has Q = ceil((n+f+1)/2) members: any two quorums share
//! at least f+1 members, hence a correct one, and Q ≤ n-f, so that the correct members alone are one. Q is 2f+1 only
//! when n = 3f+1: at n = 6, two sets of 2f+1 = 3 need not meet.

use quorate_crypto::PublicKey;
use serde::{Deserialize, Serialize};

use crate::mutants::Mutant;
use crate::types::{ReplicaId, View};

/// The most members a committee can have.
pub const MEMBERS_MAX: usize = 64;

/// The members of one epoch in their order, by public key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Committee {
    members: Vec<PublicKey>,
}

/// Why a list of keys is no committee.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCommittee {
    /// Neither 1 nor 4 to [`MEMBERS_MAX`] members.
    #[error("a committee has 1 member (development) or 4 to {MEMBERS_MAX}, not {0}")]
    Size(usize),
    /// One key stands twice.
    #[error("the key {0} stands twice")]
    Duplicate(PublicKey),
}

impl Committee {
    /// A committee of these members.
    ///
    /// # Errors
    /// [`InvalidCommittee`] when the number of members cannot tolerate a fault (2, 3) or is too large, or a key repeats.
    pub fn new(members: Vec<PublicKey>) -> Result<Self, InvalidCommittee> {
        let committee = Committee { members };
        committee.validate()?;
        Ok(committee)
    }

    /// Checks what [`Committee::new`] checks, for a committee that was decoded.
    ///
    /// # Errors
    /// As [`Committee::new`].
    pub fn validate(&self) -> Result<(), InvalidCommittee> {
        let n = self.members.len();
        if n != 1 && !(4..=MEMBERS_MAX).contains(&n) {
            return Err(InvalidCommittee::Size(n));
        }
        let mut sorted: Vec<_> = self.members.iter().collect();
        sorted.sort();
        match sorted.windows(2).find_map(|pair| (pair.first() == pair.last()).then(|| pair.first())) {
            Some(Some(key)) => Err(InvalidCommittee::Duplicate(**key)),
            Some(None) | None => Ok(()),
        }
    }

    /// n, the number of members.
    #[must_use]
    pub fn size(&self) -> usize {
        self.members.len()
    }

    /// f, the number of members that may be Byzantine.
    #[must_use]
    pub fn faulty_max(&self) -> usize {
        (self.size() - 1) / 3
    }

    /// Q, the number of votes that decide.
    #[must_use]
    pub fn quorum(&self) -> usize {
        (self.size() + self.faulty_max() + 1).div_ceil(2) - usize::from(Mutant::QuorumOneTooSmall.lives())
    }

    /// W = f+1, the number of members of whom at least one is correct.
    #[must_use]
    pub fn weak_quorum(&self) -> usize {
        self.faulty_max() + 1
    }

    /// The primary of `view`.
    #[must_use]
    pub fn primary(&self, view: View) -> ReplicaId {
        let index = view.0 % self.size() as u64;
        ReplicaId(u16::try_from(index).expect("smaller than the number of members, which is at most 64"))
    }

    /// The key of a member; `None` for an identifier that is none.
    #[must_use]
    pub fn key(&self, replica: ReplicaId) -> Option<&PublicKey> {
        self.members.get(self.place(replica))
    }

    /// The member that owns `key`.
    #[must_use]
    pub fn find(&self, key: &PublicKey) -> Option<ReplicaId> {
        self.ids().find(|id| self.key(*id) == Some(key))
    }

    /// Whether `replica` is a member.
    #[must_use]
    pub fn contains(&self, replica: ReplicaId) -> bool {
        self.place(replica) < self.size()
    }

    fn place(&self, replica: ReplicaId) -> usize {
        if Mutant::NonMemberCounts.lives() { replica.index() % self.size() } else { replica.index() }
    }

    /// All members in their order.
    pub fn ids(&self) -> impl Iterator<Item = ReplicaId> + Clone + use<> {
        (0..u16::try_from(self.members.len()).expect("at most 64 members")).map(ReplicaId)
    }

    /// The keys of all members in their order.
    #[must_use]
    pub fn keys(&self) -> &[PublicKey] {
        &self.members
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn committee(n: u8) -> Result<Committee, InvalidCommittee> {
        Committee::new((0..n).map(|i| PublicKey::from_bytes([i; 32])).collect())
    }

    #[test]
    fn quorums_meet_in_a_correct_member_and_correct_members_are_a_quorum() {
        for n in (4..=MEMBERS_MAX as u8).chain([1]) {
            let committee = committee(n).unwrap();
            let (n, f, q) = (usize::from(n), committee.faulty_max(), committee.quorum());
            assert!(2 * q > n + f, "two quorums of {q} out of {n} share at least f+1 = {}", f + 1);
            assert!(q <= n - f, "the correct members are a quorum");
            assert!(2 * (q - 1) <= n + f, "no smaller number would do");
            assert!(n > 3 * f && n <= 3 * f + 3);
        }
    }

    #[test]
    fn two_f_plus_one_is_not_the_quorum_when_n_is_not_three_f_plus_one() {
        let quorums: Vec<_> = [4, 5, 6, 7, 8, 10, 13].map(|n| committee(n).unwrap().quorum()).to_vec();
        assert_eq!(quorums, [3, 4, 4, 5, 6, 7, 9]);
    }

    #[test]
    fn rejects_sizes_that_tolerate_nothing_and_repeated_keys() {
        for n in [0, 2, 3, 65] {
            assert_eq!(committee(n), Err(InvalidCommittee::Size(usize::from(n))));
        }
        let key = PublicKey::from_bytes([7; 32]);
        assert_eq!(Committee::new(vec![key; 4]), Err(InvalidCommittee::Duplicate(key)));
    }

    #[test]
    fn every_member_leads_in_turn_up_to_the_last_view() {
        let committee = committee(5).unwrap();
        assert_eq!(committee.primary(View(7)), ReplicaId(2));
        assert!(committee.contains(committee.primary(View(u64::MAX))));
    }
}
