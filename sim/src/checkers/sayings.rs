//! What replicas say with their signature, over all their lives.

use std::collections::{BTreeMap, BTreeSet};

use quorate::core::{JournalRecord, Promises};
use quorate::messages::{Bounds, Checkpoint, Message, NewView, PrePrepare};
use quorate::{ReplicaId, SeqNum, View};
use quorate_crypto::Digest;

/// PrePrepare and Prepare are one phase: nobody says both in one view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    Accept,
    Commit,
}

/// One signed statement. Views, slots and digests of votes are written as those of a PrePrepare.
#[derive(Clone, Copy, Debug)]
pub(super) enum Saying<'a> {
    Assigned(PrePrepare),
    Accepted(PrePrepare),
    Committed(PrePrepare),
    AskedFor(View, Digest),
    Led(&'a NewView),
    Reached(Checkpoint),
}

impl<'a> Saying<'a> {
    /// What a message says in the name of its sender; `None` for the words of others and for what carries no signature.
    pub(super) fn of(id: ReplicaId, message: &'a Message) -> Option<Self> {
        match message {
            Message::PrePrepare(proposal) if proposal.header.signer == id => {
                Some(Saying::Assigned(proposal.header.payload))
            }
            Message::Prepare(vote) if vote.signer == id => {
                let vote = vote.payload;
                Some(Saying::Accepted(PrePrepare { view: vote.view, seq: vote.seq, digest: vote.digest }))
            }
            Message::Commit(vote) if vote.signer == id => {
                let vote = vote.payload;
                Some(Saying::Committed(PrePrepare { view: vote.view, seq: vote.seq, digest: vote.digest }))
            }
            Message::ViewChange(asked) if asked.signer == id => {
                Some(Saying::AskedFor(asked.payload.target, asked.digest()))
            }
            Message::NewView(new_view) if new_view.signer == id => Some(Saying::Led(&new_view.payload)),
            Message::Checkpoint(vote) if vote.signer == id => Some(Saying::Reached(vote.payload)),
            Message::PrePrepare(_)
            | Message::Prepare(_)
            | Message::Commit(_)
            | Message::ViewChange(_)
            | Message::NewView(_)
            | Message::Checkpoint(_)
            | Message::Forward(_)
            | Message::Status(_)
            | Message::FetchBatch { .. }
            | Message::Batch { .. }
            | Message::FetchCommitted { .. }
            | Message::Committed(_)
            | Message::FetchViewChange { .. }
            | Message::FetchVotes { .. }
            | Message::FetchCheckpoint
            | Message::CheckpointCertificate(_)
            | Message::FetchChain { .. }
            | Message::Chain(_)
            | Message::Votes(_)
            | Message::HistoryGone { .. }
            | Message::FetchState { .. }
            | Message::StateHead(_)
            | Message::FetchNodes(_)
            | Message::Nodes(_) => None,
        }
    }

    /// The votes in it.
    pub(super) fn votes(&self) -> Vec<(Phase, PrePrepare)> {
        match self {
            Saying::Assigned(vote) | Saying::Accepted(vote) => vec![(Phase::Accept, *vote)],
            Saying::Committed(vote) => vec![(Phase::Commit, *vote)],
            Saying::Led(new_view) => {
                new_view.pre_prepares.iter().map(|header| (Phase::Accept, header.payload)).collect()
            }
            Saying::AskedFor(..) | Saying::Reached(_) => Vec::new(),
        }
    }
}

/// Everything that was said, or is durable and will be.
#[derive(Clone, Debug, Default)]
pub(super) struct Sayings {
    votes: BTreeMap<(ReplicaId, Phase, View, SeqNum), Digest>,
    asked: BTreeMap<(ReplicaId, View), Digest>,
    led: BTreeSet<(ReplicaId, View)>,
    reached: BTreeMap<(ReplicaId, SeqNum), Digest>,
    /// The highest view and slot of anything that a replica has said.
    bounds: BTreeMap<ReplicaId, Bounds>,
}

impl Sayings {
    /// Keeps a statement. Of two that contradict each other, the first.
    pub(super) fn add(&mut self, id: ReplicaId, saying: &Saying<'_>) {
        for (phase, vote) in saying.votes() {
            self.add_vote(id, phase, vote);
            self.bind(id, Bounds { view: vote.view, seq: vote.seq });
        }
        match saying {
            Saying::AskedFor(target, digest) => {
                self.asked.entry((id, *target)).or_insert(*digest);
                self.bind(id, Bounds { view: *target, seq: SeqNum::GENESIS });
            }
            Saying::Led(new_view) => {
                self.led.insert((id, new_view.target));
            }
            Saying::Reached(Checkpoint { seq, root }) => {
                self.reached.entry((id, *seq)).or_insert(*root);
            }
            Saying::Assigned(_) | Saying::Accepted(_) | Saying::Committed(_) => {}
        }
    }

