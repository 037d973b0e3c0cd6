//! Execution, checkpoints and states that come from others.

use std::time::Duration;

use quorate::ReplicaId;
use quorate::mutants::Mutant;

use super::case::{Case, lies, nothing_fails};
use crate::byzantine::{Behaviour, Trigger};
use crate::options::Options;
use crate::world::Mishap;

pub(super) const CASES: &[Case] = &[
    Case {
        mutant: Mutant::ChunkHashUnchecked,
        checkers: &["root-contents", "money", "agreement", "checkpoints"],
        is_quick: false,
        members: 7,
        provoke: lying_sources,
    },
    Case {
        mutant: Mutant::RootFromOnePeer,
        checkers: &["transfer"],
        is_quick: false,
        members: 7,
        provoke: lying_roots,
    },
    Case {
        mutant: Mutant::ClientTableLostAtTransfer,
        checkers: &["root-contents", "checkpoints", "exactly-once"],
        is_quick: true,
        members: 4,
        provoke: transfers,
    },
    Case {
        mutant: Mutant::NondeterministicExecution,
        checkers: &["agreement", "checkpoints"],
        is_quick: true,
        members: 4,
        provoke: restarts,
    },
    Case {
        mutant: Mutant::ExecutionOutOfOrder,
        checkers: &["contiguous-execution"],
        is_quick: true,
        members: 4,
        provoke: nothing_fails,
    },
    Case {
        mutant: Mutant::CheckpointWithoutClientTable,
        checkers: &["root-contents"],
        is_quick: true,
        members: 4,
        provoke: nothing_fails,
    },
];

/// Replicas lose their states and fetch that of the others.
fn transfers(options: &mut Options) {
    nothing_fails(options);
    options.faults.mishaps = 6;
    options.faults.mishap = Some(Mishap::Wiped);
    options.faults.outage = Duration::from_millis(100);
    (options.machine.history_bytes, options.machine.snapshots) = (0, 1000);
    (options.limits.checkpoint_interval, options.clients.keys) = (4, 256);
    (options.clients.count, options.clients.operations) = (4, 60);
    options.calm_at = Duration::from_secs(3);
}

/// One of two replicas that may be faulty says of every state that it is another, so that the other one may lose its own.
fn lying_roots(options: &mut Options) {
    transfers(options);
    (options.faults.mishaps, options.faults.mishap) = (20, Some(Mishap::State));
    lies(options, ReplicaId(6), Behaviour::LyingSource);
}

/// It names the right state half of the time, so that it is asked for nodes.
fn lying_sources(options: &mut Options) {
    lying_roots(options);
    for plan in options.lying.attacks.values_mut().flatten() {
        plan.trigger = Trigger::Probability(500);
    }
}

fn restarts(options: &mut Options) {
    nothing_fails(options);
    options.faults.crashes = 8;
    options.faults.outage = Duration::from_millis(50);
    options.machine.snapshots = 0;
}
