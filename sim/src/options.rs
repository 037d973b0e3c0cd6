//! What differs from seed to seed (swarm testing): sizes, limits, time-outs, and the rate of every fault, some of them
//! zero.

use std::time::Duration;

use quorate::genesis::Limits;
use quorate::{NodeConfig, ReplicaId};

use crate::choices::Choices;
use crate::world::Mishap;

/// Everything that is drawn once for a world.
#[derive(Clone, Debug)]
pub struct Options {
    /// n.
    pub members: u16,
    /// The Byzantine replicas, at most f.
    pub byzantine: Vec<ReplicaId>,
    /// Whether Ed25519 signs instead of a keyed hash.
    pub real_signatures: bool,
    /// The limits of the genesis.
    pub limits: Limits,
    /// The configuration of every replica.
    pub config: NodeConfig,
    /// What the clients do.
    pub clients: ClientOptions,
    /// What the network does before it calms down.
    pub network: NetworkOptions,
    /// How long disks and executors take.
    pub machine: MachineOptions,
    /// What breaks before the network calms down.
    pub faults: FaultOptions,
    /// GST, the global stabilisation time: from here on every replica runs and every message arrives in time.
    pub calm_at: Duration,
}

/// The clients.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// How many.
    pub count: u64,
    /// How many operations each submits.
    pub operations: u64,
    /// How many may be under way at once for each.
    pub at_once: usize,
    /// How many different keys the operations touch.
    pub keys: u64,
    /// The longest pause between two.
    pub pause: Duration,
    /// The first and the longest pause before a request is sent again.
    pub retry: (Duration, Duration),
}

/// The network.
#[derive(Clone, Debug)]
pub struct NetworkOptions {
    /// The shortest and longest usual delay.
    pub delay: (Duration, Duration),
    /// Per mille of messages that are lost.
    pub loss: u64,
    /// Per mille that arrive twice.
    pub duplication: u64,
    /// Per mille that take up to twenty times the longest usual delay.
    pub straggling: u64,
    /// Per mille of messages that go through the codec.
    pub encoded: u64,
    /// Whether replicas learn of broken connections.
    pub notices_links: bool,
    /// Whether calls between two members keep their order.
    pub keeps_order: bool,
}

/// Disks and executors.
#[derive(Clone, Debug)]
pub struct MachineOptions {
    /// The shortest and longest sync.
    pub sync: (Duration, Duration),
    /// The shortest and longest execution of a batch.
    pub execution: (Duration, Duration),
    /// Per mille of stable checkpoints of which a snapshot is written.
    pub snapshots: u64,
    /// The size of a segment of a journal, and how much history is kept.
    pub segment_bytes: u64,
    /// How much history a journal keeps below its low watermark.
    pub history_bytes: u64,
    /// How many slots an answer from the journal carries at most.
    pub history_slots: u64,
    /// How far wall clocks are off, at most.
    pub clock_error: Duration,
}

/// What breaks.
#[derive(Clone, Debug)]
pub struct FaultOptions {
    /// How often up to f replicas crash at once.
    pub crashes: u64,
    /// How often all replicas crash at once.
    pub blackouts: u64,
    /// How often the network is cut in some way.
    pub partitions: u64,
    /// The longest that a replica is down or the network cut.
    pub outage: Duration,
    /// Per mille of syncs during which the replica crashes.
    pub crash_in_sync: u64,
    /// Per mille of the other points of a crash at which there is one.
    pub crash_points: u64,
    /// How often the power fails in the middle of an operation on a disk.
    pub fuses: u64,
    /// How often a sync fails.
    pub refused_syncs: u64,
    /// How often a home is damaged, as far as the cluster bears it.
    pub mishaps: u64,
    /// What happens to it, instead of something drawn.
    pub mishap: Option<Mishap>,
    /// How often a disk becomes full for a while.
    pub full_disks: u64,
    /// Per mille of a Byzantine source's answers that are lies.
    pub lies: u64,
    /// Per mille of proposals of a Byzantine primary that it makes twice.
    pub equivocation: u64,
}

/// A member is let back in once in this time, so that a faulty one cannot make the others work for nothing.
const READMISSION_PAUSE: Duration = Duration::from_secs(600);

