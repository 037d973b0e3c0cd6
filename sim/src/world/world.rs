//! The state of a world and the loop that takes the next event.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use quorate::core::{Event as CoreEvent, Identity};
use quorate::messages::{SigningContext, Verifier};
use quorate::{ClientId, Committee, Genesis, ReplicaId, View};
use quorate_crypto::{Ed25519, KeyPair, SignatureScheme};

use super::aftermath::Aftermath;
use super::network::{Network, Scheduler, nanoseconds};
use super::node::{FOUNDED, Node};
use super::queue::{Event, Life, Queue};
use super::serving::SimClient;
use super::stored_state::StoredState;
use crate::byzantine::clients::Rogue;
use crate::byzantine::{Board, Liar, Puppet};
use crate::chart::{Happening, Note, Party};
use crate::checkers::Checks;
use crate::choices::Choices;
use crate::counters::{Counter, Counters};
use crate::disk::SimDisk;
use crate::options::Options;
use crate::panics::caught;
use crate::signatures::KeyedHash;
use crate::transcript::Transcript;
use crate::violation::{Class, Violation};

/// No world is that long.
const EVENTS_MAX: u64 = 5_000_000;

/// A cluster with its clients, from the genesis until every operation is answered.
#[derive(Debug)]
pub struct World {
    pub(super) options: Options,
    pub(super) choices: Choices,
    pub(super) now: u64,
    pub(super) queue: Queue,
    pub(super) verifier: Verifier,
    pub(super) network: Network,
    pub(super) scheduler: Scheduler,
    pub(super) nodes: Vec<Node>,
    pub(super) clients: Vec<SimClient>,
    pub(super) rogues: Vec<Rogue>,
    /// What all Byzantine replicas share.
    pub(super) board: Board,
    pub(super) checks: Checks,
    pub(super) counters: Counters,
    pub(super) transcript: Transcript,
    pub(super) aftermath: Aftermath,
    /// Since when all clients are content and the replicas only have to agree how far they are.
    pub(super) settling_since: Option<u64>,
    pub(super) trace: u64,
    events: u64,
    events_max: u64,
    /// While faults are planned in advance: how many there are so far.
    pub(super) planned: Option<u64>,
}

/// How a world ended.
#[derive(Debug)]
pub struct Ended {
    /// What was broken, if anything.
    pub violation: Option<Violation>,
    /// What happened.
    pub counters: Counters,
    /// A hash of everything that happened, in order.
    pub trace: u64,
    /// How many events that was.
    pub events: u64,
    /// How much virtual time passed.
    pub lasted: Duration,
    /// The highest view that a correct replica is in.
    pub view: View,
    /// How many faults were planned in advance.
    pub planned: u64,
    /// What was drawn before.
    pub options: Options,
    /// The answers of the choices, where they were recorded.
    pub schedule: Vec<u64>,
    /// What happened last.
    pub transcript: Transcript,
}

impl World {
    /// The world of a seed.
    #[must_use]
    pub fn new(options: Options, mut choices: Choices, transcript: Transcript) -> Self {
        let scheme: Arc<dyn SignatureScheme> =
            if options.real_signatures { Arc::new(Ed25519) } else { Arc::new(KeyedHash) };
        let client_keys: Vec<_> = (0..options.clients.count).map(|client| key(1, client)).collect();
        let rogue_keys: Vec<_> = (0..options.faults.rogues.len()).map(|rogue| key(2, rogue as u64)).collect();
        let all_clients: Vec<_> = client_keys.iter().chain(&rogue_keys).map(|key| ClientId(key.public())).collect();
        let genesis = Arc::new(genesis(&options, all_clients));
        let context = SigningContext::new(Arc::clone(&scheme), genesis.chain_id(), genesis.epoch());
        let nodes = genesis.committee.ids().map(|id| {
            let identity = Identity {
                genesis: Arc::clone(&genesis),
                config: Arc::new(options.config.clone()),
                id,
                key: key(0, u64::from(id.0)),
                context: context.clone(),
            };
            let clock_error = choices.between(0, nanoseconds(options.machine.clock_error));
            let liar = options.byzantine.contains(&id).then(|| {
                let puppet = Puppet::new(&identity, Arc::clone(&scheme));
                Liar::new(puppet, &options.attacks_of(id))
            });
            node(identity, liar, clock_error)
        });
        let nodes: Vec<_> = nodes.collect();
        let clients = client_keys.into_iter().map(|key| SimClient::new(&options.clients, &genesis, &context, key));
        let rogues = options.faults.rogues.iter().zip(rogue_keys);
        let rogues = rogues.map(|(does, key)| Rogue::new(*does, key, &genesis, context.clone())).collect();
        let correct: BTreeSet<_> = nodes.iter().filter(|node| node.is_correct()).map(Node::id).collect();
        World {
            scheduler: Scheduler::new(genesis.committee.clone()),
            network: Network::new(options.network.clone(), nanoseconds(options.calm_at)),
            verifier: Verifier::new(Arc::clone(&genesis), context.clone(), 0),
            clients: clients.collect(),
            rogues,
            board: Board::default(),
            checks: Checks::new(&genesis, &options.config, correct),
            nodes,
            counters: Counters::default(),
            transcript,
            aftermath: Aftermath::default(),
            settling_since: None,
            queue: Queue::default(),
            now: 0,
            trace: 0,
            events: 0,
            events_max: EVENTS_MAX,
            planned: None,
            choices,
            options,
        }
    }

