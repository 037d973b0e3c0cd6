//! A whole cluster in one thread. Messages go through their bytes and the verifier and arrive in the order in which they
//! were sent, at once, unless the scenario drops or holds them.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use quorate::core::{
    Actions, Event, JournalRecord, Notice, Order, Outgoing, Recipients, Recovered, Replica, Report, SuspicionCause,
    ViewChangeCause,
};
use quorate::messages::{Bounds, CheckpointCertificate, CommittedSlot, Message, ReplicaMessage, Request, Verifier};
use quorate::{Instant, Now, ReplicaId, RequestId, SeqNum, View};
use quorate_crypto::Digest;

use super::checks::{Voted, check_batches};
use super::executor::Executor;
use super::journal::{batch, committed, recovered};
use super::outputs::line_of;
use super::world::{START, World};

/// How many committed slots one answer carries: few, so that several are needed.
const HISTORY_SLOTS: usize = 3;
/// More messages than any scenario sends.
const DELIVERIES_MAX: usize = 200_000;

/// A message on its way.
#[derive(Clone, Debug)]
pub(crate) struct Envelope {
    pub(crate) from: u16,
    pub(crate) to: u16,
    pub(crate) message: Message,
}

/// What a scenario does with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Deliver,
    Drop,
    Hold,
}

type Rule = Box<dyn Fn(&Envelope) -> Fate>;

/// One member: its replica while it runs, and what outlives it.
pub(crate) struct Node {
    replica: Option<Replica>,
    pub(crate) journal: Vec<JournalRecord>,
    history: BTreeMap<SeqNum, CommittedSlot>,
    pub(crate) executor: Executor,
    pub(crate) notices: Vec<(Instant, Notice)>,
    pub(crate) to_clients: Vec<ReplicaMessage>,
    pub(crate) resent: Vec<RequestId>,
    /// The difference of its wall clock.
    pub(crate) ahead: Duration,
    /// Whether its executor does nothing before the scenario lets it.
    pub(crate) executes_slowly: bool,
    waiting: VecDeque<Order>,
    voted: Voted,
}

/// All members, the messages between them, and one clock.
pub(crate) struct Cluster {
    pub(crate) world: World,
    pub(crate) nodes: Vec<Node>,
    pub(crate) now: Now,
    verifier: Verifier,
    queue: VecDeque<Envelope>,
    held: Vec<Envelope>,
    rule: Rule,
    agreed: BTreeMap<SeqNum, Digest>,
    /// The states at all checkpoints that anybody has executed.
    states: BTreeMap<(SeqNum, Digest), Executor>,
    /// The first slot that the journals of all members still hold.
    pub(crate) history_from: SeqNum,
    /// Whether anybody serves them.
    serves_states: bool,
    /// Who waits for which of them.
    wanted: BTreeMap<u16, CheckpointCertificate>,
    /// Who has installed which of them.
    pub(crate) transfers: Vec<(u16, SeqNum)>,
    /// Whether a replica that starts is told at once that nobody holds a vote of it, instead of asking.
    pub(crate) checks_at_start: bool,
    /// Sender, receiver and line of every message that arrived.
    arrived: Vec<(u16, u16, String)>,
}

impl Cluster {
    /// `n` members, connected, with nothing executed.
    pub(crate) fn new(n: u16) -> Self {
        Self::of(World::new(n))
    }

    pub(crate) fn of(world: World) -> Self {
        let node = |_| Node {
            replica: None,
            journal: Vec::new(),
            history: BTreeMap::new(),
            executor: Executor::new(world.genesis.limits),
            notices: Vec::new(),
            to_clients: Vec::new(),
            resent: Vec::new(),
            ahead: Duration::ZERO,
            executes_slowly: false,
            waiting: VecDeque::new(),
            voted: Voted::default(),
        };
        let mut cluster = Cluster {
            nodes: (0..world.n()).map(node).collect(),
            now: START,
            verifier: world.verifier(),
            queue: VecDeque::new(),
            held: Vec::new(),
            rule: Box::new(|_| Fate::Deliver),
            agreed: BTreeMap::new(),
            states: BTreeMap::new(),
            history_from: SeqNum::GENESIS,
            serves_states: true,
            wanted: BTreeMap::new(),
            transfers: Vec::new(),
            checks_at_start: true,
            arrived: Vec::new(),
            world,
        };
        for id in cluster.ids() {
            cluster.start(id);
        }
        cluster.run();
        cluster
    }

