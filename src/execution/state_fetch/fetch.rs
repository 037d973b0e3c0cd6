//! [`StateFetch`]: what happens at each answer and each deadline.

use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;

use quorate_crypto::Digest;

use super::output::{Doubt, FetchNotice, FetchOutput, Fetched, Progress, StagedNodes};
use super::source::{Expired, Source, Standing};
use super::trees::{Bases, Trees};
use crate::codec;
use crate::execution::replicated_state::{Position, ReplicatedState};
use crate::execution::state::{InvalidNode, StateLimits, Supplied};
use crate::genesis::Genesis;
use crate::messages::client::RootParts;
use crate::messages::{CheckpointCertificate, FetchNodes, Message, NodeRef, Nodes, StateHead, StateNode};
use crate::mutants::Mutant;
use crate::types::{Instant, ReplicaId, SeqNum};

/// A notice of the progress comes every so many bytes.
const PROGRESS_BYTES: u64 = 16 << 20;

/// What a fetch must know of the network.
#[derive(Clone, Debug)]
pub struct FetchScope {
    /// The network.
    pub chain_id: Digest,
    /// What the genesis allows of the application's state.
    pub limits: StateLimits,
    /// The other members.
    pub sources: Vec<ReplicaId>,
    /// f: so many of them may lie.
    pub faulty_max: usize,
}

/// A state transfer that is under way.
#[derive(Clone, Debug)]
pub struct StateFetch {
    scope: FetchScope,
    goal: CheckpointCertificate,
    /// A newer certificate, for when the goal is not to be had any more.
    newer: Option<CheckpointCertificate>,
    construction: Construction,
    sources: BTreeMap<ReplicaId, Source>,
    staged: Option<Arc<dyn StagedNodes>>,
    /// The number of the latest question.
    number: u64,
    nodes: u64,
    bytes: u64,
    /// When the next notice of the progress is due.
    progress_at: u64,
    output: FetchOutput,
}

/// How far the state at the goal is.
#[derive(Clone, Debug)]
enum Construction {
    /// The roots of the trees are not known.
    Unplanned(Bases),
    /// Nodes arrive.
    Building(Trees),
    /// The certified root is that of no state. Only another goal helps.
    Unusable(Bases),
    /// All is there.
    Complete(ReplicatedState),
    /// The state was taken.
    Over,
}

impl FetchScope {
    /// The scope of a member of the committee.
    #[must_use]
    pub fn new(genesis: &Genesis, own: ReplicaId) -> Self {
        FetchScope {
            chain_id: genesis.chain_id(),
            limits: StateLimits::from(&genesis.limits),
            sources: genesis.committee.ids().filter(|id| *id != own).collect(),
            faulty_max: genesis.committee.faulty_max(),
        }
    }
}

impl StateFetch {
    /// Starts to bring `base`, whatever is there, to the certified state. Verified nodes of an earlier fetch are taken from
    /// `staged`.
    #[must_use]
    pub fn begin(
        scope: FetchScope,
        base: &ReplicatedState,
        staged: Option<Arc<dyn StagedNodes>>,
        goal: CheckpointCertificate,
        now: Instant,
    ) -> Self {
        let is_there = base.position.seq == goal.seq() && base.root() == goal.root();
        let mut fetch = StateFetch {
            sources: scope.sources.iter().map(|id| (*id, Source::new())).collect(),
            construction: if is_there {
                Construction::Complete(base.clone())
            } else {
                Construction::Unplanned(Bases::from(base))
            },
            scope,
            goal,
            newer: None,
            staged,
            number: 0,
            nodes: 0,
            bytes: 0,
            progress_at: PROGRESS_BYTES,
            output: FetchOutput::default(),
        };
        fetch.output.notices.push(FetchNotice::Started { goal: fetch.goal.seq() });
        fetch.go_on(now);
        fetch
    }

    /// Learns of a newer certified checkpoint. The goal moves there when it is not to be had otherwise.
    pub fn aim(&mut self, newer: CheckpointCertificate, now: Instant) {
        let newest = self.newer.as_ref().map_or(self.goal.seq(), CheckpointCertificate::seq);
        if newer.seq() > newest {
            self.newer = Some(newer);
        }
        self.go_on(now);
    }

    /// A source says whether it holds the goal.
    pub fn on_head(&mut self, from: ReplicaId, head: &StateHead, now: Instant) {
        let Some(source) = self.sources.get_mut(&from) else { return };
        if head.seq != self.goal.seq() || !matches!(source.standing(), Standing::HeadAsked { .. }) {
            return;
        }
        match head.parts {
            None => source.lacks(now),
            Some(parts) if parts.root(head.seq) == self.goal.root() || Mutant::RootFromOnePeer.lives() => {
                source.holds();
                self.plan(parts);
            }
            Some(_) => {
                source.lied(now);
                self.switch(from, Doubt::Lied);
            }
        }
        self.go_on(now);
    }

