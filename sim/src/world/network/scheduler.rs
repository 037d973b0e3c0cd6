//! An adversary who decides when messages arrive: it lets every vote pass but the one that completes a quorum at its
//! receiver. That one arrives just after the receiver has given up waiting, or when the adversary's time is over.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use quorate::messages::Message;
use quorate::{Committee, ReplicaId, SeqNum, View};
use quorate_crypto::Digest;

use crate::world::queue::Envelope;

/// What the adversary holds back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::world) enum Target {
    /// The Prepare with which a slot is prepared.
    Prepare,
    /// The Commit with which it is committed.
    Commit,
    /// The ViewChange of the W-th other, which makes its receiver join.
    WeakViewChange,
    /// The ViewChange that makes a quorum with the receiver's own.
    ViewChange,
    /// Every NewView.
    NewView,
}

impl Target {
    pub(in crate::world) const ALL: [Target; 5] =
        [Target::Prepare, Target::Commit, Target::WeakViewChange, Target::ViewChange, Target::NewView];
}

/// The adversary's wish for a while.
#[derive(Clone, Debug)]
pub(in crate::world) struct Hold {
    pub targets: BTreeSet<Target>,
    /// At whom it aims.
    pub victims: BTreeSet<ReplicaId>,
    /// When it ends.
    pub until: u64,
}

/// What is counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ballot {
    Prepare(View, SeqNum, Digest),
    Commit(View, SeqNum, Digest),
    ViewChange(View),
    NewView(View),
}

/// A message that was held back.
#[derive(Debug)]
pub(in crate::world) struct Released {
    pub from: ReplicaId,
    pub to: ReplicaId,
    pub envelope: Rc<Envelope>,
    ballot: Ballot,
    signer: ReplicaId,
}

/// The adversary, with what it let pass and what it holds.
#[derive(Debug)]
pub(in crate::world) struct Scheduler {
    committee: Committee,
    hold: Option<Hold>,
    /// Whose words each receiver has heard in a ballot.
    passed: BTreeMap<(ReplicaId, Ballot), BTreeSet<ReplicaId>>,
    held: Vec<Released>,
}

impl Scheduler {
    pub(in crate::world) fn new(committee: Committee) -> Self {
        Scheduler { committee, hold: None, passed: BTreeMap::new(), held: Vec::new() }
    }

    /// It has its way from now on, in place of what it wanted before.
    pub(in crate::world) fn begin(&mut self, hold: Hold) {
        self.hold = Some(hold);
    }

    /// Its time is over, if it is: it lets everything go.
    pub(in crate::world) fn end(&mut self, now: u64) -> Vec<Released> {
        if self.hold.as_ref().is_some_and(|hold| now < hold.until) {
            return Vec::new();
        }
        self.hold = None;
        self.passed.clear();
        std::mem::take(&mut self.held)
    }

    /// The receiver has given up waiting: what is held back from it may come now.
    pub(in crate::world) fn release(&mut self, to: ReplicaId) -> Vec<Released> {
        let (released, held) = std::mem::take(&mut self.held).into_iter().partition(|held| held.to == to);
        self.held = held;
        let released: Vec<Released> = released;
        for message in &released {
            self.passed.entry((to, message.ballot)).or_default().insert(message.signer);
        }
        released
    }

    /// A receiver has forgotten what it heard.
    pub(in crate::world) fn forget(&mut self, id: ReplicaId) {
        self.passed.retain(|(to, _), _| *to != id);
    }

    /// Whether a message that would arrive now is held back. Then the adversary has it.
    pub(in crate::world) fn holds(&mut self, from: ReplicaId, to: ReplicaId, envelope: &Rc<Envelope>) -> bool {
        let Some(hold) = &self.hold else { return false };
        let Some((ballot, signer)) = ballot_of(envelope.message.get()) else { return false };
        if !hold.victims.contains(&to) {
            return false;
        }
        let passed = self.passed.entry((to, ballot)).or_default();
        let is_known = passed.contains(&signer);
        let others = passed.len();
        let completes =
            !is_known && hold.targets.iter().any(|target| self.needed(*target, ballot, to) == Some(others + 1));
        if !completes {
            self.passed.entry((to, ballot)).or_default().insert(signer);
            return false;
        }
        let is_here = self.held.iter().any(|held| (held.to, held.ballot, held.signer) == (to, ballot, signer));
        if !is_here {
            self.held.push(Released { from, to, envelope: Rc::clone(envelope), ballot, signer });
        }
        true
    }

    /// How many others must be heard until a receiver has what the adversary keeps from it. Its own word counts, too.
    fn needed(&self, target: Target, ballot: Ballot, to: ReplicaId) -> Option<usize> {
        let quorum = self.committee.quorum();
        match (target, ballot) {
            // The assignment stands for the primary, whose own Prepare does not exist.
            (Target::Prepare, Ballot::Prepare(view, ..)) => {
                Some(if self.committee.primary(view) == to { quorum - 1 } else { quorum - 2 })
            }
            (Target::Commit, Ballot::Commit(..)) | (Target::ViewChange, Ballot::ViewChange(_)) => Some(quorum - 1),
            (Target::WeakViewChange, Ballot::ViewChange(_)) => Some(self.committee.weak_quorum()),
            (Target::NewView, Ballot::NewView(_)) => Some(1),
            (
                Target::Prepare | Target::Commit | Target::WeakViewChange | Target::ViewChange | Target::NewView,
                Ballot::Prepare(..) | Ballot::Commit(..) | Ballot::ViewChange(_) | Ballot::NewView(_),
            ) => None,
        }
    }
}

fn ballot_of(message: &Message) -> Option<(Ballot, ReplicaId)> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "everything else passes")]
    match message {
        Message::Prepare(vote) => {
            Some((Ballot::Prepare(vote.payload.view, vote.payload.seq, vote.payload.digest), vote.signer))
        }
        Message::Commit(vote) => {
            Some((Ballot::Commit(vote.payload.view, vote.payload.seq, vote.payload.digest), vote.signer))
        }
        Message::ViewChange(asked) => Some((Ballot::ViewChange(asked.payload.target), asked.signer)),
        Message::NewView(proof) => Some((Ballot::NewView(proof.payload.target), proof.signer)),
        _ => None,
    }
}