    pub(crate) fn ids(&self) -> std::ops::Range<u16> {
        0..self.world.n()
    }

    pub(crate) fn replica(&self, id: u16) -> &Replica {
        self.nodes[usize::from(id)].replica.as_ref().expect("the scenario asks for a replica that runs")
    }

    pub(crate) fn node(&self, id: u16) -> &Node {
        &self.nodes[usize::from(id)]
    }

    /// From here on decides about every message that is about to arrive.
    pub(crate) fn rule(&mut self, rule: impl Fn(&Envelope) -> Fate + 'static) {
        self.rule = Box::new(rule);
    }

    /// Drops what `drop` likes, delivers the rest.
    pub(crate) fn drop_when(&mut self, drop: impl Fn(&Envelope) -> bool + 'static) {
        self.rule(move |envelope| if drop(envelope) { Fate::Drop } else { Fate::Deliver });
    }

    /// Nothing is dropped or held any more; what was held arrives.
    pub(crate) fn heal(&mut self) {
        self.rule(|_| Fate::Deliver);
        self.queue.extend(self.held.drain(..));
        self.run();
    }

    /// What was held arrives; what follows from it is up to the rule again.
    pub(crate) fn release(&mut self) {
        for envelope in std::mem::take(&mut self.held) {
            self.deliver(envelope);
        }
        self.run();
    }

    /// A slow executor does one of the things that wait for it.
    pub(crate) fn execute_one(&mut self, id: u16) {
        let Some(order) = self.nodes[usize::from(id)].waiting.pop_front() else { return };
        self.execute(id, order);
        self.run();
    }

    /// Whether states are served from here on. Who waits for one gets it now.
    pub(crate) fn serve_states(&mut self, serve: bool) {
        self.serves_states = serve;
        if serve {
            for (id, goal) in std::mem::take(&mut self.wanted) {
                self.transfer(id, &goal);
            }
            self.run();
        }
    }

    /// A member that has ended loses its journal. What is left says how far its promises reached, or not even that.
    pub(crate) fn lose_journal(&mut self, id: u16, known: Option<Bounds>) {
        let node = &mut self.nodes[usize::from(id)];
        assert!(node.replica.is_none(), "only what has ended loses its journal");
        node.journal = vec![JournalRecord::RecoveryBegun(known)];
        node.history.clear();
    }

    /// Hands a client's request to one member, and delivers all that follows.
    pub(crate) fn submit(&mut self, to: u16, number: u64) {
        let request = self.world.request(0, number);
        self.submit_request(to, request);
    }

    pub(crate) fn submit_request(&mut self, to: u16, request: Request) {
        let request = self.verifier.request(request).expect("the scenario sends valid requests");
        self.step(to, Event::Request(request));
        self.run();
    }

    /// Something happens to one member; what follows is delivered.
    pub(crate) fn event(&mut self, id: u16, event: Event) {
        self.step(id, event);
        self.run();
    }

    /// A message that no replica of the cluster sent.
    pub(crate) fn inject(&mut self, from: u16, to: u16, message: Message) {
        self.queue.push_back(Envelope { from, to, message });
        self.run();
    }

    /// Delivers until nothing is on its way.
    pub(crate) fn run(&mut self) {
        for _ in 0..DELIVERIES_MAX {
            let Some(envelope) = self.queue.pop_front() else { return };
            match (self.rule)(&envelope) {
                Fate::Drop => {}
                Fate::Hold => self.held.push(envelope),
                Fate::Deliver => self.deliver(envelope),
            }
        }
        unreachable!("the replicas talk without end");
    }

    /// Lets time pass; replicas are woken when they want to be.
    pub(crate) fn pass(&mut self, duration: Duration) {
        let end = self.now.monotonic.plus(duration);
        let wall_end = self.now.wall.plus(duration);
        loop {
            let running = self.nodes.iter().filter_map(|node| node.replica.as_ref());
            let Some(next) = running.map(Replica::next_deadline).min().filter(|next| *next <= end) else { break };
            let pause = next.since(self.now.monotonic);
            self.now = Now { monotonic: next, wall: self.now.wall.plus(pause) };
            for id in self.ids() {
                let is_due = |replica: &Replica| replica.next_deadline() <= next;
                if self.nodes[usize::from(id)].replica.as_ref().is_some_and(is_due) {
                    self.step(id, Event::DeadlineReached);
                }
            }
            self.run();
        }
        self.now = Now { monotonic: end, wall: wall_end };
    }