    /// A source sends nodes. An answer to no question of ours, or to one that was answered, is passed over.
    pub fn on_nodes(&mut self, from: ReplicaId, answer: &Nodes, now: Instant) {
        let Some(source) = self.sources.get_mut(&from).filter(|_| answer.seq == self.goal.seq()) else { return };
        let Some(question) = source.take_question(answer.number) else { return };
        let outcome = self.take_nodes(&question.nodes, &answer.nodes);
        // Overdue ones are asked of others already.
        if !question.is_overdue() {
            self.put_back(&question.nodes);
        }
        let Some(source) = self.sources.get_mut(&from) else { return };
        match outcome {
            Ok(()) if answer.nodes.is_empty() => {
                source.lacks(now);
                self.switch(from, Doubt::Lacks);
            }
            Ok(()) => source.answered(answer.nodes.len(), question.nodes.len()),
            Err(reason) if reason.is_senders_fault() => {
                source.lied(now);
                self.output.notices.push(FetchNotice::NodeRejected { from, reason });
                self.switch(from, Doubt::Lied);
            }
            Err(reason) => self.give_up_goal(reason),
        }
        self.go_on(now);
    }

    /// The moment that [`deadline`](Self::deadline) named has come.
    pub fn on_deadline(&mut self, now: Instant) {
        self.go_on(now);
    }

