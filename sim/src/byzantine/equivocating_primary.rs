//! A primary that assigns two batches to one slot of its view: one to each half of the others. It and its colluders vote
//! for both, each towards its half.

use std::collections::{BTreeMap, BTreeSet};

use quorate::batch::Batch;
use quorate::messages::{Commit, Message, PrePrepare, Prepare, Proposal, Signed};
use quorate::{ReplicaId, SeqNum, View, WallTime};
use quorate_crypto::Digest;

use super::attack::{Attack, Puppet};
use crate::choices::Choices;

/// The attack with the slots that it has forked.
#[derive(Debug)]
pub struct EquivocatingPrimary {
    /// Per mille of proposals that are made twice.
    rate: u64,
    seen: BTreeSet<(View, SeqNum)>,
    forks: BTreeMap<(View, SeqNum), Fork>,
}

#[derive(Debug)]
struct Fork {
    /// What the primary's honest core proposed.
    first: Digest,
    second: Signed<PrePrepare>,
    batch: Batch,
    /// Who gets the second batch.
    deceived: BTreeSet<ReplicaId>,
}

impl EquivocatingPrimary {
    /// Equivocates at `rate` per mille of the proposals.
    #[must_use]
    pub fn new(rate: u64) -> Self {
        EquivocatingPrimary { rate, seen: BTreeSet::new(), forks: BTreeMap::new() }
    }

    fn fork(&mut self, puppet: &Puppet, to: &[ReplicaId], proposal: &Proposal, choices: &mut Choices) {
        let PrePrepare { view, seq, digest } = proposal.header.payload;
        let Some(batch) = &proposal.batch else { return };
        if proposal.header.signer != puppet.id || !self.seen.insert((view, seq)) || !choices.chance(self.rate) {
            return;
        }
        let mut requests = batch.requests().to_vec();
        requests.reverse();
        let other = Batch::new(WallTime(batch.time().0 + 1), requests);
        let second = puppet.sign(PrePrepare { view, seq, digest: other.digest(seq) });
        let count = usize::try_from(choices.between(1, to.len() as u64)).unwrap_or(to.len());
        let deceived = choices.subset(to, count).into_iter().collect();
        self.forks.insert((view, seq), Fork { first: digest, second, batch: other, deceived });
    }

    /// The batch that this member is to see at a slot, where an honest core speaks of one side or the other.
    fn side_of(&self, to: ReplicaId, view: View, seq: SeqNum, digest: Digest) -> Digest {
        match self.forks.get(&(view, seq)) {
            Some(fork) if fork.deceived.contains(&to) => fork.second.payload.digest,
            Some(fork) => fork.first,
            None => digest,
        }
    }

    /// What one member gets; only assignments and own votes differ from what the honest core says.
    fn for_recipient(&self, puppet: &Puppet, to: ReplicaId, message: &Message) -> Vec<Message> {
        if let Message::PrePrepare(proposal) = message {
            return self.proposal_for(puppet, to, proposal);
        }
        if let Message::Prepare(Signed { signer, payload: Prepare { view, seq, digest }, .. }) = *message
            && signer == puppet.id
        {
            let digest = self.side_of(to, view, seq, digest);
            return vec![Message::Prepare(puppet.sign(Prepare { view, seq, digest }))];
        }
        if let Message::Commit(Signed { signer, payload: Commit { view, seq, digest }, .. }) = *message
            && signer == puppet.id
        {
            let digest = self.side_of(to, view, seq, digest);
            return vec![Message::Commit(puppet.sign(Commit { view, seq, digest }))];
        }
        vec![message.clone()]
    }

    /// One side of a forked slot, with the primary's Commit at once: it does not wait for Prepares.
    fn proposal_for(&self, puppet: &Puppet, to: ReplicaId, proposal: &Proposal) -> Vec<Message> {
        let PrePrepare { view, seq, .. } = proposal.header.payload;
        let Some(fork) = self.forks.get(&(view, seq)).filter(|_| proposal.header.signer == puppet.id) else {
            return vec![Message::PrePrepare(proposal.clone())];
        };
        let proposal = if fork.deceived.contains(&to) {
            Proposal { header: fork.second.clone(), batch: Some(fork.batch.clone()) }
        } else {
            proposal.clone()
        };
        let digest = proposal.header.payload.digest;
        vec![Message::PrePrepare(proposal), Message::Commit(puppet.sign(Commit { view, seq, digest }))]
    }
}

impl Attack for EquivocatingPrimary {
    fn rewrite(
        &mut self,
        puppet: &Puppet,
        to: &[ReplicaId],
        message: &Message,
        choices: &mut Choices,
    ) -> Vec<(ReplicaId, Message)> {
        if let Message::PrePrepare(proposal) = message
            && to.len() > 1
        {
            self.fork(puppet, to, proposal, choices);
        }
        let messages = |to: &ReplicaId| {
            let to = *to;
            self.for_recipient(puppet, to, message).into_iter().map(move |message| (to, message))
        };
        to.iter().flat_map(messages).collect()
    }

    fn count(&self) -> u64 {
        self.forks.len() as u64
    }
}