impl FaultOptions {
    /// Nothing breaks.
    #[must_use]
    pub fn none() -> Self {
        FaultOptions {
            crashes: 0,
            blackouts: 0,
            partitions: 0,
            outage: Duration::from_millis(300),
            crash_in_sync: 0,
            crash_points: 0,
            fuses: 0,
            refused_syncs: 0,
            mishaps: 0,
            mishap: None,
            full_disks: 0,
            lies: 0,
            equivocation: 0,
        }
    }
}

impl Options {
    /// The options of a seed, for a committee of `members` or one of drawn size.
    pub fn draw(choices: &mut Choices, members: Option<u16>) -> Self {
        let drawn = choices.pick(&[4, 4, 4, 4, 5, 6, 7, 7, 10, 13]);
        let members = members.unwrap_or(drawn);
        let byzantine = draw_byzantine(choices, members);
        let network = draw_network(choices);
        let machine = draw_machine(choices);
        let config = draw_config(choices, &network, &machine);
        let calm_at = Duration::from_millis(choices.between(500, 6_000));
        Options {
            members,
            byzantine,
            real_signatures: choices.chance(5),
            limits: draw_limits(choices),
            clients: draw_clients(choices, members),
            network,
            machine,
            config,
            faults: draw_faults(choices),
            calm_at,
        }
    }

    /// f.
    #[must_use]
    pub fn faulty_max(&self) -> u64 {
        (u64::from(self.members) - 1) / 3
    }

    /// Δ: how long anything takes at most once the network is calm.
    #[must_use]
    pub fn calm_delay(&self) -> Duration {
        self.network.delay.1
    }

    /// X: how long an operation may take once the network is calm.
    #[must_use]
    pub fn patience(&self) -> Duration {
        let view_changes = u32::try_from(2 * (self.faulty_max() + 1)).unwrap_or(u32::MAX);
        let catch_up = Duration::from_secs(5) + (self.machine.execution.1 + self.machine.sync.1) * 200;
        let ordering = self.config.timeout_cap() * view_changes + self.calm_delay() * 10 + catch_up;
        ordering + self.clients.retry.1 * (2 * (1 + self.pools_of_requests()))
    }

    /// How long it may take beyond that until a replica that has lost promises votes again: the others propose empty
    /// batches for up to three windows, and hand on the lead, which they do for a member once in ten minutes.
    #[must_use]
    pub fn comeback(&self) -> Duration {
        if self.faults.mishaps == 0 && self.faults.refused_syncs == 0 {
            return Duration::ZERO;
        }
        let slots = u32::try_from(4 * self.limits.window()).unwrap_or(u32::MAX);
        let machine = self.machine.sync.1 * 4 + self.machine.execution.1;
        (self.calm_delay() * 6 + machine) * slots + self.config.timeout_cap() * 8 + READMISSION_PAUSE
    }

    /// How many full pools the requests make that may wait at once. Those that find no room come again after the
    /// clients' longest pause; a client that W members sent away skips one sending.
    fn pools_of_requests(&self) -> u32 {
        let waiting = self.clients.count * self.clients.at_once as u64;
        u32::try_from(waiting.div_ceil(self.config.pool_requests_max)).unwrap_or(u32::MAX)
    }
}

fn draw_byzantine(choices: &mut Choices, members: u16) -> Vec<ReplicaId> {
    let most = usize::from((members - 1) / 3);
    let count = if choices.chance(550) { most } else { 0 };
    let all: Vec<_> = (0..members).map(ReplicaId).collect();
    if count > 0 && choices.chance(500) {
        // The first primary leads longest.
        let mut chosen = vec![ReplicaId(0)];
        chosen.extend(choices.subset(&all[1..], count - 1));
        return chosen;
    }
    choices.subset(&all, count)
}

fn draw_limits(choices: &mut Choices) -> Limits {
    Limits {
        checkpoint_interval: choices.pick(&[1, 2, 4, 4, 8, 8, 16, 32]),
        client_window: choices.pick(&[1, 2, 4, 16, 64]),
        operation_bytes_max: 64,
        batch_requests_max: choices.pick(&[1, 1, 2, 4, 16]),
        batch_bytes_max: 4096,
        ..Limits::default()
    }
}

