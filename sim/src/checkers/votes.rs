//! What correct replicas sign, over all their lives.

use std::collections::{BTreeMap, BTreeSet};

use quorate::batch::null_digest;
use quorate::core::JournalRecord;
use quorate::messages::{Message, PrePrepare, Signed, ViewChange};
use quorate::{ReplicaId, SeqNum, View};
use quorate_crypto::Digest;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// PrePrepare or Prepare: nobody says both in one view.
    Accept,
    Commit,
}

/// What must be durable before something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fact {
    Accepted(View, SeqNum, Digest),
    Prepared(View, SeqNum, Digest),
    AskedFor(View, Digest),
    Entered(View),
    Checkpoint(SeqNum, Digest),
}

/// What the journal of a replica says up to now.
#[derive(Debug, Default)]
struct Bound {
    entered: View,
    asked: View,
    prepared: BTreeMap<SeqNum, View>,
    batches: BTreeSet<(SeqNum, Digest)>,
}

/// What was signed and what was durable.
#[derive(Debug, Default)]
pub(super) struct Votes {
    said: BTreeMap<(ReplicaId, Phase, View, SeqNum), Digest>,
    durable: BTreeSet<(ReplicaId, Fact)>,
    bound: BTreeMap<ReplicaId, Bound>,
}

impl Votes {
    pub(super) fn on_durable(&mut self, id: ReplicaId, record: &JournalRecord) {
        let fact = match record {
            JournalRecord::PrePrepared(header) => accepted(&header.payload),
            JournalRecord::Prepared(known) => Fact::Prepared(known.view(), known.seq(), known.digest()),
            JournalRecord::ViewChangeSent(asked) => Fact::AskedFor(asked.payload.target, asked.digest()),
            JournalRecord::ViewEntered(entered) => Fact::Entered(entered.new_view.payload.target),
            JournalRecord::CheckpointTaken(taken) => Fact::Checkpoint(taken.seq, taken.root),
            JournalRecord::Batch { .. }
            | JournalRecord::Committed(_)
            | JournalRecord::CheckpointStable(_)
            | JournalRecord::RecoveryBegun(_)
            | JournalRecord::RecoveryEnded => return,
        };
        self.durable.insert((id, fact));
    }

    /// The journal is read again from its beginning.
    pub(super) fn on_crash(&mut self, id: ReplicaId) {
        self.bound.remove(&id);
    }

    /// A journal must never say that its replica voted in a view that it had left, or not entered.
    pub(super) fn on_record(&mut self, id: ReplicaId, record: &JournalRecord) -> Result<(), String> {
        let bound = self.bound.entry(id).or_default();
        match record {
            JournalRecord::PrePrepared(header) => bound.check_view(id, header.payload.view)?,
            JournalRecord::Prepared(known) => {
                bound.check_view(id, known.view())?;
                bound.check_batch(id, known.seq(), known.digest())?;
                bound.prepared.insert(known.seq(), known.view());
            }
            JournalRecord::ViewChangeSent(asked) => bound.ask(id, asked)?,
            JournalRecord::ViewEntered(entered) => {
                let view = entered.new_view.payload.target;
                if view <= bound.entered || view < bound.asked {
                    return Err(format!("{id} enters {view} after {} and asking for {}", bound.entered, bound.asked));
                }
                bound.entered = view;
            }
            JournalRecord::Batch { seq, batch } => {
                bound.batches.insert((*seq, batch.digest(*seq)));
            }
            JournalRecord::Committed(known) => bound.check_batch(id, known.seq(), known.digest())?,
            JournalRecord::CheckpointTaken(_)
            | JournalRecord::CheckpointStable(_)
            | JournalRecord::RecoveryBegun(_)
            | JournalRecord::RecoveryEnded => {}
        }
        Ok(())
    }

