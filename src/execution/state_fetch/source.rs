//! What is known of one source: whether it holds the goal, what it was asked for, and how long it is waited for.

use std::time::Duration;

use crate::messages::NodeRef;
use crate::messages::state_transfer::FETCH_NODES_MAX;
use crate::types::Instant;

/// How long the parts of a root are waited for, and twice as long after each time in vain: they cost nothing, and the
/// first question may be lost because connections are only being made.
const HEAD_PATIENCE: Duration = Duration::from_millis(500);
/// How long nodes are waited for, likewise: they wait for their turn.
const PATIENCE: Duration = Duration::from_secs(2);
const PATIENCE_MAX: Duration = Duration::from_secs(16);
/// How long a source is left alone that was silent, and twice as long each time.
const SILENT_PAUSE: Duration = Duration::from_millis(250);
const SILENT_PAUSE_MAX: Duration = Duration::from_secs(30);
/// How long a source is left alone that lied, and twice as long each time.
const LIE_PAUSE: Duration = Duration::from_secs(30);
const LIE_PAUSE_MAX: Duration = Duration::from_secs(3600);
/// After how long a source that lacks the goal is asked whether it holds it now.
const LACK_PAUSE: Duration = Duration::from_secs(1);
/// How many nodes a source is asked for first, and at least later.
const APPETITE: usize = 64;
const APPETITE_MIN: usize = 8;

/// One member that may hold the goal.
#[derive(Clone, Debug)]
pub(super) struct Source {
    standing: Standing,
    question: Option<Question>,
    appetite: usize,
    silences: u32,
    lies: u32,
}

/// What a source is good for at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing is known.
    New,
    /// It was asked for the parts of the root.
    HeadAsked { until: Instant },
    /// It has named the right parts of the root.
    Holds,
    /// It says that it does not hold the goal.
    Lacks { until: Instant },
    /// It lied or was silent.
    LeftAlone { until: Instant },
}

/// Nodes that a source was asked for.
#[derive(Clone, Debug)]
pub(super) struct Question {
    number: u64,
    pub(super) nodes: Vec<NodeRef>,
    waiting: Waiting,
}

/// Whether a question is still waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    Awaited {
        until: Instant,
    },
    /// Others are asked for the nodes. An answer that comes after all is taken for what it is still good for.
    Overdue,
}

/// What a moment has brought about.
#[derive(Debug)]
pub(super) enum Expired {
    /// Nothing.
    Nothing,
    /// It was silent for too long; these nodes are to be asked of others.
    Silent(Vec<NodeRef>),
}

impl Source {
    pub(super) fn new() -> Self {
        Source { standing: Standing::New, question: None, appetite: APPETITE, silences: 0, lies: 0 }
    }

    pub(super) fn standing(&self) -> Standing {
        self.standing
    }

    /// Whether it can be asked for nodes now.
    pub(super) fn is_idle(&self) -> bool {
        let awaits = self.question.as_ref().is_some_and(|question| matches!(question.waiting, Waiting::Awaited { .. }));
        self.standing == Standing::Holds && !awaits
    }

    /// How many nodes it is asked for.
    pub(super) fn appetite(&self) -> usize {
        self.appetite
    }

    pub(super) fn head_asked(&mut self, now: Instant) {
        let patience = doubled(HEAD_PATIENCE, self.silences, PATIENCE_MAX);
        self.standing = Standing::HeadAsked { until: now.plus(patience) };
    }

    pub(super) fn holds(&mut self) {
        self.standing = Standing::Holds;
    }

    pub(super) fn lacks(&mut self, now: Instant) {
        self.standing = Standing::Lacks { until: now.plus(LACK_PAUSE) };
    }

    pub(super) fn nodes_asked(&mut self, number: u64, nodes: Vec<NodeRef>, now: Instant) {
        let until = now.plus(doubled(PATIENCE, self.silences, PATIENCE_MAX));
        let waiting = Waiting::Awaited { until };
        self.question = Some(Question { number, nodes, waiting });
    }

    /// The question that an answer with this number is about.
    pub(super) fn take_question(&mut self, number: u64) -> Option<Question> {
        self.question.take_if(|question| question.number == number)
    }

    /// It answered with right nodes: so many of those it was asked for.
    pub(super) fn answered(&mut self, nodes: usize, asked: usize) {
        self.silences = 0;
        self.standing = Standing::Holds;
        self.appetite = if nodes == asked { self.appetite.saturating_mul(2) } else { nodes };
        self.appetite = self.appetite.clamp(APPETITE_MIN, FETCH_NODES_MAX);
    }

    /// It sent what was not asked for.
    pub(super) fn lied(&mut self, now: Instant) {
        let until = now.plus(doubled(LIE_PAUSE, self.lies, LIE_PAUSE_MAX));
        self.lies = self.lies.saturating_add(1);
        self.standing = Standing::LeftAlone { until };
    }

    /// The goal is another one: what it was asked for is not wanted, and it may hold the new one.
    pub(super) fn goal_moved(&mut self) {
        self.question = None;
        match self.standing {
            Standing::HeadAsked { .. } | Standing::Holds | Standing::Lacks { .. } => self.standing = Standing::New,
            Standing::New | Standing::LeftAlone { .. } => {}
        }
    }

    /// Looks at the clock.
    pub(super) fn expire(&mut self, now: Instant) -> Expired {
        match self.standing {
            Standing::HeadAsked { until } if until <= now => {
                self.silent(now);
                Expired::Silent(Vec::new())
            }
            Standing::Lacks { until } | Standing::LeftAlone { until } if until <= now => {
                self.standing = Standing::New;
                Expired::Nothing
            }
            Standing::Holds => self.expire_question(now),
            Standing::New | Standing::HeadAsked { .. } | Standing::Lacks { .. } | Standing::LeftAlone { .. } => {
                Expired::Nothing
            }
        }
    }

    /// When [`expire`](Self::expire) does something.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.standing {
            Standing::New => None,
            Standing::HeadAsked { until } | Standing::Lacks { until } | Standing::LeftAlone { until } => Some(until),
            Standing::Holds => match self.question.as_ref()?.waiting {
                Waiting::Awaited { until } => Some(until),
                Waiting::Overdue => None,
            },
        }
    }

    fn expire_question(&mut self, now: Instant) -> Expired {
        let is_late = |question: &&mut Question| match question.waiting {
            Waiting::Awaited { until } => until <= now,
            Waiting::Overdue => false,
        };
        let Some(question) = self.question.as_mut().filter(is_late) else { return Expired::Nothing };
        question.waiting = Waiting::Overdue;
        let nodes = question.nodes.clone();
        self.appetite = APPETITE_MIN;
        self.silent(now);
        Expired::Silent(nodes)
    }

    fn silent(&mut self, now: Instant) {
        let until = now.plus(doubled(SILENT_PAUSE, self.silences, SILENT_PAUSE_MAX));
        self.silences = self.silences.saturating_add(1);
        self.standing = Standing::LeftAlone { until };
    }
}

impl Question {
    pub(super) fn is_overdue(&self) -> bool {
        self.waiting == Waiting::Overdue
    }
}

/// `base` doubled so many times, `max` at most.
fn doubled(base: Duration, times: u32, max: Duration) -> Duration {
    base.saturating_mul(1 << times.min(16)).min(max)
}
