//! Clients and their requests.

use std::time::Duration;

use quorate::ReplicaId;
use quorate::mutants::Mutant;

use super::case::{Case, lies, nothing_fails};
use crate::byzantine::Behaviour;
use crate::options::Options;

pub(super) const CASES: &[Case] = &[
    Case {
        mutant: Mutant::RequestWindowOffByOne,
        checkers: &["liveness", "exactly-once"],
        is_quick: true,
        members: 4,
        provoke: narrow_windows,
    },
    Case {
        mutant: Mutant::OneReplyBelieved,
        checkers: &["answers", "linearizability"],
        is_quick: true,
        members: 4,
        provoke: lying_replies,
    },
    Case {
        mutant: Mutant::RequestNotForwarded,
        checkers: &["liveness"],
        is_quick: true,
        members: 4,
        provoke: censorship,
    },
];

/// Clients use all of their windows.
fn narrow_windows(options: &mut Options) {
    nothing_fails(options);
    (options.limits.client_window, options.clients.at_once) = (1, 8);
}

fn lying_replies(options: &mut Options) {
    nothing_fails(options);
    lies(options, ReplicaId(2), Behaviour::LyingReplies);
}

/// The primary passes over one client, while the others keep it busy for longer than anybody may have to wait.
fn censorship(options: &mut Options) {
    nothing_fails(options);
    lies(options, ReplicaId(0), Behaviour::Censor { client: 0 });
    options.network.delay = (Duration::from_micros(500), Duration::from_millis(2));
    options.machine.sync = (Duration::from_micros(50), Duration::from_micros(200));
    options.machine.execution = options.machine.sync;
    (options.config.timeout_ms, options.config.timeout_cap_ms) = (100, 200);
    (options.config.status_ms, options.config.status_stalled_ms) = (20, 20);
    (options.clients.count, options.clients.operations, options.clients.at_once) = (4, 4_000, 1);
    options.clients.retry = (Duration::from_millis(100), Duration::from_millis(200));
    options.calm_at = Duration::from_millis(500);
}
