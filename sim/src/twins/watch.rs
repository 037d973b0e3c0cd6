//! What happened, beside whether it was allowed: for counters that prove that attacks took place, and for people.

use std::collections::{BTreeMap, BTreeSet};

use quorate::core::{JournalRecord, Notice};
use quorate::messages::{Commit, Message, PrePrepare, Prepare};
use quorate::{ReplicaId, SeqNum, View};
use quorate_crypto::Digest;

use super::cast::Place;
use super::interest::Interest;

/// What a vote says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Said {
    /// A PrePrepare, in a NewView or alone.
    Assigned,
    /// A Prepare.
    Prepared,
    /// A Commit.
    Committed,
}

/// The cores of a twin said different things about one slot in one view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoubleVote {
    /// In which round.
    pub round: usize,
    /// The view.
    pub view: View,
    /// The slot.
    pub seq: SeqNum,
    /// What kind of vote.
    pub said: Said,
    /// The first core, and the batch it named.
    pub first: (Place, Digest),
    /// The other core, and the batch it named.
    pub second: (Place, Digest),
}

/// A correct replica executed a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Execution {
    /// In which round.
    pub round: usize,
    /// The view of the commit certificate.
    pub view: View,
    /// The replica.
    pub place: Place,
    /// The batch.
    pub digest: Digest,
}

/// Everything of note in one scenario.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// 1 for the first round of the attack, 0 before.
    pub round: usize,
    /// What happened at least once.
    pub interests: BTreeSet<Interest>,
    /// The contradictions of the twins.
    pub double_votes: Vec<DoubleVote>,
    /// What correct replicas executed.
    pub executions: BTreeMap<SeqNum, Vec<Execution>>,
    /// The highest view that a correct replica entered.
    pub view: View,
    said: BTreeMap<(ReplicaId, Said, View, SeqNum), (Place, Digest)>,
    prepared: BTreeMap<(SeqNum, Digest), usize>,
    committed: BTreeMap<(Place, SeqNum), View>,
}

impl Watch {
    /// The cores of twins say something.
    pub(super) fn on_twin_sends(&mut self, place: Place, member: ReplicaId, message: &Message) {
        for (said, vote) in votes_of(member, message) {
            self.say(place, member, said, vote);
        }
    }

    fn say(&mut self, place: Place, member: ReplicaId, said: Said, vote: PrePrepare) {
        let PrePrepare { view, seq, digest } = vote;
        let first = *self.said.entry((member, said, view, seq)).or_insert((place, digest));
        let second = (place, digest);
        let is_known =
            |known: &DoubleVote| (known.view, known.seq, known.said, known.second) == (view, seq, said, second);
        if first.1 != digest && !self.double_votes.iter().any(is_known) {
            self.interests.insert(Interest::DoubleVotes);
            self.double_votes.push(DoubleVote { round: self.round, view, seq, said, first, second });
        }
    }

    /// A correct replica lets something know.
    pub(super) fn on_notice(&mut self, place: Place, notice: &Notice) {
        if let Notice::ViewEntered { view, .. } = notice {
            self.view = self.view.max(*view);
        }
        if let Notice::Committed { view, seq, .. } = notice {
            self.committed.insert((place, *seq), *view);
        }
        let happened = [
            (Interest::ViewsEntered, matches!(notice, Notice::ViewEntered { .. })),
            (Interest::ReProposals, matches!(notice, Notice::ViewEntered { re_proposed: 1.., .. })),
            (Interest::NullFills, matches!(notice, Notice::ViewEntered { null_filled: 1.., .. })),
            (Interest::Evidence, matches!(notice, Notice::Evidence(_))),
            (Interest::CatchUps, matches!(notice, Notice::CatchingUp { .. })),
            (Interest::Transfers, matches!(notice, Notice::StateInstalled { .. })),
            (Interest::Checkpoints, matches!(notice, Notice::CheckpointStable { .. })),
            (Interest::Restarts, self.round > 0 && matches!(notice, Notice::StartChecked { .. })),
        ];
        self.interests.extend(happened.into_iter().filter(|(_, is_so)| *is_so).map(|(interest, _)| interest));
    }

    /// A correct replica journals something.
    pub(super) fn on_record(&mut self, record: &JournalRecord) {
        if let JournalRecord::Prepared(known) = record {
            self.prepared.entry((known.seq(), known.digest())).or_insert(self.round);
        }
        let JournalRecord::ViewEntered(entered) = record else { return };
        for header in &entered.new_view.payload.pre_prepares {
            let PrePrepare { seq, digest, .. } = header.payload;
            if self.prepared.get(&(seq, digest)).is_some_and(|round| *round < self.round) {
                let was_executed = self.executions.contains_key(&seq);
                let interest = if was_executed { Interest::CommittedReProposed } else { Interest::PreparedReProposed };
                self.interests.insert(interest);
            }
        }
    }

    /// A correct replica executes a batch.
    pub(super) fn on_executed(&mut self, place: Place, seq: SeqNum, digest: Digest, in_attack: bool) {
        let view = self.committed.get(&(place, seq)).copied().unwrap_or_default();
        if in_attack {
            self.interests.insert(Interest::ProgressUnderAttack);
        }
        self.executions.entry(seq).or_default().push(Execution { round: self.round, view, place, digest });
    }

    /// The first slot at which two correct replicas executed different batches.
    #[must_use]
    pub fn fork(&self) -> Option<(SeqNum, Execution, Execution)> {
        self.executions.iter().find_map(|(seq, executions)| {
            let first = executions.first()?;
            let other = executions.iter().find(|other| other.digest != first.digest)?;
            Some((*seq, *first, *other))
        })
    }
}

/// What a member says about slots in a message of its own.
fn votes_of(member: ReplicaId, message: &Message) -> Vec<(Said, PrePrepare)> {
    let own = |signer: ReplicaId| signer == member;
    if let Message::PrePrepare(proposal) = message {
        return own(proposal.header.signer).then_some((Said::Assigned, proposal.header.payload)).into_iter().collect();
    }
    if let Message::Prepare(vote) = message {
        let Prepare { view, seq, digest } = vote.payload;
        return own(vote.signer).then_some((Said::Prepared, PrePrepare { view, seq, digest })).into_iter().collect();
    }
    if let Message::Commit(vote) = message {
        let Commit { view, seq, digest } = vote.payload;
        return own(vote.signer).then_some((Said::Committed, PrePrepare { view, seq, digest })).into_iter().collect();
    }
    if let Message::NewView(new_view) = message {
        let headers = new_view.payload.pre_prepares.iter().filter(|header| own(header.signer));
        return headers.map(|header| (Said::Assigned, header.payload)).collect();
    }
    Vec::new()
}
