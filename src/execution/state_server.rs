//! [`StateServer`]: the serving end of a state transfer. Sans-I/O: whoever drives it hands in questions and sends answers.
//!
//! It serves the last two certified checkpoints, and for a while those that somebody is still fetching. All share what did
//! not change. An answer is bounded in bytes, and so is what leaves per second, in total and for one peer, so that serving
//! never slows down agreement.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::replicated_state::ReplicatedState;
use crate::messages::state_transfer::NODES_BYTES_MAX;
use crate::messages::{FetchNodes, NodeRef, Nodes, StateHead, StateNode, Tree};
use crate::types::{Instant, ReplicaId, SeqNum};

/// How many of the newest certified checkpoints are held in any case.
const NEWEST_HELD: usize = 2;
/// How many older ones are held for those who fetch them.
const OLDER_HELD_MAX: usize = 2;
/// An older checkpoint is held while it was asked for within this time...
const IN_USE: Duration = Duration::from_secs(10);
/// ...and no longer than this in all, so that nobody can pin the past for ever.
const HELD_MAX: Duration = Duration::from_secs(120);
/// Questions of one peer that wait at most. A correct peer asks the next one when the last one is answered.
const QUESTIONS_PER_PEER_MAX: usize = 2;
/// What an answer costs beside its nodes, so that small questions are not free.
const ANSWER_COST_BYTES: u64 = 4 << 10;

/// How fast states are served. Bytes per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServingRate {
    /// To all peers together.
    pub total: u64,
    /// To one peer.
    pub peer: u64,
}

/// Serves the states of certified checkpoints to replicas that fetch one.
#[derive(Debug)]
pub struct StateServer {
    rate: ServingRate,
    held: BTreeMap<SeqNum, Held>,
    peers: BTreeMap<ReplicaId, Peer>,
    /// When the next answer to anybody may leave.
    free_at: Instant,
    /// Who was answered last; the turn goes on from there.
    last: Option<ReplicaId>,
}

#[derive(Debug)]
struct Held {
    state: ReplicatedState,
    since: Instant,
    asked: Option<Instant>,
}

#[derive(Debug, Default)]
struct Peer {
    questions: VecDeque<FetchNodes>,
    /// When the next answer to it may leave.
    free_at: Instant,
}

impl StateServer {
    /// A server that holds nothing yet.
    #[must_use]
    pub fn new(rate: ServingRate) -> Self {
        let rate = ServingRate { total: rate.total.max(1), peer: rate.peer.max(1) };
        let (held, peers) = (BTreeMap::new(), BTreeMap::new());
        StateServer { rate, held, peers, free_at: Instant::default(), last: None }
    }

    /// Takes the state of a certified checkpoint, and lets go of those that are not needed any more.
    pub fn hold(&mut self, state: ReplicatedState, now: Instant) {
        self.held.insert(state.position.seq, Held { state, since: now, asked: None });
        let older = self.held.len().saturating_sub(NEWEST_HELD);
        let is_used =
            |held: &Held| held.asked.is_some_and(|asked| now.since(asked) < IN_USE) && now.since(held.since) < HELD_MAX;
        let older: Vec<_> = self.held.iter().take(older).map(|(seq, held)| (*seq, is_used(held))).collect();
        let used = older.iter().rev().filter(|(_, used)| *used).take(OLDER_HELD_MAX).map(|(seq, _)| *seq);
        let kept: Vec<_> = used.collect();
        for (seq, _) in older {
            if !kept.contains(&seq) {
                self.held.remove(&seq);
            }
        }
    }

    /// The answer to `FetchState`.
    pub fn head(&mut self, seq: SeqNum, now: Instant) -> StateHead {
        let newest = self.held.last_key_value().map_or(SeqNum::GENESIS, |(newest, _)| *newest);
        let held = self.held.get_mut(&seq);
        let parts = held.map(|held| {
            held.asked = Some(now);
            held.state.parts()
        });
        StateHead { seq, parts, newest }
    }

    /// Takes a question, in place of the oldest one when too many of that peer wait.
    pub fn ask(&mut self, from: ReplicaId, question: FetchNodes) {
        let peer = self.peers.entry(from).or_default();
        if peer.questions.len() >= QUESTIONS_PER_PEER_MAX {
            peer.questions.pop_front();
        }
        peer.questions.push_back(question);
    }

    /// The next answer that may leave now, and to whom.
    pub fn answer(&mut self, now: Instant) -> Option<(ReplicaId, Nodes)> {
        if now < self.free_at {
            return None;
        }
        let to = self.next_in_turn(now)?;
        let question = self.peers.get_mut(&to)?.questions.pop_front()?;
        let nodes = self.nodes(&question, now);
        let bytes = nodes.iter().map(|node| node.weight() as u64).sum::<u64>() + ANSWER_COST_BYTES;
        self.free_at = now.plus(time_for(bytes, self.rate.total));
        self.peers.entry(to).or_default().free_at = now.plus(time_for(bytes, self.rate.peer));
        self.last = Some(to);
        Some((to, Nodes { seq: question.seq, number: question.number, nodes }))
    }

    /// When [`answer`](Self::answer) has something again; `None` while nobody waits.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let waiting = self.peers.values().filter(|peer| !peer.questions.is_empty());
        waiting.map(|peer| peer.free_at.max(self.free_at)).min()
    }

    /// The checkpoints whose states are held.
    pub fn held(&self) -> impl Iterator<Item = SeqNum> {
        self.held.keys().copied()
    }

    fn next_in_turn(&self, now: Instant) -> Option<ReplicaId> {
        let mut ready = self.peers.iter().filter(|(_, peer)| !peer.questions.is_empty() && peer.free_at <= now);
        let first = ready.clone().next().map(|(id, _)| *id);
        ready.find(|(id, _)| Some(**id) > self.last).map(|(id, _)| *id).or(first)
    }

    /// The nodes that were asked for first, as many as are held and fit.
    fn nodes(&mut self, question: &FetchNodes, now: Instant) -> Vec<StateNode> {
        let Some(held) = self.held.get_mut(&question.seq) else { return Vec::new() };
        held.asked = Some(now);
        let mut bytes = 0;
        let mut nodes = Vec::new();
        for NodeRef { tree, path, hash, extent } in &question.nodes {
            let tree = match tree {
                Tree::Clients => &held.state.clients,
                Tree::Application => &held.state.application,
            };
            let Some(node) = tree.node(path, hash, *extent).filter(|_| bytes < NODES_BYTES_MAX) else { break };
            bytes += node.weight();
            nodes.push(node);
        }
        nodes
    }
}

fn time_for(bytes: u64, per_second: u64) -> Duration {
    Duration::from_nanos(bytes.saturating_mul(1_000_000_000) / per_second)
}