fn draw_clients(choices: &mut Choices, members: u16) -> ClientOptions {
    let operations = if members > 7 { choices.between(3, 15) } else { choices.between(5, 40) };
    let first = Duration::from_millis(choices.between(50, 500));
    ClientOptions {
        count: choices.between(1, 4),
        operations,
        at_once: usize::try_from(choices.between(1, 8)).unwrap_or(1),
        keys: choices.pick(&[4, 32, 256]),
        pause: Duration::from_millis(choices.pick(&[1, 20, 100, 400])),
        retry: (first, first * 8),
    }
}

fn draw_network(choices: &mut Choices) -> NetworkOptions {
    let shortest = Duration::from_micros(choices.between(50, 1_000));
    let longest = Duration::from_millis(choices.pick(&[1, 3, 10, 40]));
    NetworkOptions {
        delay: (shortest, shortest + longest),
        loss: choices.pick(&[0, 0, 5, 20, 100, 250]),
        duplication: choices.pick(&[0, 0, 10, 100]),
        straggling: choices.pick(&[0, 0, 10, 50]),
        encoded: choices.pick(&[20, 100, 1000]),
        notices_links: choices.chance(500),
        keeps_order: choices.chance(300),
    }
}

fn draw_machine(choices: &mut Choices) -> MachineOptions {
    let sync = Duration::from_micros(choices.pick(&[20, 200, 1_000, 5_000]));
    let execution = Duration::from_micros(choices.pick(&[20, 100, 500, 3_000]));
    MachineOptions {
        sync: (sync / 4, sync * 3),
        execution: (execution / 4, execution * 3),
        snapshots: choices.pick(&[0, 200, 1000]),
        segment_bytes: choices.pick(&[8 << 10, 64 << 10, 512 << 10]),
        history_bytes: choices.pick(&[0, 0, 16 << 10, 1 << 40]),
        history_slots: choices.pick(&[1, 4, 16, 256]),
        clock_error: Duration::from_millis(choices.pick(&[0, 5, 200])),
    }
}

/// T may be too short for the network at first: it grows up to its cap, which is long enough.
fn draw_config(choices: &mut Choices, network: &NetworkOptions, machine: &MachineOptions) -> NodeConfig {
    let needed =
        u64::try_from((network.delay.1 * 8 + machine.sync.1 * 4 + machine.execution.1).as_millis()).unwrap_or(1);
    let timeout_ms = (needed * choices.between(1, 8)).clamp(50, 2_000);
    let status_ms = (timeout_ms / choices.between(2, 10)).clamp(10, 100);
    NodeConfig {
        timeout_ms,
        timeout_cap_ms: timeout_ms.max(needed * 4) * choices.pick(&[2, 4, 16]),
        link_grace_ms: choices.between(10, 250),
        status_ms,
        status_stalled_ms: choices.between(status_ms / 2, status_ms).max(5),
        pipeline_depth: choices.pick(&[1, 2, 8, 64]),
        batch_delay_us: choices.pick(&[0, 1_000, 5_000]),
        clock_drift_max_ms: 500,
        catch_up_slots_max: choices.pick(&[8, 64, 1 << 15]),
        pool_requests_max: choices.pick(&[4, 64, 1024]),
        ..NodeConfig::default()
    }
}

fn draw_faults(choices: &mut Choices) -> FaultOptions {
    FaultOptions {
        crashes: choices.pick(&[0, 1, 3, 8]),
        blackouts: choices.pick(&[0, 0, 1, 2]),
        partitions: choices.pick(&[0, 0, 1, 4]),
        outage: Duration::from_millis(choices.pick(&[20, 300, 2_000])),
        crash_in_sync: choices.pick(&[0, 0, 2, 10]),
        crash_points: choices.pick(&[0, 0, 1, 3]),
        fuses: choices.pick(&[0, 0, 2, 6]),
        mishaps: choices.pick(&[0, 0, 1, 2]),
        mishap: None,
        full_disks: choices.pick(&[0, 0, 1, 3]),
        lies: choices.pick(&[100, 500, 1000]),
        refused_syncs: choices.pick(&[0, 0, 1, 3]),
        equivocation: choices.pick(&[200, 500, 1000]),
    }
}
