//! A replica that does not speak to some, or to nobody, or leaves out one kind of message.

use std::collections::BTreeSet;

use quorate::ReplicaId;
use quorate::messages::{Message, ReplicaMessage};
use serde::{Deserialize, Serialize};

use super::attack::{Attack, Parcel};
use super::scene::Scene;
use crate::counters::Counter;

/// Whom something is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Audience {
    /// Everybody.
    All,
    /// Some, drawn once.
    Some,
}

/// What is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Subject {
    /// Everything, answers to clients too.
    Everything,
    /// Assignments and the proofs of views.
    Leading,
    /// Prepares, Commits and Checkpoints.
    Votes,
    /// ViewChanges.
    ViewChanges,
    /// Where it stands.
    Status,
    /// Answers to other members' questions.
    Answers,
}

impl Subject {
    /// All of them.
    pub const ALL: [Subject; 6] = [
        Subject::Everything,
        Subject::Leading,
        Subject::Votes,
        Subject::ViewChanges,
        Subject::Status,
        Subject::Answers,
    ];

    fn covers(self, message: &Message) -> bool {
        let subject = match message {
            Message::PrePrepare(_) | Message::NewView(_) => Subject::Leading,
            Message::Prepare(_) | Message::Commit(_) | Message::Checkpoint(_) => Subject::Votes,
            Message::ViewChange(_) => Subject::ViewChanges,
            Message::Status(_) => Subject::Status,
            Message::Batch { .. }
            | Message::Committed(_)
            | Message::CheckpointCertificate(_)
            | Message::Chain(_)
            | Message::Votes(_)
            | Message::HistoryGone { .. }
            | Message::StateHead(_)
            | Message::Nodes(_) => Subject::Answers,
            Message::Forward(_)
            | Message::FetchBatch { .. }
            | Message::FetchCommitted { .. }
            | Message::FetchViewChange { .. }
            | Message::FetchVotes { .. }
            | Message::FetchCheckpoint
            | Message::FetchChain { .. }
            | Message::FetchState { .. }
            | Message::FetchNodes(_) => return self == Subject::Everything,
        };
        self == subject || self == Subject::Everything
    }
}

/// The attack with those who are ignored.
#[derive(Debug)]
pub struct Silence {
    subject: Subject,
    towards: Audience,
    ignored: Option<BTreeSet<ReplicaId>>,
}

impl Silence {
    /// Leaves this out towards these.
    #[must_use]
    pub fn new(subject: Subject, towards: Audience) -> Self {
        Silence { subject, towards, ignored: None }
    }

    fn draw(towards: Audience, scene: &mut Scene<'_>) -> BTreeSet<ReplicaId> {
        let others = scene.puppet.others();
        let count = match towards {
            Audience::All => others.len() as u64,
            Audience::Some => scene.choices.between(1, others.len() as u64),
        };
        scene.choices.subset(&others, usize::try_from(count).unwrap_or(others.len())).into_iter().collect()
    }
}

impl Attack for Silence {
    fn on_send(&mut self, parcel: Parcel, scene: &mut Scene<'_>) -> Vec<Parcel> {
        if !self.subject.covers(&parcel.message) || !scene.strikes(&parcel.message) {
            return vec![parcel];
        }
        let ignored = self.ignored.get_or_insert_with(|| Self::draw(self.towards, scene));
        let (left_out, to): (Vec<_>, Vec<_>) = parcel.to.iter().partition(|id| ignored.contains(id));
        if !left_out.is_empty() {
            scene.count(Counter::Silences);
        }
        vec![parcel.towards(to)]
    }

    fn on_reply(&mut self, reply: ReplicaMessage, scene: &mut Scene<'_>) -> Option<ReplicaMessage> {
        let is_mute = self.subject == Subject::Everything && self.towards == Audience::All && scene.strikes_now();
        (!is_mute).then_some(reply)
    }
}
