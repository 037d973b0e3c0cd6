//! One fetching replica and its sources. Messages take a millisecond.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use quorate_crypto::{Digest, Hasher};

use crate::execution::state::{State, StateLimits};
use crate::execution::state_fetch::{FetchNotice, FetchScope, Fetched, StagedNodes, StateFetch};
use crate::execution::{Position, ReplicatedState, ServingRate, StateServer};
use crate::messages::{Checkpoint, CheckpointCertificate, Message, Nodes, StateNode};
use crate::types::{Instant, ReplicaId, SeqNum, WallTime};

const LATENCY: Duration = Duration::from_millis(1);
/// So fast that rates play no part.
pub(super) const UNLIMITED: ServingRate = ServingRate { total: u64::MAX, peer: u64::MAX };

/// How a source behaves.
#[derive(Clone, Debug)]
pub(super) enum Conduct {
    Honest,
    /// It answers nothing.
    Silent,
    /// It changes a byte of every node.
    Lying,
    /// It names other parts of the root.
    WrongHead,
    /// It claims to hold a checkpoint of the far future.
    Boasting,
    /// Its answers take this long.
    Slow(Duration),
    /// It falls silent after so many answers.
    Dying(usize),
    /// It lets go of the state after so many answers.
    Forgetting(usize),
    /// It sends one node at a time.
    Stingy,
    /// It sends everything twice, its earlier answers again, nodes that nobody asked it for, and the nodes of an answer in
    /// another order every now and then.
    Confused,
}

struct Source {
    conduct: Conduct,
    server: StateServer,
    answers: usize,
    earlier: Vec<Nodes>,
}

/// The network around one [`StateFetch`].
pub(super) struct Network {
    pub(super) now: Instant,
    pub(super) fetch: StateFetch,
    pub(super) notices: Vec<FetchNotice>,
    pub(super) staged: BTreeMap<Digest, Bytes>,
    /// How many messages each source got.
    pub(super) asked: BTreeMap<ReplicaId, usize>,
    sources: BTreeMap<ReplicaId, Source>,
    under_way: BTreeMap<(Instant, usize), (ReplicaId, Message)>,
    sent: usize,
}

/// Nodes in memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Staged(pub(super) BTreeMap<Digest, Bytes>);

impl StagedNodes for Staged {
    fn node(&self, hash: &Digest) -> Option<Bytes> {
        self.0.get(hash).cloned()
    }
}

/// A state with these application entries and a client table that depends on the slot.
pub(super) fn state_at(seq: u64, application: State) -> ReplicatedState {
    let clients = (0..40 + seq).map(|number| (number.to_be_bytes(), vec![seq as u8; 20]));
    let clients = State::from_entries(StateLimits::default(), clients).unwrap();
    let position = Position { chain_id: Digest::ZERO, seq: SeqNum(seq), chain: Digest::ZERO, time: WallTime(seq) };
    ReplicatedState { position, clients, application }
}

/// The state of a replica that has nothing.
pub(super) fn nothing() -> ReplicatedState {
    ReplicatedState { clients: State::new(), ..state_at(0, State::new()) }
}

/// `count` entries with keys spread evenly; the values of the first `changed` are others than before.
pub(super) fn spread(count: u64, changed: u64) -> State {
    let mut state = State::new();
    for number in 0..count {
        let key = Hasher::new("test key").u64(number).finish();
        let value = vec![u8::from(number < changed); 60];
        state.insert(key.as_bytes(), &value).unwrap();
    }
    state
}

/// A certificate; who verified it is not the fetch's business.
pub(super) fn certificate(state: &ReplicatedState) -> CheckpointCertificate {
    let checkpoint = Checkpoint { seq: state.position.seq, root: state.root() };
    CheckpointCertificate { checkpoint, signatures: Vec::new() }
}

pub(super) fn scope(sources: u16) -> FetchScope {
    FetchScope {
        chain_id: Digest::ZERO,
        limits: StateLimits::default(),
        sources: (1..=sources).map(ReplicaId).collect(),
        faulty_max: usize::from(sources) / 3,
    }
}

impl Network {
    /// A replica with `base` that fetches the state that all sources hold.
    pub(super) fn new(base: &ReplicatedState, goal: &ReplicatedState, conducts: &[Conduct]) -> Self {
        Self::resumed(base, goal, conducts, None)
    }

    pub(super) fn resumed(
        base: &ReplicatedState,
        goal: &ReplicatedState,
        conducts: &[Conduct],
        staged: Option<Staged>,
    ) -> Self {
        let count = u16::try_from(conducts.len()).unwrap();
        let staged = staged.map(|staged| Arc::new(staged) as Arc<dyn StagedNodes>);
        let fetch = StateFetch::begin(scope(count), base, staged, certificate(goal), Instant(0));
        let source = |conduct: &Conduct| {
            let mut server = StateServer::new(UNLIMITED);
            server.hold(goal.clone(), Instant(0));
            Source { conduct: conduct.clone(), server, answers: 0, earlier: Vec::new() }
        };
        Network {
            now: Instant(0),
            fetch,
            notices: Vec::new(),
            staged: BTreeMap::new(),
            asked: BTreeMap::new(),
            sources: (1..=count).map(ReplicaId).zip(conducts.iter().map(source)).collect(),
            under_way: BTreeMap::new(),
            sent: 0,
        }
    }