    pub(super) fn on_send(&mut self, id: ReplicaId, message: &Message) -> Result<(), String> {
        match message {
            Message::PrePrepare(proposal) if proposal.header.signer == id => {
                let vote = proposal.header.payload;
                self.require_durable(id, accepted(&vote))?;
                self.say(id, Phase::Accept, vote)
            }
            Message::Prepare(vote) if vote.signer == id => {
                let vote = PrePrepare { view: vote.payload.view, seq: vote.payload.seq, digest: vote.payload.digest };
                self.require_durable(id, accepted(&vote))?;
                self.say(id, Phase::Accept, vote)
            }
            Message::Commit(vote) if vote.signer == id => {
                let vote = PrePrepare { view: vote.payload.view, seq: vote.payload.seq, digest: vote.payload.digest };
                self.require_durable(id, Fact::Prepared(vote.view, vote.seq, vote.digest))?;
                self.say(id, Phase::Commit, vote)
            }
            Message::ViewChange(asked) if asked.signer == id => {
                self.require_durable(id, Fact::AskedFor(asked.payload.target, asked.digest()))
            }
            Message::NewView(new_view) if new_view.signer == id => {
                self.require_durable(id, Fact::Entered(new_view.payload.target))?;
                let mut headers = new_view.payload.pre_prepares.iter();
                headers.try_for_each(|header| self.say(id, Phase::Accept, header.payload))
            }
            Message::Checkpoint(vote) if vote.signer == id => {
                self.require_durable(id, Fact::Checkpoint(vote.payload.seq, vote.payload.root))
            }
            // The words of others, and what carries no signature.
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
            | Message::Nodes(_) => Ok(()),
        }
    }

    fn say(&mut self, id: ReplicaId, phase: Phase, vote: PrePrepare) -> Result<(), String> {
        let PrePrepare { view, seq, digest } = vote;
        match self.said.insert((id, phase, view, seq), digest) {
            Some(before) if before != digest => {
                Err(format!("{id} says {phase:?} for {digest:?} in view {view} at {seq}, and said it for {before:?}"))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn require_durable(&self, id: ReplicaId, fact: Fact) -> Result<(), String> {
        let is_durable = self.durable.contains(&(id, fact));
        if is_durable { Ok(()) } else { Err(format!("{id} sends what rests on {fact:?}, which is not durable")) }
    }
}

impl Bound {
    fn check_view(&self, id: ReplicaId, view: View) -> Result<(), String> {
        if view == self.entered && view >= self.asked {
            return Ok(());
        }
        Err(format!("{id} votes in view {view}, has entered {} and asked for {}", self.entered, self.asked))
    }

    /// Whoever is prepared or has committed must be able to give the batch to others, after a crash too.
    fn check_batch(&self, id: ReplicaId, seq: SeqNum, digest: Digest) -> Result<(), String> {
        if digest == null_digest(seq) || self.batches.contains(&(seq, digest)) {
            return Ok(());
        }
        Err(format!("{id} is bound to {digest:?} at {seq} and has not journalled the batch"))
    }

    /// A ViewChange names, for every slot above its checkpoint, a prepared certificate at least as new as the journal's.
    fn ask(&mut self, id: ReplicaId, asked: &Signed<ViewChange>) -> Result<(), String> {
        let ViewChange { target, prepared, .. } = &asked.payload;
        if *target <= self.asked || *target <= self.entered {
            return Err(format!("{id} asks for {target} after {}, in view {}", self.asked, self.entered));
        }
        self.asked = *target;
        let named: BTreeMap<_, _> = prepared.iter().map(|known| (known.seq(), known.view())).collect();
        let stable = asked.payload.stable_seq();
        for (seq, view) in self.prepared.range(stable.next()..) {
            if named.get(seq).is_none_or(|named| named < view) {
                return Err(format!("{id} asks for {target} without what it prepared at {seq} in view {view}"));
            }
        }
        Ok(())
    }
}

fn accepted(vote: &PrePrepare) -> Fact {
    Fact::Accepted(vote.view, vote.seq, vote.digest)
}
