//! A network of replicas and clients within one process: frames go straight from one to the other, without sockets.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use quorate::client::{Client, ClientInbox, ClientOptions, ClientTransport, Identity as ClientIdentity};
use quorate::clock::SystemClock;
use quorate::core::Identity;
use quorate::execution::state::{State, StateView};
use quorate::execution::{Context, Refusal, StateMachine, StateMachineApplication};
use quorate::genesis::Limits;
use quorate::messages::SigningContext;
use quorate::outcome::Outcome;
use quorate::runtime::{Ingress, ReplicaParts, RunningReplica, Transport};
use quorate::storage::{Disk, Home, Identity as HomeIdentity, SystemDisk};
use quorate::{ClientId, Committee, Genesis, NodeConfig, ReplicaId, WallTime};
use quorate_crypto::{Ed25519, KeyPair};

/// Adds up what it is given, under one key.
pub struct Sum;

impl StateMachine for Sum {
    fn execute(&self, _: &Context, operation: &[u8], state: &mut State) -> Outcome {
        let before = state.get(b"sum").and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes);
        let after = before + operation.iter().map(|byte| u64::from(*byte)).sum::<u64>();
        match state.insert(b"sum", &after.to_le_bytes()) {
            Ok(()) => Outcome::Done(Bytes::copy_from_slice(&after.to_le_bytes())),
            Err(error) => error.into(),
        }
    }

    fn query(&self, query: &[u8], view: &StateView) -> Outcome {
        Outcome::Done(Bytes::copy_from_slice(view.get(query).unwrap_or_default()))
    }

    fn admit(&self, operation: &[u8]) -> Result<(), Refusal> {
        if operation.is_empty() { Err(Refusal(Bytes::from_static(b"empty"))) } else { Ok(()) }
    }
}

/// Who can be reached.
#[derive(Default)]
struct Reachable {
    replicas: BTreeMap<ReplicaId, Ingress>,
    clients: BTreeMap<ClientId, ClientInbox>,
}

/// The network.
#[derive(Clone)]
pub struct Hub {
    pub genesis: Arc<Genesis>,
    /// Of all replicas that are started from now on.
    pub config: NodeConfig,
    reachable: Arc<Mutex<Reachable>>,
}

/// One end of the network.
struct ReplicaEnd {
    hub: Hub,
    own: ReplicaId,
}

struct ClientEnd {
    hub: Hub,
    own: ClientId,
}

impl Transport for ReplicaEnd {
    fn to_replica(&self, to: ReplicaId, bulk: bool, frame: Bytes) {
        let reachable = self.hub.reachable.lock().unwrap();
        if let Some(ingress) = reachable.replicas.get(&to).filter(|_| reachable.replicas.contains_key(&self.own)) {
            ingress.deliver_replica(self.own, bulk, frame);
        }
    }

    fn to_client(&self, to: ClientId, frame: Bytes) {
        let reachable = self.hub.reachable.lock().unwrap();
        if let Some(inbox) = reachable.clients.get(&to).filter(|_| reachable.replicas.contains_key(&self.own)) {
            inbox.deliver(self.own, frame);
        }
    }
}

impl ClientTransport for ClientEnd {
    fn send(&self, to: ReplicaId, frame: Bytes) {
        if let Some(ingress) = self.hub.reachable.lock().unwrap().replicas.get(&to) {
            ingress.deliver_client(self.own, frame);
        }
    }
}

pub fn key(seed: u8) -> KeyPair {
    KeyPair::from_seed(&[seed; 32])
}

impl Hub {
    /// A network of n replicas with the keys 0.. and one client with the key 200.
    pub fn new(n: u8) -> Self {
        let genesis = Genesis {
            version: 1,
            network: "runtime test".to_owned(),
            time: WallTime(1),
            limits: Limits { checkpoint_interval: 8, ..Limits::default() },
            committee: Committee::new((0..n).map(|seed| key(seed).public()).collect()).unwrap(),
            clients: vec![ClientId(key(200).public())],
        };
        let config = NodeConfig { segment_bytes: 8 << 20, ..NodeConfig::default() };
        Hub { genesis: Arc::new(genesis), config, reachable: Arc::default() }
    }

    fn context(&self) -> SigningContext {
        SigningContext::new(Arc::new(Ed25519), self.genesis.chain_id(), self.genesis.epoch())
    }

    /// Starts a replica from its home below `folder`.
    pub fn start(&self, folder: &Path, id: ReplicaId) -> RunningReplica {
        self.start_on(Arc::new(SystemDisk { fsync: true }), folder, id)
    }

    /// The same on another disk than the system's.
    pub fn start_on(&self, disk: Arc<dyn Disk>, folder: &Path, id: ReplicaId) -> RunningReplica {
        let key = key(u8::try_from(id.0).unwrap());
        let home = HomeIdentity { chain_id: self.genesis.chain_id(), replica: id, key: key.public() };
        let parts = ReplicaParts {
            home: Home::open_or_create(&folder.join(id.to_string()), home).unwrap(),
            identity: Identity {
                genesis: Arc::clone(&self.genesis),
                config: Arc::new(self.config.clone()),
                id,
                key,
                context: self.context(),
            },
            application: StateMachineApplication::new(Arc::new(Sum), &self.genesis.limits),
            transport: Arc::new(ReplicaEnd { hub: self.clone(), own: id }),
            clock: Arc::new(SystemClock::new()),
        };
        let replica = RunningReplica::start_on(disk, parts).unwrap();
        self.connect(id, &replica);
        replica
    }

    fn connect(&self, id: ReplicaId, replica: &RunningReplica) {
        let mut reachable = self.reachable.lock().unwrap();
        reachable.replicas.insert(id, replica.ingress());
        for (other, ingress) in reachable.replicas.iter().filter(|(other, _)| **other != id) {
            ingress.link(id, true);
            replica.ingress().link(*other, true);
        }
        for inbox in reachable.clients.values() {
            inbox.link(id, true);
        }
    }

    /// Cuts a replica off.
    pub fn disconnect(&self, id: ReplicaId) {
        let mut reachable = self.reachable.lock().unwrap();
        reachable.replicas.remove(&id);
        reachable.replicas.values().for_each(|ingress| ingress.link(id, false));
        reachable.clients.values().for_each(|inbox| inbox.link(id, false));
    }

    /// The client with the key 200.
    pub fn client(&self) -> Client {
        let key = key(200);
        let own = ClientId(key.public());
        let end = Arc::new(ClientEnd { hub: self.clone(), own });
        let identity = ClientIdentity { genesis: Arc::clone(&self.genesis), context: self.context(), key };
        let (client, inbox) = Client::start(identity, ClientOptions::default(), end, Arc::new(SystemClock::new()));
        let mut reachable = self.reachable.lock().unwrap();
        reachable.replicas.keys().for_each(|id| inbox.link(*id, true));
        reachable.clients.insert(own, inbox);
        client
    }
}
