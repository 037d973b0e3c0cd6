//! Pages as a state again: the whole one, or what is left of it.

use quorate_crypto::Digest;

use super::Remains;
use super::head::Head;
use crate::execution::ReplicatedState;
use crate::execution::state::{State, StateBuilder, StateLimits};
use crate::genesis::Limits;
use crate::messages::CheckpointCertificate;

/// What a store should hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    pub(super) chain_id: Digest,
    pub(super) limits: StateLimits,
}

impl Expected {
    pub(super) fn new(chain_id: Digest, limits: &Limits) -> Self {
        Expected { chain_id, limits: StateLimits::from(limits) }
    }

    /// For the pages of the client table, which has the engine's own limits.
    pub(super) fn clients(self) -> TreeReader {
        TreeReader::new(StateLimits::default())
    }

    /// For the pages of the application's state.
    pub(super) fn application(self) -> TreeReader {
        TreeReader::new(self.limits)
    }
}

/// Puts a tree together from its pages in the order of their first keys. Goes on after a flaw, because what follows may
/// be right.
#[derive(Debug)]
pub(super) struct TreeReader {
    builder: StateBuilder,
    pages: u64,
    flaw: Option<String>,
}

impl TreeReader {
    fn new(limits: StateLimits) -> Self {
        TreeReader { builder: StateBuilder::new(limits), pages: 0, flaw: None }
    }

    pub(super) fn push(&mut self, first_key: &[u8], page: &[u8]) {
        self.pages += 1;
        if State::first_key_of(page) != Some(first_key) {
            self.note(format!("page {} stands under another key than its first one", self.pages));
        }
        if let Err(error) = self.builder.push_page(page) {
            self.note(format!("page {}: {error}", self.pages));
        }
    }

    /// Keeps the first flaw: those behind it often follow from it.
    pub(super) fn note(&mut self, flaw: String) {
        self.flaw.get_or_insert(flaw);
    }

    fn is_untouched(&self) -> bool {
        self.pages == 0 && self.flaw.is_none()
    }
}

/// What was read.
#[derive(Debug)]
pub(super) enum Reading {
    Whole { state: ReplicatedState, certificate: Option<CheckpointCertificate> },
    Flawed { remains: Remains, what: String },
    Nothing,
}

impl Reading {
    /// Compares what was read with what the head says.
    pub(super) fn judge(
        expected: &Expected,
        head: Option<&[u8]>,
        clients: TreeReader,
        application: TreeReader,
    ) -> Self {
        if head.is_none() && clients.is_untouched() && application.is_untouched() {
            return Reading::Nothing;
        }
        let flaw = clients.flaw.or(application.flaw);
        let remains = Remains { clients: clients.builder.finish(), application: application.builder.finish() };
        let head = head.ok_or_else(|| "the head is missing".to_owned()).and_then(Head::decode);
        match (head, flaw) {
            (Err(what), _) | (Ok(_), Some(what)) => Reading::Flawed { remains, what },
            (Ok(head), None) => Self::compare(expected, head, remains),
        }
    }

    fn compare(expected: &Expected, head: Head, remains: Remains) -> Self {
        let Head { position, root, certificate } = head;
        if position.chain_id != expected.chain_id {
            return Reading::Flawed { remains, what: format!("the state belongs to network {}", position.chain_id) };
        }
        let Remains { clients, application } = remains;
        let state = ReplicatedState { position, clients, application };
        let found = state.root();
        if found == root {
            return Reading::Whole { state, certificate };
        }
        let what = format!("the pages of slot {} have root {found}, the head says {root}", position.seq);
        Reading::Flawed { remains: Remains { clients: state.clients, application: state.application }, what }
    }
}