    /// A record is durable: what it binds its replica to counts as said, although a crash may come before it is sent. Then
    /// others hear of it in a certificate first.
    pub(super) fn add_record(&mut self, id: ReplicaId, record: &JournalRecord) {
        match record {
            JournalRecord::PrePrepared(header) => self.add_vote(id, Phase::Accept, header.payload),
            JournalRecord::Prepared(known) => self.add_vote(id, Phase::Commit, known.pre_prepare.payload),
            JournalRecord::CheckpointTaken(taken) => {
                self.reached.entry((id, taken.seq)).or_insert(taken.root);
            }
            JournalRecord::ViewChangeSent(asked) => {
                self.asked.entry((id, asked.payload.target)).or_insert_with(|| asked.digest());
            }
            JournalRecord::ViewEntered(entered) if entered.new_view.signer == id => {
                self.add(id, &Saying::Led(&entered.new_view.payload));
            }
            JournalRecord::ViewEntered(_)
            | JournalRecord::Batch { .. }
            | JournalRecord::Committed(_)
            | JournalRecord::CheckpointStable(_)
            | JournalRecord::RecoveryBegun(_)
            | JournalRecord::RecoveryEnded => {}
        }
    }

    /// So does all that a start finds: a crash may have kept what no sync confirmed.
    pub(super) fn add_promises(&mut self, id: ReplicaId, promises: &Promises) {
        for header in promises.pre_prepared.values() {
            self.add_vote(id, Phase::Accept, header.payload);
        }
        for known in promises.prepared.values() {
            self.add_vote(id, Phase::Commit, known.pre_prepare.payload);
        }
        for (seq, root) in &promises.checkpoints {
            self.reached.entry((id, *seq)).or_insert(*root);
        }
        if let Some(asked) = &promises.view_change {
            self.asked.entry((id, asked.payload.target)).or_insert_with(|| asked.digest());
        }
        if let Some(entered) = promises.entered.as_ref().filter(|entered| entered.new_view.signer == id) {
            self.add(id, &Saying::Led(&entered.new_view.payload));
        }
    }

    fn add_vote(&mut self, id: ReplicaId, phase: Phase, vote: PrePrepare) {
        self.votes.entry((id, phase, vote.view, vote.seq)).or_insert(vote.digest);
    }

    pub(super) fn vote(&self, id: ReplicaId, phase: Phase, view: View, seq: SeqNum) -> Option<Digest> {
        self.votes.get(&(id, phase, view, seq)).copied()
    }

    pub(super) fn asked_for(&self, id: ReplicaId, target: View) -> Option<Digest> {
        self.asked.get(&(id, target)).copied()
    }

    pub(super) fn reached(&self, id: ReplicaId, seq: SeqNum) -> Option<Digest> {
        self.reached.get(&(id, seq)).copied()
    }

    pub(super) fn has_led(&self, id: ReplicaId, view: View) -> bool {
        self.led.contains(&(id, view))
    }

    /// No vote and no ViewChange of a replica lies beyond.
    pub(super) fn bounds(&self, id: ReplicaId) -> Bounds {
        self.bounds.get(&id).copied().unwrap_or_default()
    }

    /// Nothing that is kept of a replica lies beyond, be it said or only durable.
    pub(super) fn extent(&self, id: ReplicaId) -> Bounds {
        let of = |phase| (id, phase, View(0), SeqNum(0))..=(id, phase, View(u64::MAX), SeqNum(u64::MAX));
        let votes = [Phase::Accept, Phase::Commit].into_iter().flat_map(|phase| self.votes.range(of(phase)));
        let voted = votes.map(|((_, _, view, seq), _)| Bounds { view: *view, seq: *seq });
        let last_asked = self.asked.range((id, View(0))..=(id, View(u64::MAX))).next_back();
        let asked = last_asked.map(|((_, view), _)| Bounds { view: *view, seq: SeqNum::GENESIS });
        voted.chain(asked).fold(self.bounds(id), Bounds::max)
    }

    fn bind(&mut self, id: ReplicaId, bounds: Bounds) {
        let known = self.bounds.entry(id).or_default();
        *known = known.max(bounds);
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{ID, asked_for, pre_prepared, prepare};
    use super::*;

    #[test]
    fn the_extent_covers_what_was_only_durable_and_nothing_of_others() {
        let mut said = Sayings::default();
        let message = prepare(ID, 1, 5, 7);
        said.add(ID, &Saying::of(ID, &message).expect("its own word"));
        said.add_record(ID, &pre_prepared(2, 4, 7));
        said.add_record(ReplicaId(2), &pre_prepared(9, 90, 7));
        assert_eq!(said.extent(ID), Bounds { view: View(2), seq: SeqNum(5) });
        assert_eq!(said.bounds(ID), Bounds { view: View(1), seq: SeqNum(5) }, "nobody else can know of more");
        said.add_record(ID, &asked_for(ID, 3, vec![]));
        assert_eq!(said.extent(ID), Bounds { view: View(3), seq: SeqNum(5) });
    }
}