    /// The same, and no more than so many events.
    #[must_use]
    pub fn with_events_max(self, events_max: u64) -> Self {
        World { events_max: events_max.min(EVENTS_MAX), ..self }
    }

    /// Runs until every operation is answered and every correct replica has executed all of them, or until a rule is
    /// broken. A panic is a broken rule, too.
    #[must_use]
    pub fn run(mut self) -> Ended {
        let mut planned = 0;
        if let Err(text) = caught(|| self.run_on(&mut planned)) {
            self.checks.report(Class::Panic, "panic", text);
        }
        self.end(planned)
    }

    fn run_on(&mut self, planned: &mut u64) {
        *planned = self.begin();
        while self.checks.violation().is_none() {
            let Some((at, event)) = self.queue.pop() else { break };
            self.now = at;
            self.events += 1;
            if self.events > self.events_max {
                self.checks.report(Class::Liveness, "endless", format!("no end after {} events", self.events_max));
            }
            if matches!(event, Event::Check) && self.is_settled() {
                break;
            }
            self.take(event);
        }
        self.checks.on_end();
    }

    fn end(mut self, planned: u64) -> Ended {
        self.checks.count(&mut self.counters);
        self.counters.add_many(Counter::RealSignatures, u64::from(self.options.real_signatures));
        let correct = self.nodes.iter().filter(|node| node.is_correct());
        let views = correct.filter_map(|node| node.running.as_ref()).map(|running| running.replica.view());
        Ended {
            view: views.max().unwrap_or_default(),
            planned,
            options: self.options,
            schedule: self.choices.into_schedule(),
            violation: self.checks.violation().cloned(),
            counters: self.counters,
            trace: self.trace,
            events: self.events,
            lasted: Duration::from_nanos(self.now),
            transcript: self.transcript,
        }
    }

    /// Starts everybody and plans what will break. How many faults that are.
    fn begin(&mut self) -> u64 {
        for id in self.ids() {
            self.start(id);
        }
        for client in 0..self.clients.len() {
            self.after(Duration::from_millis(1), Event::ClientWake { client });
        }
        self.planned = Some(0);
        self.plan_faults();
        let planned = self.planned.take().unwrap_or(0);
        self.begin_lies();
        self.begin_rogues();
        let calm_at = self.options.calm_at;
        self.after(calm_at, Event::Calm);
        planned
    }

