//! View changes.

use std::time::Duration;

use quorate::ReplicaId;
use quorate::mutants::Mutant;

use super::case::{Case, nothing_fails};
use crate::options::Options;

pub(super) const CASES: &[Case] = &[
    Case {
        mutant: Mutant::LowestViewWins,
        checkers: &["re-proposals", "new-views", "evidence"],
        is_quick: false,
        members: 4,
        provoke: many_views,
    },
    Case {
        mutant: Mutant::CommittedSlotNulled,
        checkers: &["re-proposals", "new-views", "evidence"],
        is_quick: true,
        members: 4,
        provoke: many_views,
    },
    Case {
        mutant: Mutant::NoBackOff,
        checkers: &["liveness", "view-changes"],
        is_quick: true,
        members: 4,
        provoke: hurried,
    },
    Case {
        mutant: Mutant::NoJoin,
        checkers: &["liveness", "view-changes"],
        is_quick: false,
        members: 4,
        provoke: many_views,
    },
];

/// The network is cut again and again, and replicas lose patience soon.
fn many_views(options: &mut Options) {
    nothing_fails(options);
    options.faults.partitions = 12;
    options.faults.outage = Duration::from_millis(300);
    options.network.loss = 150;
    options.network.delay = (Duration::from_millis(1), Duration::from_millis(5));
    options.machine.sync = (Duration::from_micros(100), Duration::from_millis(1));
    options.machine.execution = options.machine.sync;
    (options.config.timeout_ms, options.config.timeout_cap_ms) = (60, 1_920);
    options.calm_at = Duration::from_secs(4);
}

/// The time-out is much shorter than it takes to order anything.
fn hurried(options: &mut Options) {
    nothing_fails(options);
    options.byzantine = vec![ReplicaId(0)];
    options.network.delay = (Duration::from_millis(20), Duration::from_millis(40));
    (options.config.timeout_ms, options.config.timeout_cap_ms) = (20, 5_000);
}
