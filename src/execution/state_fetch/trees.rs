//! The two trees of a state, put together at the same time.

use crate::execution::replicated_state::{Position, ReplicatedState};
use crate::execution::state::{Assembly, Base, InvalidNode, StateLimits, Supplied};
use crate::messages::client::RootParts;
use crate::messages::{NodeRef, StateNode, Tree};

/// Bases that are kept for each tree: the own state, and what was fetched for the latest goals.
const BASES_MAX: usize = 4;

/// What parts of the trees are taken from.
#[derive(Clone, Debug, Default)]
pub(super) struct Bases {
    clients: Vec<Base>,
    application: Vec<Base>,
}

/// Both trees under construction.
#[derive(Clone, Debug)]
pub(super) struct Trees {
    parts: RootParts,
    clients: Assembly,
    application: Assembly,
}

impl From<&ReplicatedState> for Bases {
    fn from(state: &ReplicatedState) -> Self {
        Bases { clients: vec![Base::from(&state.clients)], application: vec![Base::from(&state.application)] }
    }
}

impl Trees {
    /// Starts from the roots. The client table knows no limits but the engine's own.
    pub(super) fn new(parts: RootParts, application_limits: StateLimits, bases: Bases) -> Self {
        Trees {
            parts,
            clients: Assembly::new(parts.client_table, StateLimits::default(), bases.clients),
            application: Assembly::new(parts.application, application_limits, bases.application),
        }
    }

    pub(super) fn parts(&self) -> RootParts {
        self.parts
    }

    pub(super) fn is_complete(&self) -> bool {
        self.clients.is_complete() && self.application.is_complete()
    }

    /// How many nodes nobody was asked for.
    pub(super) fn wanted(&self) -> usize {
        self.clients.wanted() + self.application.wanted()
    }

    /// How many nodes are known to be missing.
    pub(super) fn missing(&self) -> usize {
        self.clients.missing() + self.application.missing()
    }

    pub(super) fn take_wanted(&mut self, max: usize) -> Vec<NodeRef> {
        let clients = self.clients.take_wanted(max);
        let application = self.application.take_wanted(max.saturating_sub(clients.len()));
        let clients = clients.into_iter().map(|wanted| (Tree::Clients, wanted));
        let all = clients.chain(application.into_iter().map(|wanted| (Tree::Application, wanted)));
        all.map(|(tree, (path, hash, extent))| NodeRef { tree, path, hash, extent }).collect()
    }

    pub(super) fn put_back(&mut self, node: &NodeRef) {
        self.tree(node.tree).put_back(&node.path);
    }

    pub(super) fn supply(&mut self, place: &NodeRef, node: &StateNode) -> Result<Supplied, InvalidNode> {
        self.tree(place.tree).supply(&place.path, node)
    }

    /// The state, once both trees are complete.
    pub(super) fn into_state(self, position: Position) -> Option<ReplicatedState> {
        let (clients, application) = (self.clients.into_state()?, self.application.into_state()?);
        Some(ReplicatedState { position, clients, application })
    }

    /// What is there, for another goal.
    pub(super) fn into_bases(self) -> Bases {
        let trimmed = |mut bases: Vec<Base>| {
            // The own state stays: it is the only one that is whole.
            while bases.len() > BASES_MAX {
                bases.remove(1);
            }
            bases
        };
        Bases { clients: trimmed(self.clients.into_bases()), application: trimmed(self.application.into_bases()) }
    }

    fn tree(&mut self, tree: Tree) -> &mut Assembly {
        match tree {
            Tree::Clients => &mut self.clients,
            Tree::Application => &mut self.application,
        }
    }
}