    /// Ends a member at once. Its connections break.
    pub(crate) fn crash(&mut self, id: u16) {
        let node = &mut self.nodes[usize::from(id)];
        node.replica = None;
        node.waiting.clear();
        self.wanted.remove(&id);
        self.queue.retain(|envelope| envelope.from != id && envelope.to != id);
        self.set_links(id, false);
    }

    /// Starts a member from its journal. Its executor starts from nothing and replays.
    pub(crate) fn restart(&mut self, id: u16) {
        assert!(self.nodes[usize::from(id)].replica.is_none(), "only what has ended starts again");
        self.start(id);
        self.run();
    }

    /// The connections of a member are made or break.
    pub(crate) fn set_links(&mut self, id: u16, up: bool) {
        for other in self.ids().filter(|other| *other != id) {
            for (at, peer) in [(id, other), (other, id)] {
                if self.nodes[usize::from(at)].replica.is_some() {
                    self.step(at, Event::Link { peer: ReplicaId(peer), up });
                }
            }
        }
    }

    /// Views that were entered, in their order.
    pub(crate) fn entered(&self, id: u16) -> Vec<View> {
        let views =
            self.node(id).notices.iter().filter_map(|(_, notice)| {
                if let Notice::ViewEntered { view, .. } = notice { Some(*view) } else { None }
            });
        views.collect()
    }

    /// Why a member asked for other views.
    pub(crate) fn asked(&self, id: u16) -> Vec<(View, ViewChangeCause)> {
        self.asked_at(id).into_iter().map(|(_, target, cause)| (target, cause)).collect()
    }

    /// The same with the times.
    pub(crate) fn asked_at(&self, id: u16) -> Vec<(Instant, View, ViewChangeCause)> {
        let asked = self.node(id).notices.iter().filter_map(|(now, notice)| {
            if let Notice::ViewChangeStarted { target, cause } = notice { Some((*now, *target, *cause)) } else { None }
        });
        asked.collect()
    }

    /// What a member said of its suspicions: a cause, or that it withdraws it.
    pub(crate) fn suspicions(&self, id: u16) -> Vec<Option<SuspicionCause>> {
        let said = self.node(id).notices.iter().filter_map(|(_, notice)| {
            if let Notice::Suspected { cause, .. } = notice {
                Some(Some(*cause))
            } else {
                matches!(notice, Notice::SuspicionWithdrawn { .. }).then_some(None)
            }
        });
        said.collect()
    }

    /// How many messages from one member arrived whose line begins like this.
    pub(crate) fn arrived(&self, from: u16, line: &str) -> usize {
        self.arrived.iter().filter(|(sender, _, text)| *sender == from && text.starts_with(line)).count()
    }

    /// The numbers of the requests of client 0 that a member has executed, in their order.
    pub(crate) fn executed(&self, id: u16) -> Vec<u64> {
        self.node(id).executor.requests.iter().map(|id| id.number.0).collect()
    }

    /// The digest that was executed at a slot.
    pub(crate) fn agreed(&self, seq: u64) -> Option<Digest> {
        self.agreed.get(&SeqNum(seq)).copied()
    }

    fn start(&mut self, id: u16) {
        let now = self.now_at(id);
        let node = &mut self.nodes[usize::from(id)];
        let recovered: Recovered = recovered(&node.journal);
        node.executor = node.executor.emptied();
        node.replica = Some(Replica::recover(self.world.identity(id), recovered, now));
        let (installed, replay) = (node.executor.installed(), committed(&node.journal));
        self.step(id, Event::Executor(installed));
        if self.checks_at_start {
            self.pass_check(id);
        }
        for batch in replay {
            let report = self.nodes[usize::from(id)].executor.apply(&batch);
            self.step(id, Event::Executor(report));
        }
        self.set_links(id, true);
    }

    /// Its peers hold no vote of it that it does not know.
    fn pass_check(&mut self, id: u16) {
        for peer in self.world.others(id).take(self.world.quorum() - 1).collect::<Vec<_>>() {
            let message = Message::Votes(self.world.no_votes(id));
            let message = self.verifier.message(message).expect("it is valid");
            self.step(id, Event::Message { from: ReplicaId(peer), message });
        }
    }

    fn now_at(&self, id: u16) -> Now {
        Now { wall: self.now.wall.plus(self.nodes[usize::from(id)].ahead), ..self.now }
    }

