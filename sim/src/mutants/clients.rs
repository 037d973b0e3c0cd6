//! Clients and their requests.

use quorate::mutants::Mutant;

use super::case::{Case, nothing_fails};
use crate::options::Options;

pub(super) const CASES: &[Case] = &[Case {
    mutant: Mutant::RequestWindowOffByOne,
    checkers: &["liveness", "exactly-once"],
    is_quick: true,
    members: 4,
    provoke: narrow_windows,
}];

/// Clients use all of their windows.
fn narrow_windows(options: &mut Options) {
    nothing_fails(options);
    (options.limits.client_window, options.clients.at_once) = (1, 8);
}
