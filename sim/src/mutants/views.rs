//! View changes.

use std::time::Duration;

use quorate::ReplicaId;
use quorate::mutants::Mutant;

use super::case::{Case, lies, nothing_fails};
use crate::byzantine::{Audience, Behaviour, Subject};
use crate::options::Options;

pub(super) const CASES: &[Case] = &[
    Case {
        mutant: Mutant::ReProposalsTrusted,
        checkers: &["new-views", "re-proposals"],
        is_quick: true,
        members: 4,
        provoke: misleading_new_views,
    },
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
        mutant: Mutant::ViewChangeUnverified,
        checkers: &["forgery"],
        is_quick: true,
        members: 4,
        provoke: forged_view_changes,
    },
    Case {
        mutant: Mutant::UnprovenStable,
        checkers: &["forgery"],
        is_quick: true,
        members: 4,
        provoke: forged_view_changes,
    },
    Case { mutant: Mutant::NoBackOff, checkers: &["liveness"], is_quick: true, members: 4, provoke: hurried },
    Case {
        mutant: Mutant::NoJoin,
        checkers: &["liveness", "view-changes"],
        is_quick: false,
        members: 4,
        provoke: silence,
    },
    Case { mutant: Mutant::UnboundedFutureViews, checkers: &["memory"], is_quick: true, members: 4, provoke: flood },
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
    (options.config.status_ms, options.config.status_stalled_ms) = (10, 10);
    options.calm_at = Duration::from_secs(4);
}

/// One replica never says anything: every other one is needed in the view that f+1 of them ask for.
fn silence(options: &mut Options) {
    many_views(options);
    lies(options, ReplicaId(3), Behaviour::Silence(Subject::Everything, Audience::All));
}

/// The time-out is shorter than any message takes: without more patience no view is entered by all. Every executed request
/// takes the patience away again, so that no number of view changes would be too large: the pool is small.
fn hurried(options: &mut Options) {
    nothing_fails(options);
    options.network.delay = (Duration::from_millis(20), Duration::from_millis(40));
    options.machine.sync = (Duration::from_micros(100), Duration::from_millis(1));
    options.machine.execution = options.machine.sync;
    (options.config.timeout_ms, options.config.timeout_cap_ms) = (10, 2_560);
    (options.config.status_ms, options.config.status_stalled_ms) = (5, 5);
    (options.clients.count, options.clients.operations, options.clients.at_once) = (1, 6, 6);
    options.config.pool_requests_max = 4;
}

fn misleading_new_views(options: &mut Options) {
    many_views(options);
    lies(options, ReplicaId(1), Behaviour::MisleadingNewView);
}

fn forged_view_changes(options: &mut Options) {
    many_views(options);
    lies(options, ReplicaId(1), Behaviour::ForgedViewChange);
}

/// Somebody asks for all views to come.
fn flood(options: &mut Options) {
    nothing_fails(options);
    lies(options, ReplicaId(3), Behaviour::Flood);
    options.lying.pause = Duration::from_millis(5);
}
