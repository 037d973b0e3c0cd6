//! What keeps this replica from signing: a start that is not checked yet, lost promises, a full disk, a wrong state.

use std::collections::{BTreeMap, BTreeSet};

use super::event::Space;
use super::promises::Recovery;
use crate::messages::{Bounds, Standing};
use crate::types::{Instant, ReplicaId, SeqNum, View};

/// What a member has said of itself when it was asked for the votes that it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The view that it has entered.
    pub view: View,
    /// The view that it asks for, or is in.
    pub target: View,
    /// The highest checkpoint of which it has a certificate.
    pub certified: SeqNum,
}

/// Several hindrances may hold at once; [`Fitness::standing`] names the gravest.
#[derive(Clone, Debug)]
pub struct Fitness {
    is_halted: bool,
    diverged: Option<SeqNum>,
    space: Space,
    recovery: Recovery,
    /// How many answers the check at the start takes: Q-1.
    answers_needed: usize,
    /// The members that were asked and have not answered yet.
    awaited: BTreeSet<ReplicaId>,
    answers: BTreeMap<ReplicaId, Answer>,
    /// When those who have not answered are asked again.
    pub ask_at: Instant,
}

impl Fitness {
    /// A replica that starts and has asked nobody yet.
    #[must_use]
    pub fn at_start(recovery: Recovery, answers_needed: usize, now: Instant) -> Self {
        Fitness {
            is_halted: false,
            diverged: None,
            space: Space::Enough,
            recovery,
            answers_needed,
            awaited: BTreeSet::new(),
            answers: BTreeMap::new(),
            ask_at: now,
        }
    }

    /// Whether this replica may vote, and the gravest reason why not.
    #[must_use]
    pub fn standing(&self) -> Standing {
        if self.is_halted {
            return Standing::Halted;
        }
        if let Some(at) = self.diverged {
            return Standing::Diverged { at };
        }
        if self.space == Space::Low {
            return Standing::LowDisk;
        }
        if self.is_checking() {
            return Standing::Checking;
        }
        match self.recovery {
            Recovery::Lost(bounds) => Standing::Recovering { bounds },
            Recovery::Complete => Standing::Voting,
        }
    }

    /// Whether a PrePrepare, Prepare or Commit in this view at this slot may be signed.
    #[must_use]
    pub fn may_vote(&self, view: View, seq: SeqNum) -> bool {
        self.may_sign(|lost| view >= lost.view && seq > lost.seq)
    }

    /// Whether a ViewChange or NewView for this target may be signed by a replica with this low watermark.
    #[must_use]
    pub fn may_ask_for(&self, target: View, low: SeqNum) -> bool {
        self.may_sign(|lost| target > lost.view && low >= lost.seq)
    }

    /// Whether something may be signed of which `is_beyond` tells that it cannot contradict what was signed and lost within
    /// these bounds.
    fn may_sign(&self, is_beyond: impl FnOnce(Bounds) -> bool) -> bool {
        match self.standing() {
            Standing::Voting => true,
            Standing::Recovering { bounds: Some(lost) } => is_beyond(lost),
            Standing::Recovering { bounds: None }
            | Standing::Checking
            | Standing::LowDisk
            | Standing::Diverged { .. }
            | Standing::Halted => false,
        }
    }

    /// Whether proposals are taken and views are followed. One that may not sign for long follows, so as to be ready. One
    /// that is being checked does not: what its peers hold is compared with what it knew when it started.
    #[must_use]
    pub fn may_follow(&self) -> bool {
        match self.standing() {
            Standing::Voting | Standing::Recovering { .. } => true,
            Standing::Checking | Standing::LowDisk | Standing::Diverged { .. } | Standing::Halted => false,
        }
    }

    /// Whether a Checkpoint may be signed. A state is what it is: what was signed before cannot differ.
    #[must_use]
    pub fn may_sign_checkpoints(&self) -> bool {
        match self.standing() {
            Standing::Voting | Standing::Recovering { .. } => true,
            Standing::Checking | Standing::LowDisk | Standing::Diverged { .. } | Standing::Halted => false,
        }
    }

    /// More than f members are faulty. Says whether that is new.
    pub fn halt(&mut self) -> bool {
        !std::mem::replace(&mut self.is_halted, true)
    }

    /// The own state is wrong at `at`. Says whether that is new.
    pub fn diverge(&mut self, at: SeqNum) -> bool {
        self.diverged.replace(at).is_none()
    }

    /// The checkpoint at which the own state was found to be wrong.
    #[must_use]
    pub fn diverged(&self) -> Option<SeqNum> {
        self.diverged
    }

    /// A certified state was installed.
    pub fn set_right_again(&mut self) {
        self.diverged = None;
    }

    /// Room on the disk has changed. Says whether that is new.
    pub fn set_space(&mut self, space: Space) -> bool {
        std::mem::replace(&mut self.space, space) != space
    }

    /// Whether the disk is full.
    #[must_use]
    pub fn is_disk_low(&self) -> bool {
        self.space == Space::Low
    }

    /// What is known of the own promises.
    #[must_use]
    pub fn recovery(&self) -> Recovery {
        self.recovery
    }

    /// Something was found, learnt or overcome.
    pub fn set_recovery(&mut self, recovery: Recovery) {
        self.recovery = recovery;
    }

    /// What bounds the lost promises, if any are lost and that is known.
    #[must_use]
    pub fn bounds(&self) -> Option<Bounds> {
        match self.recovery {
            Recovery::Lost(bounds) => bounds,
            Recovery::Complete => None,
        }
    }

    /// Whether too few members have answered since the start.
    #[must_use]
    pub fn is_checking(&self) -> bool {
        self.answers.len() < self.answers_needed
    }

    /// Whether more answers are of use.
    #[must_use]
    pub fn wants_answers(&self) -> bool {
        self.is_checking() || self.recovery == Recovery::Lost(None)
    }

    /// The members among `all` whose answer is not here: they are asked now.
    pub fn ask(&mut self, all: impl Iterator<Item = ReplicaId>) -> Vec<ReplicaId> {
        let unanswered: Vec<_> = all.filter(|id| !self.answers.contains_key(id)).collect();
        self.awaited.extend(&unanswered);
        unanswered
    }

    /// The members that were asked and have not answered, as long as their answers are of use.
    pub fn awaited(&self) -> impl Iterator<Item = ReplicaId> {
        self.awaited.iter().filter(|_| self.wants_answers()).copied()
    }

    /// How many members were asked and have not answered, or have.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.awaited.len() + self.answers.len()
    }

    /// Takes an answer. Says whether it was awaited.
    pub fn record_answer(&mut self, from: ReplicaId, answer: Answer) -> bool {
        let is_awaited = self.awaited.remove(&from);
        if is_awaited {
            self.answers.insert(from, answer);
        }
        is_awaited
    }

    /// How many answers claim nothing but what `is_proven`.
    #[must_use]
    pub fn answers_proven(&self, is_proven: impl Fn(ReplicaId, &Answer) -> bool) -> usize {
        self.answers.iter().filter(|(id, answer)| is_proven(**id, answer)).count()
    }
}
