//! The votes of one kind for one slot: at most one for each member.

use std::collections::BTreeMap;

use quorate_crypto::Digest;

use crate::messages::{Commit, Prepare, Signed, VoteSignature};
use crate::mutants::Mutant;
use crate::types::{ReplicaId, View};

/// A statement that counts towards a quorum.
pub trait Vote: Clone {
    /// The view in which it was said.
    fn view(&self) -> View;

    /// The batch it is for.
    fn digest(&self) -> Digest;
}

impl Vote for Prepare {
    fn view(&self) -> View {
        self.view
    }

    fn digest(&self) -> Digest {
        self.digest
    }
}

impl Vote for Commit {
    fn view(&self) -> View {
        self.view
    }

    fn digest(&self) -> Digest {
        self.digest
    }
}

/// The latest vote of each member. Invariant: one vote for each signer, that of its highest view seen here.
#[derive(Clone, Debug)]
pub struct VoteSet<P> {
    votes: BTreeMap<ReplicaId, Signed<P>>,
}

/// What became of a vote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded<P> {
    /// It counts.
    New,
    /// It was here, or a later one of the signer is.
    Unchanged,
    /// The signer has voted otherwise in the same view. The first vote stands.
    Equivocated {
        /// The first vote.
        first: Signed<P>,
    },
}

impl<P> Default for VoteSet<P> {
    fn default() -> Self {
        VoteSet { votes: BTreeMap::new() }
    }
}

impl<P: Vote> VoteSet<P> {
    /// Takes a vote.
    pub fn record(&mut self, vote: Signed<P>) -> Recorded<P> {
        match self.votes.get(&vote.signer) {
            Some(known) if known.payload.view() > vote.payload.view() => Recorded::Unchanged,
            Some(known) if known.payload.view() == vote.payload.view() => {
                if known.payload.digest() == vote.payload.digest() {
                    Recorded::Unchanged
                } else {
                    Recorded::Equivocated { first: known.clone() }
                }
            }
            Some(_) | None => {
                self.votes.insert(vote.signer, vote);
                Recorded::New
            }
        }
    }

    /// Puts back own votes that the journal promised.
    pub fn extend(&mut self, votes: impl IntoIterator<Item = Signed<P>>) {
        self.votes.extend(votes.into_iter().map(|vote| (vote.signer, vote)));
    }

    /// The vote of one member.
    #[must_use]
    pub fn of(&self, signer: ReplicaId) -> Option<&Signed<P>> {
        self.votes.get(&signer)
    }

    /// The signatures of the first `count` members, in ascending order, that voted for this batch in this view; `None`
    /// when there are fewer.
    #[must_use]
    pub fn signatures(&self, view: View, digest: Digest, count: usize) -> Option<Vec<VoteSignature>> {
        let signatures: Vec<_> = self
            .votes
            .values()
            .filter(|vote| vote.payload.view() == view)
            .filter(|vote| vote.payload.digest() == digest || Mutant::DigestIgnored.lives())
            .map(|vote| VoteSignature { signer: vote.signer, signature: vote.signature })
            .take(count)
            .collect();
        (signatures.len() == count).then_some(signatures)
    }

    /// How many votes are here.
    #[must_use]
    pub fn len(&self) -> usize {
        self.votes.len()
    }

    /// All votes, by signer.
    pub fn iter(&self) -> impl Iterator<Item = &Signed<P>> {
        self.votes.values()
    }
}
