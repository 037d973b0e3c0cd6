//! One running core with its executor and its journal.

use std::sync::Arc;
use std::time::Duration;

use quorate::core::{Identity, Recovered, Replica};
use quorate::execution::{Executor, Signer, StateMachineApplication};
use quorate::genesis::Limits;
use quorate::messages::{CheckpointCertificate, SigningContext};
use quorate::{ClientId, Committee, Genesis, Instant, NodeConfig, Now, ReplicaId, WallTime};
use quorate_crypto::KeyPair;

use super::cast::{Cast, Place};
use super::journal::Journal;
use crate::signatures::KeyedHash;
use crate::tally::Tally;

pub(super) type TallyExecutor = Executor<StateMachineApplication<Tally>>;

/// T. All time-outs are equal and do not grow, so that one round is one time-out.
pub(super) const TIMEOUT: Duration = Duration::from_millis(1_000);
/// The rarest Status there may be: what happens between two time-outs needs none.
const STATUS_MS: u64 = 500;
/// When the network was founded.
const FOUNDED: WallTime = WallTime(1_700_000_000_000_000_000);

/// What all cores share.
#[derive(Clone, Debug)]
pub(super) struct Common {
    pub genesis: Arc<Genesis>,
    pub config: Arc<NodeConfig>,
    pub context: SigningContext,
    /// The key of the only client.
    pub client: KeyPair,
}

impl Common {
    pub(super) fn new(cast: &Cast) -> Self {
        let client = key(1, 0);
        let members = (0..u64::from(cast.members())).map(|member| key(0, member).public()).collect();
        let genesis = Arc::new(Genesis {
            version: quorate::codec::FORMAT_VERSION,
            network: "twins".to_owned(),
            time: FOUNDED,
            limits: limits(),
            committee: Committee::new(members).expect("a cast is a committee"),
            clients: vec![ClientId(client.public())],
        });
        let context = SigningContext::new(Arc::new(KeyedHash), genesis.chain_id(), genesis.epoch());
        Common { genesis, config: Arc::new(config()), context, client }
    }
}

/// A checkpoint at every second slot, so that a few slots already move the windows.
fn limits() -> Limits {
    Limits { checkpoint_interval: 2, client_window: 64, batch_requests_max: 16, ..Limits::default() }
}

fn config() -> NodeConfig {
    let timeout_ms = u64::try_from(TIMEOUT.as_millis()).unwrap_or(u64::MAX);
    NodeConfig {
        timeout_ms,
        timeout_cap_ms: timeout_ms,
        status_ms: STATUS_MS,
        status_stalled_ms: STATUS_MS,
        batch_delay_us: 0,
        ..NodeConfig::default()
    }
}

fn key(kind: u8, number: u64) -> KeyPair {
    let mut seed = [kind; 32];
    seed[..8].copy_from_slice(&(number + 1).to_le_bytes());
    KeyPair::from_seed(&seed)
}

/// A core that runs.
#[derive(Clone, Debug)]
pub(super) struct Player {
    pub member: ReplicaId,
    /// Whether it is alone in having its identity.
    pub is_correct: bool,
    pub replica: Replica,
    pub executor: TallyExecutor,
    pub journal: Journal,
    /// The certified state that the core waits for.
    pub wanted: Option<CheckpointCertificate>,
    identity: Identity,
    /// No two wall clocks agree: what the cores of a twin propose differs even when they are asked for the same.
    clock_ahead: u64,
    /// When its monotonic clock began.
    started: u64,
}

impl Player {
    /// A core that starts for the first time.
    pub(super) fn new(common: &Common, cast: &Cast, place: Place) -> Self {
        let member = cast.member(place);
        let identity = Identity {
            genesis: Arc::clone(&common.genesis),
            config: Arc::clone(&common.config),
            id: member,
            key: key(0, u64::from(member.0)),
            context: common.context.clone(),
        };
        let clock_ahead = u64::from(place.0);
        let now = Now { monotonic: Instant(0), wall: WallTime(FOUNDED.0 + clock_ahead) };
        Player {
            member,
            is_correct: !cast.is_twin(member),
            replica: Replica::recover(identity.clone(), Recovered::default(), now),
            executor: executor(&identity),
            journal: Journal::default(),
            wanted: None,
            identity,
            clock_ahead,
            started: 0,
        }
    }

    /// It crashed, and starts again from its journal. The executor stands where its stored state ends.
    pub(super) fn restart(&mut self, world: u64, recovered: Recovered) {
        self.started = world;
        self.executor = executor(&self.identity);
        if let Some((state, certificate)) = self.journal.base().cloned() {
            self.executor.install(state, Some(certificate)).expect("a state that was installed is installed again");
        }
        self.wanted = None;
        self.replica = Replica::recover(self.identity.clone(), recovered, self.now(world));
    }

    /// Its two clocks.
    pub(super) fn now(&self, world: u64) -> Now {
        Now { monotonic: Instant(world - self.started), wall: WallTime(FOUNDED.0 + world + self.clock_ahead) }
    }

    /// When it wants to be called, in the time of the world.
    pub(super) fn deadline(&self) -> u64 {
        self.started.saturating_add(self.replica.next_deadline().0)
    }
}

fn executor(identity: &Identity) -> TallyExecutor {
    let Identity { genesis, id, key, context, .. } = identity.clone();
    let application = StateMachineApplication::new(Arc::new(Tally), &genesis.limits);
    Executor::new(&genesis, application, Signer { id, key, context })
}
