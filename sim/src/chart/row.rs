//! One line of a chart.

use std::collections::BTreeSet;

use quorate::ReplicaId;

use super::entry::{About, Party, Topic};

/// One line of a chart.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// When, in nanoseconds.
    pub at: u64,
    pub shape: Shape,
    pub topic: Topic,
    pub about: About,
    pub label: String,
    /// Its sender has said something else about the same before.
    pub contradicts: bool,
    /// Whose lifelines are interrupted.
    pub down: BTreeSet<ReplicaId>,
    /// Rows before it were left out.
    pub follows_gap: bool,
}

/// How a row is drawn.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// Arrows from a sender to its receivers.
    Arrows { from: Party, to: Vec<(Party, Fate)> },
    /// The end of an arrow whose beginning lies further up.
    LateArrow { from: Party, to: Party },
    /// Something that one party does.
    Mark(Party, Mark),
    /// Something that concerns everybody.
    World,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Acts,
    Crashes,
    Starts,
}

/// What becomes of a message for one receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It has not arrived by the end of the chart.
    Pending,
    /// It arrives.
    Taken,
    /// It arrives so late that it has a row of its own there.
    Late,
    /// The network loses it, or its receiver is down.
    Lost,
}

impl Row {
    /// Whether its message reaches anybody. True for what is no message.
    pub(super) fn has_effect(&self) -> bool {
        match &self.shape {
            Shape::Arrows { to, .. } => to.iter().any(|(_, fate)| matches!(fate, Fate::Taken | Fate::Late)),
            Shape::LateArrow { .. } | Shape::Mark(..) | Shape::World => true,
        }
    }

    /// Who takes part in it.
    pub(super) fn parties(&self) -> Vec<Party> {
        match &self.shape {
            Shape::Arrows { from, to } => std::iter::once(*from).chain(to.iter().map(|(to, _)| *to)).collect(),
            Shape::LateArrow { from, to } => vec![*from, *to],
            Shape::Mark(by, _) => vec![*by],
            Shape::World => Vec::new(),
        }
    }
}