    fn deliver(&mut self, envelope: Envelope) {
        let Envelope { from, to, message } = envelope;
        if self.nodes[usize::from(to)].replica.is_none() {
            return;
        }
        self.arrived.push((from, to, line_of(&message)));
        let decoded = Message::decode(&message.encode()).expect("a replica sends what can be read");
        let message = self.verifier.message(decoded).expect("a replica sends what is valid");
        self.step(to, Event::Message { from: ReplicaId(from), message });
    }

    fn step(&mut self, id: u16, event: Event) {
        let now = self.now_at(id);
        let replica = self.nodes[usize::from(id)].replica.as_mut().expect("only a running replica is stepped");
        replica.step(now, event);
        replica.check_all_invariants();
        assert!(replica.next_deadline() > now.monotonic, "replica {id} wants to be woken without end");
        let actions = replica.take_actions();
        self.act(id, actions);
    }

    /// First the journal, then the network, then the executor.
    fn act(&mut self, id: u16, actions: Actions) {
        let now = self.now.monotonic;
        let node = &mut self.nodes[usize::from(id)];
        node.journal.extend(actions.persist.iter().cloned());
        node.voted.check(ReplicaId(id), &node.journal, &actions);
        if !actions.persist.is_empty() {
            check_batches(&node.journal);
        }
        for record in &actions.persist {
            if let JournalRecord::Committed(certificate) = record {
                let batch = batch(&node.journal, certificate.seq(), certificate.digest());
                node.history.insert(certificate.seq(), CommittedSlot { certificate: certificate.clone(), batch });
            }
        }
        node.notices.extend(actions.notices.into_iter().map(|notice| (now, notice)));
        for outgoing in actions.send {
            self.send(id, outgoing);
        }
        let node = &mut self.nodes[usize::from(id)];
        if node.executes_slowly || !node.waiting.is_empty() {
            node.waiting.extend(actions.execute);
            return;
        }
        for order in actions.execute {
            self.execute(id, order);
        }
    }

    fn send(&mut self, from: u16, outgoing: Outgoing) {
        let mut push = |to, message| self.queue.push_back(Envelope { from, to, message });
        match outgoing {
            Outgoing::Replica { to: Recipients::Others, message } => {
                (0..self.world.n()).filter(|to| *to != from).for_each(|to| push(to, message.clone()));
            }
            Outgoing::Replica { to: Recipients::One(to), message } => push(to.0, message),
            Outgoing::Client { message, .. } => self.nodes[usize::from(from)].to_clients.push(message),
            Outgoing::History { to, after, through } => {
                if after.next() < self.history_from {
                    push(to.0, Message::HistoryGone { after });
                    return;
                }
                let history = &self.nodes[usize::from(from)].history;
                let slots = history.range(after.next()..=through).map(|(_, slot)| slot.clone());
                push(to.0, Message::Committed(slots.take(HISTORY_SLOTS).collect()));
            }
        }
    }

    /// The state with this root comes from whoever has had it.
    fn transfer(&mut self, id: u16, goal: &CheckpointCertificate) {
        if !self.serves_states {
            self.wanted.insert(id, goal.clone());
            return;
        }
        let Some(state) = self.states.get(&(goal.seq(), goal.root())).cloned() else { return };
        let node = &mut self.nodes[usize::from(id)];
        node.executor = state;
        node.executor.wrong_from = None;
        let Report::Installed { seq, chain, root, windows, .. } = node.executor.installed() else {
            unreachable!("an executor reports what it has installed");
        };
        assert_eq!((seq, root), (goal.seq(), goal.root()));
        let certificate = Some(goal.clone());
        self.transfers.push((id, seq));
        self.step(id, Event::Executor(Report::Installed { seq, chain, root, certificate, windows }));
    }

    fn execute(&mut self, id: u16, order: Order) {
        match order {
            Order::Apply(batch) => {
                let agreed = *self.agreed.entry(batch.seq).or_insert(batch.digest);
                assert_eq!(agreed, batch.digest, "slot {}: {id} executes another batch than the others", batch.seq);
                let executor = &mut self.nodes[usize::from(id)].executor;
                let report = executor.apply(&batch);
                if self.world.genesis.limits.is_checkpoint(batch.seq) {
                    self.states.insert((batch.seq, executor.root()), executor.clone());
                }
                self.step(id, Event::Executor(report));
            }
            Order::Resend { id: request, .. } => self.nodes[usize::from(id)].resent.push(request),
            Order::Stable(_) => {}
            Order::CatchUpTo(goal) => self.transfer(id, &goal),
        }
    }
}