    /// A source certifies another checkpoint, and lets go of what it held.
    pub(super) fn replace(&mut self, source: u16, state: &ReplicatedState) {
        let server = &mut self.sources.get_mut(&ReplicaId(source)).unwrap().server;
        *server = StateServer::new(UNLIMITED);
        server.hold(state.clone(), self.now);
    }

    /// Lets time pass until the fetch is finished, or until `until`.
    pub(super) fn run(&mut self, until: Duration) -> Option<Fetched> {
        self.run_while(until, |_| true)
    }

    /// The same, as long as `goes_on`.
    pub(super) fn run_while(&mut self, until: Duration, goes_on: impl Fn(&Network) -> bool) -> Option<Fetched> {
        let until = Instant(0).plus(until);
        loop {
            self.carry();
            if let Some(fetched) = self.fetch.take_fetched() {
                return Some(fetched);
            }
            let arrival = self.under_way.keys().next().map(|(at, _)| *at);
            if self.fetch.deadline().is_some_and(|deadline| deadline <= self.now) {
                self.fetch.on_deadline(self.now);
                let deadline = self.fetch.deadline();
                assert!(deadline.is_none_or(|deadline| deadline > self.now), "a deadline that is over was kept");
                continue;
            }
            let deadline = self.fetch.deadline();
            let next = [arrival, deadline].into_iter().flatten().min();
            let next = next.filter(|next| *next <= until && goes_on(self))?;
            self.now = next;
            match self.under_way.pop_first() {
                Some(((at, _), (from, message))) if at == next => self.deliver(from, &message),
                Some((key, other)) => {
                    self.under_way.insert(key, other);
                    self.fetch.on_deadline(next);
                }
                None => self.fetch.on_deadline(next),
            }
        }
    }

    fn deliver(&mut self, from: ReplicaId, message: &Message) {
        match message {
            Message::StateHead(head) => self.fetch.on_head(from, head, self.now),
            Message::Nodes(nodes) => self.fetch.on_nodes(from, nodes, self.now),
            other => panic!("a source sends {}", other.kind()),
        }
    }

    /// Takes what the fetch gives out, and lets the sources answer.
    fn carry(&mut self) {
        let output = self.fetch.take_output();
        self.notices.extend(output.notices);
        self.staged.extend(output.stage);
        for (to, message) in output.send {
            *self.asked.entry(to).or_default() += 1;
            let source = self.sources.get_mut(&to).unwrap();
            for (delay, answer) in source.answer(&message, self.now) {
                self.sent += 1;
                self.under_way.insert((self.now.plus(delay), self.sent), (to, answer));
            }
        }
    }
}

impl Source {
    fn answer(&mut self, message: &Message, now: Instant) -> Vec<(Duration, Message)> {
        let delay = if let Conduct::Slow(delay) = self.conduct { delay } else { LATENCY };
        if matches!(self.conduct, Conduct::Silent)
            || matches!(self.conduct, Conduct::Dying(after) if self.answers >= after)
        {
            return Vec::new();
        }
        if matches!(self.conduct, Conduct::Forgetting(after) if self.answers == after) {
            self.server = StateServer::new(UNLIMITED);
        }
        match message {
            Message::FetchState { seq } => {
                let mut head = self.server.head(*seq, now);
                match (&self.conduct, &mut head.parts) {
                    (Conduct::WrongHead, Some(parts)) => parts.time = WallTime(99),
                    (Conduct::Boasting, _) => head.newest = SeqNum(u64::MAX),
                    _ => {}
                }
                vec![(delay, Message::StateHead(head))]
            }
            Message::FetchNodes(question) => {
                self.answers += 1;
                self.server.ask(ReplicaId(0), question.clone());
                let (_, nodes) = self.server.answer(now).expect("nothing limits the rate");
                self.distort(nodes).into_iter().map(|nodes| (delay, Message::Nodes(nodes))).collect()
            }
            other => panic!("the fetch sends {}", other.kind()),
        }
    }

    /// What becomes of an answer before it leaves.
    fn distort(&mut self, mut answer: Nodes) -> Vec<Nodes> {
        match self.conduct {
            Conduct::Lying => answer.nodes.iter_mut().for_each(falsify),
            Conduct::Stingy => answer.nodes.truncate(1),
            Conduct::Confused => {
                self.earlier.push(answer.clone());
                let foreign = Nodes { number: answer.number + 1, ..answer.clone() };
                let other_goal = Nodes { seq: answer.seq.next(), ..answer.clone() };
                let mut all = self.earlier.clone();
                all.extend([foreign, other_goal]);
                if self.earlier.len().is_multiple_of(4) {
                    answer.nodes.reverse();
                }
                all.push(answer);
                return all;
            }
            Conduct::Honest
            | Conduct::Silent
            | Conduct::WrongHead
            | Conduct::Boasting
            | Conduct::Slow(_)
            | Conduct::Dying(_)
            | Conduct::Forgetting(_) => {}
        }
        vec![answer]
    }
}

fn falsify(node: &mut StateNode) {
    match node {
        StateNode::Entries { packed } => {
            let mut bytes = packed.to_vec();
            if let Some(last) = bytes.last_mut() {
                *last ^= 1;
            }
            *packed = bytes.into();
        }
        StateNode::Branch(branch) => branch.children.reverse(),
    }
}
