//! Crashes at the points where they hurt most, and disks that fail: what left a replica stays true, and everything goes
//! on once the disks are well.

use quorate_sim::campaign::world_with;
use quorate_sim::counters::{Counter, Counters};
use quorate_sim::options::{FaultOptions, Options};

/// Runs these seeds with four members, nothing failing but what `change` lets fail.
fn run(seeds: std::ops::Range<u64>, change: impl Fn(&mut FaultOptions)) -> Counters {
    let mut counters = Counters::default();
    for seed in seeds {
        let ended = world_with(seed, Some(4), |options: &mut Options| {
            options.byzantine.clear();
            options.faults = FaultOptions { outage: options.faults.outage, ..FaultOptions::none() };
            change(&mut options.faults);
        })
        .run();
        assert_eq!(ended.violation, None, "seed {seed}");
        counters.merge(&ended.counters);
    }
    counters
}

fn assert_all_happened(counters: &Counters, expected: &[Counter]) {
    let missing: Vec<_> = expected.iter().filter(|counter| counters.get(**counter) == 0).collect();
    assert!(missing.is_empty(), "{missing:?} never happened: {counters}");
}

#[test]
fn a_crash_at_any_point_of_a_step_contradicts_nothing_that_was_said() {
    let counters = run(0..12, |faults| faults.crash_points = 10);
    assert_all_happened(
        &counters,
        &[
            Counter::CrashesBeforeWrite,
            Counter::CrashesAfterWrite,
            Counter::CrashesAfterSync,
            Counter::CrashesAfterSend,
            Counter::CrashesAfterApply,
            Counter::TornTails,
        ],
    );
}

#[test]
fn a_power_failure_in_the_middle_of_any_operation_on_the_disk_loses_nothing_durable() {
    let counters = run(100..112, |faults| faults.fuses = 20);
    assert_all_happened(&counters, &[Counter::CrashesInDiskOperation, Counter::CrashesInStart, Counter::LostRecords]);
}

#[test]
fn a_replica_whose_disk_refuses_a_sync_ends_and_comes_back_with_what_was_durable() {
    let counters = run(200..210, |faults| {
        faults.refused_syncs = 8;
        faults.crashes = 4;
    });
    assert_all_happened(&counters, &[Counter::FsyncAborts]);
}