    /// When the fetch goes on although nothing arrives; `None` when it is finished or there is nobody to ask.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        match self.construction {
            Construction::Complete(_) | Construction::Over => None,
            Construction::Unplanned(_) | Construction::Building(_) | Construction::Unusable(_) => {
                self.sources.values().filter_map(Source::deadline).min()
            }
        }
    }

    /// What is to be done now.
    pub fn take_output(&mut self) -> FetchOutput {
        mem::take(&mut self.output)
    }

    /// The state, once it is complete; the fetch is over then.
    pub fn take_fetched(&mut self) -> Option<Fetched> {
        if !matches!(self.construction, Construction::Complete(_)) {
            return None;
        }
        match mem::replace(&mut self.construction, Construction::Over) {
            Construction::Complete(state) => Some(Fetched { state, certificate: self.goal.clone() }),
            Construction::Unplanned(_) | Construction::Building(_) | Construction::Unusable(_) | Construction::Over => {
                None
            }
        }
    }

    /// The checkpoint that is being fetched.
    #[must_use]
    pub fn goal(&self) -> SeqNum {
        self.goal.seq()
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let missing = match &self.construction {
            Construction::Building(trees) => trees.missing(),
            Construction::Unplanned(_) | Construction::Unusable(_) | Construction::Complete(_) | Construction::Over => {
                0
            }
        };
        Progress {
            goal: self.goal.seq(),
            nodes: self.nodes,
            bytes: self.bytes,
            missing: missing as u64,
            sources: self.holders(),
        }
    }

    /// Does all that can be done at this moment.
    fn go_on(&mut self, now: Instant) {
        if matches!(self.construction, Construction::Complete(_) | Construction::Over) {
            return;
        }
        self.expire(now);
        self.move_goal();
        self.ask_heads(now);
        self.ask_nodes(now);
        self.complete();
    }

    fn expire(&mut self, now: Instant) {
        let expired: Vec<_> = self.sources.iter_mut().map(|(id, source)| (*id, source.expire(now))).collect();
        for (id, expired) in expired {
            if let Expired::Silent(nodes) = expired {
                self.put_back(&nodes);
                self.switch(id, Doubt::Silent);
            }
        }
    }

    /// Moves on to the newer certificate when at most f sources hold the goal: they may be those that lie.
    fn move_goal(&mut self) {
        let is_open = |source: &Source| matches!(source.standing(), Standing::New | Standing::HeadAsked { .. });
        let is_unusable = matches!(self.construction, Construction::Unusable(_));
        let is_stale = self.holders() <= self.scope.faulty_max && !self.sources.values().any(is_open);
        let Some(newer) = self.newer.take_if(|_| is_stale || is_unusable) else { return };
        let bases = match mem::replace(&mut self.construction, Construction::Over) {
            Construction::Unplanned(bases) | Construction::Unusable(bases) => bases,
            Construction::Building(trees) => trees.into_bases(),
            Construction::Complete(_) | Construction::Over => return,
        };
        self.output.notices.push(FetchNotice::GoalMoved { from: self.goal.seq(), to: newer.seq() });
        self.construction = Construction::Unplanned(bases);
        self.goal = newer;
        self.sources.values_mut().for_each(Source::goal_moved);
    }

    fn ask_heads(&mut self, now: Instant) {
        let seq = self.goal.seq();
        for (id, source) in &mut self.sources {
            if source.standing() == Standing::New {
                source.head_asked(now);
                self.output.send.push((*id, Message::FetchState { seq }));
            }
        }
    }

    fn ask_nodes(&mut self, now: Instant) {
        let Construction::Building(trees) = &mut self.construction else { return };
        let holders = self.sources.values().filter(|source| source.standing() == Standing::Holds).count();
        for (id, source) in self.sources.iter_mut().filter(|(_, source)| source.is_idle()) {
            // What is wanted is shared out, so that no source waits for another one.
            let share = trees.wanted().div_ceil(holders.max(1)).max(1);
            let nodes = match take_unstaged(trees, self.staged.as_deref(), share.min(source.appetite())) {
                Ok(nodes) if nodes.is_empty() => return,
                Ok(nodes) => nodes,
                Err(reason) => return self.give_up_goal(reason),
            };
            self.number += 1;
            source.nodes_asked(self.number, nodes.clone(), now);
            let question = FetchNodes { seq: self.goal.seq(), number: self.number, nodes };
            self.output.send.push((*id, Message::FetchNodes(question)));
        }
    }

    fn plan(&mut self, parts: RootParts) {
        match mem::replace(&mut self.construction, Construction::Over) {
            Construction::Unplanned(bases) => {
                self.construction = Construction::Building(Trees::new(parts, self.scope.limits, bases));
            }
            other @ (Construction::Building(_)
            | Construction::Unusable(_)
            | Construction::Complete(_)
            | Construction::Over) => self.construction = other,
        }
    }

    /// Takes nodes up to the first wrong one.
    fn take_nodes(&mut self, places: &[NodeRef], nodes: &[StateNode]) -> Result<(), InvalidNode> {
        let Construction::Building(trees) = &mut self.construction else { return Ok(()) };
        if nodes.len() > places.len() {
            return Err(InvalidNode::WrongHash);
        }
        for (place, node) in places.iter().zip(nodes) {
            let supplied = trees.supply(place, node)?;
            if supplied == Supplied::Taken {
                self.output.stage.push((place.hash, codec::encode(node).into()));
            }
            if supplied != Supplied::Unneeded {
                self.nodes += 1;
                self.bytes += node.weight() as u64;
            }
        }
        if self.bytes >= self.progress_at {
            self.progress_at = self.bytes + PROGRESS_BYTES;
            self.output.notices.push(FetchNotice::Progressed(self.progress()));
        }
        Ok(())
    }

    fn put_back(&mut self, nodes: &[NodeRef]) {
        if let Construction::Building(trees) = &mut self.construction {
            nodes.iter().for_each(|node| trees.put_back(node));
        }
    }

    fn give_up_goal(&mut self, reason: InvalidNode) {
        match mem::replace(&mut self.construction, Construction::Over) {
            Construction::Building(trees) => {
                self.construction = Construction::Unusable(trees.into_bases());
                self.output.notices.push(FetchNotice::GoalUnusable { seq: self.goal.seq(), reason });
            }
            other @ (Construction::Unplanned(_)
            | Construction::Unusable(_)
            | Construction::Complete(_)
            | Construction::Over) => self.construction = other,
        }
    }

    fn complete(&mut self) {
        let Construction::Building(trees) = &self.construction else { return };
        if !trees.is_complete() {
            return;
        }
        let RootParts { chain, time, .. } = trees.parts();
        let position = Position { chain_id: self.scope.chain_id, seq: self.goal.seq(), chain, time };
        let progress = self.progress();
        if let Construction::Building(trees) = mem::replace(&mut self.construction, Construction::Over)
            && let Some(state) = trees.into_state(position)
        {
            self.construction = Construction::Complete(state);
            self.output.notices.push(FetchNotice::Done(progress));
        }
    }

    fn holders(&self) -> usize {
        self.sources.values().filter(|source| source.standing() == Standing::Holds).count()
    }

    fn switch(&mut self, from: ReplicaId, doubt: Doubt) {
        self.output.notices.push(FetchNotice::SourceSwitched { from, doubt });
    }
}

/// Up to `max` nodes that are to be asked for. Those that an earlier fetch has left behind are supplied at once; a damaged
/// one is asked for like any other.
fn take_unstaged(trees: &mut Trees, staged: Option<&dyn StagedNodes>, max: usize) -> Result<Vec<NodeRef>, InvalidNode> {
    let mut unstaged = Vec::new();
    while unstaged.len() < max {
        let wanted = trees.take_wanted(max - unstaged.len());
        if wanted.is_empty() {
            break;
        }
        for place in wanted {
            let found = staged.and_then(|staged| staged.node(&place.hash));
            let node = found.and_then(|bytes| codec::decode::<StateNode>(&bytes).ok());
            match node.map(|node| trees.supply(&place, &node)) {
                Some(Ok(_)) => {}
                Some(Err(reason)) if !reason.is_senders_fault() => return Err(reason),
                Some(Err(_)) | None => unstaged.push(place),
            }
        }
    }
    Ok(unstaged)
}
