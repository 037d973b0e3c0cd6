//! One simulated replica: what a crash leaves, and what lives between two crashes.

use std::collections::VecDeque;
use std::sync::Arc;

use quorate::batch::CommittedBatch;
use quorate::core::{Identity, Order, Outgoing, Replica, Space};
use quorate::execution::state_fetch::StateFetch;
use quorate::execution::{Executor, Signer, StateMachineApplication, StateServer};
use quorate::messages::CheckpointCertificate;
use quorate::{Genesis, Instant, Now, ReplicaId, WallTime};

use super::damaging::{Broken, HomeCopy};
use super::queue::Life;
use super::stored_state::StoredState;
use crate::byzantine::Liar;
use crate::disk::{Persister, SimDisk};
use crate::tally::Tally;

pub(super) type TallyExecutor = Executor<StateMachineApplication<Tally>>;

/// When the simulated network was founded.
pub(super) const FOUNDED: WallTime = WallTime(1_700_000_000_000_000_000);

/// A place in the committee.
#[derive(Debug)]
pub(super) struct Node {
    pub identity: Identity,
    pub disk: SimDisk,
    /// Whether its home was made.
    pub is_furnished: bool,
    /// Its durable snapshots.
    pub state: StoredState,
    /// Somebody's copy of its home.
    pub copy: Option<HomeCopy>,
    /// Why it counts as faulty, if it does.
    pub broken: Option<Broken>,
    /// How far its wall clock is ahead of the slowest one.
    pub clock_error: u64,
    pub incarnation: u64,
    /// When its monotonic clock started.
    pub started: u64,
    /// `None` while it is down.
    pub running: Option<Running>,
    /// Only a Byzantine replica has one.
    pub liar: Option<Liar>,
}

/// What a crash ends.
#[derive(Debug)]
pub(super) struct Running {
    pub persister: Persister,
    pub replica: Replica,
    pub outbox: VecDeque<Held>,
    pub executor: TallyExecutor,
    pub work: VecDeque<Work>,
    pub is_working: bool,
    /// What others may fetch.
    pub server: StateServer,
    /// The state that is being fetched.
    pub fetch: Option<StateFetch>,
    /// The certificate of the fetched state that is being made durable, while the core has not heard of it.
    pub installing: Option<CheckpointCertificate>,
    pub transfer_timer: Option<u64>,
    /// Whether there was room on the disk when it was looked at last, and when it will be again.
    pub space: Space,
    pub space_at: u64,
    /// The certificate of the low watermark at the start, until the executor has come there.
    pub pending_stable: Option<CheckpointCertificate>,
    /// When the next timer event comes.
    pub timer: Option<u64>,
    /// How many deadlines in a row were reached at one moment, and which.
    pub spins: (u64, u32),
    /// How many views in a row it has asked for without entering one.
    pub targets: u32,
}

/// What waits for the disk.
#[derive(Debug)]
pub(super) struct Held {
    /// How many records must be durable before it leaves.
    pub needs: usize,
    pub send: Vec<Outgoing>,
    pub execute: Vec<Order>,
}

/// What the executor does next.
#[derive(Debug)]
pub(super) enum Work {
    Install,
    /// There is no state that the journal leads on from.
    ReportMissing,
    Replay(CommittedBatch),
    Order(Order),
}

impl Node {
    pub(super) fn id(&self) -> ReplicaId {
        self.identity.id
    }

    pub(super) fn life(&self) -> Life {
        Life { node: self.id(), incarnation: self.incarnation }
    }

    pub(super) fn is_correct(&self) -> bool {
        self.liar.is_none()
    }

    /// Its two clocks. The monotonic one starts with the process, as on a real machine.
    pub(super) fn now(&self, world: u64) -> Now {
        Now { monotonic: Instant(world - self.started), wall: WallTime(FOUNDED.0 + world + self.clock_error) }
    }

    /// The executor of a replica that starts: from its snapshot, or at the genesis.
    pub(super) fn load_executor(&self) -> TallyExecutor {
        let genesis: &Genesis = &self.identity.genesis;
        let application = StateMachineApplication::new(Arc::new(Tally), &genesis.limits);
        let Identity { id, key, context, .. } = self.identity.clone();
        let signer = Signer { id, key, context };
        let mut executor = Executor::new(genesis, application, signer);
        if let Some((state, certificate)) = self.state.newest().cloned() {
            executor.install(state, certificate).expect("a snapshot that was wholly written is read again");
        }
        executor
    }
}
