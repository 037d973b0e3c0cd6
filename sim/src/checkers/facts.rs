//! What is durable of what replicas have promised. `durable-before-sent` and `recovery` look at it.

use std::collections::{BTreeMap, BTreeSet};

use quorate::core::{EnteredView, JournalRecord, Promises};
use quorate::messages::{Bounds, PrePrepare, Signed, ViewChange};
use quorate::{ReplicaId, SeqNum, View};
use quorate_crypto::Digest;

/// What must be durable before something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fact {
    Accepted(View, SeqNum, Digest),
    /// An assignment of an own NewView, which is durable with it.
    Assigned(View, SeqNum, Digest),
    Prepared(View, SeqNum, Digest),
    AskedFor(View, Digest),
    Entered(View),
    Checkpoint(SeqNum, Digest),
    /// The low watermark was raised that far.
    Stable(SeqNum),
}

impl Fact {
    fn of(id: ReplicaId, record: &JournalRecord) -> Vec<Fact> {
        match record {
            JournalRecord::PrePrepared(header) => vec![Fact::accepted(&header.payload)],
            JournalRecord::Prepared(known) => vec![Fact::Prepared(known.view(), known.seq(), known.digest())],
            JournalRecord::ViewChangeSent(asked) => vec![Fact::asked_for(asked)],
            JournalRecord::ViewEntered(entered) => Fact::of_entered(id, entered),
            JournalRecord::CheckpointTaken(taken) => vec![Fact::Checkpoint(taken.seq, taken.root)],
            JournalRecord::CheckpointStable(stable) => vec![Fact::Stable(stable.checkpoint.seq)],
            JournalRecord::Batch { .. }
            | JournalRecord::Committed(_)
            | JournalRecord::RecoveryBegun(_)
            | JournalRecord::RecoveryEnded => Vec::new(),
        }
    }

    /// The proof of a view may hold an own ViewChange that is older than the last one, or was forgotten.
    fn of_entered(id: ReplicaId, entered: &EnteredView) -> Vec<Fact> {
        let own = entered.view_changes.iter().filter(|asked| asked.signer == id);
        let led = Some(&entered.new_view).filter(|new_view| new_view.signer == id);
        let headers = led.into_iter().flat_map(|new_view| &new_view.payload.pre_prepares);
        let assigned =
            headers.map(|header| header.payload).map(|vote| Fact::Assigned(vote.view, vote.seq, vote.digest));
        own.map(Fact::asked_for).chain(assigned).chain([Fact::Entered(entered.new_view.payload.target)]).collect()
    }

    fn asked_for(asked: &Signed<ViewChange>) -> Fact {
        Fact::AskedFor(asked.payload.target, asked.digest())
    }

    pub(super) fn accepted(vote: &PrePrepare) -> Fact {
        Fact::Accepted(vote.view, vote.seq, vote.digest)
    }

    /// Whether a replica with these promises is bound by it.
    pub(super) fn is_covered_by(&self, promises: &Promises) -> bool {
        let low = promises.low_watermark();
        match self {
            Fact::Accepted(view, seq, digest) => {
                let known = promises.pre_prepared.get(seq).map(|header| header.payload);
                let is_same =
                    |known: PrePrepare| known.view > *view || (known.view == *view && known.digest == *digest);
                *seq <= low || known.is_some_and(is_same)
            }
            Fact::Prepared(view, seq, _) => {
                *seq <= low || promises.prepared.get(seq).is_some_and(|known| known.view() >= *view)
            }
            Fact::AskedFor(view, _) => {
                let asked = promises.view_change.as_ref().map(|asked| asked.payload.target);
                asked.is_some_and(|asked| asked >= *view) || promises.view() >= *view
            }
            Fact::Entered(view) | Fact::Assigned(view, ..) => promises.view() >= *view,
            Fact::Stable(seq) => *seq <= low,
            Fact::Checkpoint(seq, root) => {
                *seq <= low || promises.checkpoints.get(seq).is_none_or(|known| known == root)
            }
        }
    }

    /// Whether a replica that keeps clear of these bounds cannot contradict it.
    pub(super) fn is_within(&self, bounds: &Bounds) -> bool {
        match self {
            Fact::Accepted(view, seq, _) | Fact::Prepared(view, seq, _) => *view <= bounds.view && *seq <= bounds.seq,
            Fact::AskedFor(view, _) | Fact::Entered(view) | Fact::Assigned(view, ..) => *view <= bounds.view,
            Fact::Stable(seq) => *seq <= bounds.seq,
            Fact::Checkpoint(..) => true,
        }
    }
}

/// The durable facts of all replicas.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts(BTreeMap<ReplicaId, BTreeSet<Fact>>);

impl Facts {
    pub(super) fn on_durable(&mut self, id: ReplicaId, record: &JournalRecord) {
        self.0.entry(id).or_default().extend(Fact::of(id, record));
    }

    /// The disk has lost everything, or went back in time, and nobody who reads it can know.
    pub(super) fn forget(&mut self, id: ReplicaId) {
        self.0.remove(&id);
    }

    pub(super) fn has(&self, id: ReplicaId, fact: &Fact) -> bool {
        self.0.get(&id).is_some_and(|facts| facts.contains(fact))
    }

    /// A replica starts with these promises. From now on they are what is durable; gives back what was.
    pub(super) fn replace(&mut self, id: ReplicaId, promises: &Promises) -> BTreeSet<Fact> {
        self.0.insert(id, facts_of(id, promises)).unwrap_or_default()
    }
}

fn facts_of(id: ReplicaId, promises: &Promises) -> BTreeSet<Fact> {
    let accepted = promises.pre_prepared.values().map(|header| Fact::accepted(&header.payload));
    let prepared = promises.prepared.values().map(|known| Fact::Prepared(known.view(), known.seq(), known.digest()));
    let asked = promises.view_change.iter().map(Fact::asked_for);
    let entered = promises.entered.iter().flat_map(|entered| Fact::of_entered(id, entered));
    let checkpoints = promises.checkpoints.iter().map(|(seq, root)| Fact::Checkpoint(*seq, *root));
    let stable = promises.stable.iter().map(|stable| Fact::Stable(stable.checkpoint.seq));
    accepted.chain(stable).chain(prepared).chain(asked).chain(entered).chain(checkpoints).collect()
}