    fn take(&mut self, event: Event) {
        self.note(&event);
        match event {
            Event::Deliver { from, to, envelope } => self.deliver(from, to, &envelope),
            Event::Request { to, request } => self.on_request(to, request),
            Event::Reply { from, client, message } => self.on_reply(from, client, message),
            Event::Lie { node } => self.on_lie(node),
            Event::SetBack { node } => self.on_set_back(node),
            Event::Rogue { rogue, left } => self.on_rogue(rogue, left),
            Event::RogueRequest { to, request } => self.on_rogue_request(to, *request),
            Event::Parcel { from, parcel } => self.on_parcel(from, *parcel),
            Event::Timer(life) => self.on_timer(life),
            Event::Synced(life) => self.on_synced(life),
            Event::Worked(life) => self.on_worked(life),
            Event::Transfer(life) => self.on_transfer_timer(life),
            Event::Space { life, space } => {
                if self.is_alive(life) {
                    self.step(life.node, CoreEvent::Disk(space));
                }
            }
            Event::StateDurable { life, state, certificate } => self.on_state_durable(life, *state, *certificate),
            Event::FullDisk { node } => self.on_full_disk(node),
            Event::RoomAgain { node } => self.node(node).disk.leave_room(None),
            Event::SnapshotWritten { life, state, .. } => self.on_snapshot_written(life, *state),
            Event::Link { life, peer, up } => {
                if self.is_alive(life) {
                    self.step(life.node, CoreEvent::Link { peer, up });
                }
            }
            Event::ClientWake { client } => self.on_client_wake(client),
            Event::Crash { nodes, is_blackout } => self.on_crash(&nodes, is_blackout),
            Event::CrashInSync(life) => self.on_crash_in_sync(life),
            Event::ClockJump { node } => self.on_clock_jump(node),
            Event::PowerLoss { node } => self.on_power_loss(node),
            Event::Restart { node } => self.start(node),
            Event::Fuse { node } => self.on_fuse(node),
            Event::SyncRefused { node } => self.on_sync_refused(node),
            Event::Copy { node } => self.on_copy(node),
            Event::Mishap { node, mishap } => self.on_mishap(node, mishap),
            Event::Cut(cut) => self.on_cut(cut),
            Event::Heal { cut } => self.on_heal(cut),
            Event::Clog(clog) => {
                self.counters.add(Counter::Clogs);
                self.network.clog(clog, self.now);
            }
            Event::Filter(filter) => self.network.filter(filter, self.now),
            Event::Hold(hold) => self.scheduler.begin(hold),
            Event::HoldEnds => self.on_hold_ends(),
            Event::Calm => self.on_calm(),
            Event::Check => self.on_check(),
        }
    }

    pub(super) fn ids(&self) -> Vec<ReplicaId> {
        self.nodes.iter().map(Node::id).collect()
    }

    pub(super) fn node(&self, id: ReplicaId) -> &Node {
        &self.nodes[id.index()]
    }

    pub(super) fn node_mut(&mut self, id: ReplicaId) -> &mut Node {
        &mut self.nodes[id.index()]
    }

    pub(super) fn is_running(&self, id: ReplicaId) -> bool {
        self.node(id).running.is_some()
    }

    pub(super) fn is_alive(&self, life: Life) -> bool {
        let node = self.node(life.node);
        node.running.is_some() && node.incarnation == life.incarnation
    }

    pub(super) fn is_calm(&self) -> bool {
        self.now >= nanoseconds(self.options.calm_at)
    }

    pub(super) fn at(&mut self, at: u64, event: Event) {
        let tie = self.choices.below(1 << 16);
        if self.is_spared() {
            return;
        }
        self.queue.push(at.max(self.now), tie, event);
    }

    /// Whether this is a fault that is planned now and shall not happen.
    fn is_spared(&mut self) -> bool {
        let Some(number) = &mut self.planned else { return false };
        *number += 1;
        self.options.faults.spared.contains(number)
    }

    pub(super) fn after(&mut self, delay: Duration, event: Event) {
        self.at(self.now + nanoseconds(delay), event);
    }

    pub(super) fn draw(&mut self, (shortest, longest): (Duration, Duration)) -> Duration {
        Duration::from_nanos(self.choices.between(nanoseconds(shortest), nanoseconds(longest)))
    }

    pub(super) fn line(&mut self, text: impl FnOnce() -> String) {
        self.transcript.line(self.now, text);
    }

    /// Records what one party does.
    pub(super) fn mark(&self, by: impl Into<Party>, note: impl FnOnce() -> Note) {
        self.transcript.record(self.now, || Some(Happening::Noted(by.into(), note())));
    }
}

fn key(kind: u8, number: u64) -> KeyPair {
    let mut seed = [kind; 32];
    seed[..8].copy_from_slice(&(number + 1).to_le_bytes());
    KeyPair::from_seed(&seed)
}

fn genesis(options: &Options, clients: Vec<ClientId>) -> Genesis {
    let members = (0..options.members).map(|member| key(0, u64::from(member)).public()).collect();
    Genesis {
        version: quorate::codec::FORMAT_VERSION,
        network: "simulated".to_owned(),
        time: FOUNDED,
        limits: options.limits,
        committee: Committee::new(members).expect("the options draw sizes that a committee may have"),
        clients,
    }
}

fn node(identity: Identity, liar: Option<Liar>, clock_error: u64) -> Node {
    Node {
        identity,
        disk: SimDisk::default(),
        is_furnished: false,
        state: StoredState::default(),
        copy: None,
        broken: None,
        clock_error,
        incarnation: 0,
        started: 0,
        running: None,
        liar,
    }
}
