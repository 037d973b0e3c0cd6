//! A campaign small enough for every run of the tests. It must see all that makes a campaign worth something.

use quorate_sim::campaign::{Summary, run_checked};
use quorate_sim::counters::Counter;

const SIZES: [u16; 6] = [4, 5, 6, 7, 10, 13];

/// Too rare for a small campaign.
const RARE: [Counter; 13] = [
    Counter::RealSignatures,
    Counter::BackOffs,
    Counter::CrashesInStart,
    Counter::CrashesAfterSnapshot,
    Counter::CrashesInTransfer,
    Counter::CrashesInInstall,
    Counter::NodesRejected,
    Counter::FullDiskAborts,
    Counter::GoalsMoved,
    Counter::ForgottenSyncs,
    Counter::ForgottenRenames,
    Counter::MisdirectedWrites,
    Counter::RottenFiles,
];

#[test]
fn no_rule_is_broken_in_200_seeds_and_everything_that_matters_happens() {
    let mut summary = Summary::default();
    for seed in 0..140 {
        summary.add(seed, run_checked(seed, None));
    }
    for (seed, members) in (140..200).zip(SIZES.into_iter().cycle()) {
        summary.add(seed, run_checked(seed, Some(members)));
    }
    assert_eq!(summary.failures, []);
    let missing: Vec<_> = summary.counters.missing().into_iter().filter(|counter| !RARE.contains(counter)).collect();
    assert_eq!(missing, [], "of {}", summary.counters);
}
