//! What correct replicas sign, over all their lives.

use std::collections::{BTreeMap, BTreeSet};

use quorate::batch::null_digest;
use quorate::core::{EnteredView, JournalRecord, Recovered};
use quorate::messages::{Bounds, Message, PrePrepare, Signed, ViewChange};
use quorate::{ReplicaId, SeqNum, View};
use quorate_crypto::Digest;

use super::facts::{Fact, Facts};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// PrePrepare or Prepare: nobody says both in one view.
    Accept,
    Commit,
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
    facts: Facts,
    bound: BTreeMap<ReplicaId, Bound>,
    /// The highest view and slot of anything that a replica has said.
    promised: BTreeMap<ReplicaId, Bounds>,
    /// The views that replicas have proven.
    led: BTreeSet<(ReplicaId, View)>,
    /// Those who may not know what they have said.
    forgetful: BTreeSet<ReplicaId>,
}

impl Votes {
    pub(super) fn on_durable(&mut self, id: ReplicaId, record: &JournalRecord) {
        self.facts.on_durable(id, record);
    }

    /// A replica starts: its promises are what binds it, and all that does.
    pub(super) fn on_start(&mut self, id: ReplicaId, recovered: &Recovered) -> Result<(), String> {
        let promises = &recovered.promises;
        let bound = Bound {
            entered: promises.view(),
            asked: promises.view_change.as_ref().map_or(View(0), |asked| asked.payload.target),
            prepared: promises.prepared.iter().map(|(seq, known)| (*seq, known.view())).collect(),
            batches: recovered.batches.keys().copied().collect(),
        };
        self.bound.insert(id, bound);
        self.facts.on_start(id, promises)
    }

    pub(super) fn promised(&self, id: ReplicaId) -> Bounds {
        self.promised.get(&id).copied().unwrap_or_default()
    }

    pub(super) fn forget(&mut self, id: ReplicaId) {
        self.facts.forget(id);
        self.forgetful.insert(id);
    }

    pub(super) fn remember(&mut self, id: ReplicaId) {
        self.forgetful.remove(&id);
    }

    /// Whether a record only takes back what its replica had signed before and forgotten: others send it to whoever lacks it.
    pub(super) fn is_old_word(&self, id: ReplicaId, record: &JournalRecord) -> bool {
        if let JournalRecord::PrePrepared(header) = record {
            let PrePrepare { view, seq, digest } = header.payload;
            return header.signer == id && self.said.get(&(id, Phase::Accept, view, seq)) == Some(&digest);
        }
        let JournalRecord::ViewEntered(EnteredView { new_view, .. }) = record else { return false };
        new_view.signer == id && self.led.contains(&(id, new_view.payload.target))
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
                self.facts.require_assigned(id, &vote)?;
                self.say(id, Phase::Accept, vote)
            }
            Message::Prepare(vote) if vote.signer == id => {
                let vote = PrePrepare { view: vote.payload.view, seq: vote.payload.seq, digest: vote.payload.digest };
                self.facts.require(id, Fact::accepted(&vote))?;
                self.say(id, Phase::Accept, vote)
            }
            Message::Commit(vote) if vote.signer == id => {
                let vote = PrePrepare { view: vote.payload.view, seq: vote.payload.seq, digest: vote.payload.digest };
                self.facts.require(id, Fact::Prepared(vote.view, vote.seq, vote.digest))?;
                self.say(id, Phase::Commit, vote)
            }
            Message::ViewChange(asked) if asked.signer == id => {
                self.promise(id, Bounds { view: asked.payload.target, seq: SeqNum::GENESIS });
                self.facts.require(id, Fact::AskedFor(asked.payload.target, asked.digest()))
            }
            Message::NewView(new_view) if new_view.signer == id => {
                self.led.insert((id, new_view.payload.target));
                self.facts.require(id, Fact::Entered(new_view.payload.target))?;
                let mut headers = new_view.payload.pre_prepares.iter();
                headers.try_for_each(|header| self.say(id, Phase::Accept, header.payload))
            }
            Message::Checkpoint(vote) if vote.signer == id => {
                self.facts.require(id, Fact::Checkpoint(vote.payload.seq, vote.payload.root))
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
        self.promise(id, Bounds { view, seq });
        let before = *self.said.entry((id, phase, view, seq)).or_insert(digest);
        if before == digest || self.forgetful.contains(&id) {
            return Ok(());
        }
        Err(format!("{id} says {phase:?} for {digest:?} in view {view} at {seq}, and said it for {before:?}"))
    }

    fn promise(&mut self, id: ReplicaId, bounds: Bounds) {
        let known = self.promised.entry(id).or_default();
        *known = known.max(bounds);
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
