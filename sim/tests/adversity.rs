//! Networks that are disturbed in one way at a time, and clusters of which f stay broken for ever: agreement holds, and
//! n-f that are whole and connected go on.

use std::time::Duration;

use quorate_sim::campaign::world_with;
use quorate_sim::counters::{Counter, Counters};
use quorate_sim::options::{FaultOptions, Options};

/// Runs these seeds with seven members, nothing failing but what `change` lets fail.
fn run(seeds: std::ops::Range<u64>, change: impl Fn(&mut Options)) -> Counters {
    let mut counters = Counters::default();
    for seed in seeds {
        let world = world_with(seed, Some(7), |options: &mut Options| {
            options.byzantine.clear();
            options.faults = FaultOptions::none();
            change(options);
        });
        let ended = world.run();
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
fn partitions_of_every_shape_heal() {
    let counters = run(0..6, |options| {
        options.faults.partitions = 8;
        options.faults.outage = Duration::from_secs(1);
    });
    let shapes = [Counter::Partitions, Counter::OneWayCuts, Counter::Bridges, Counter::Rings, Counter::FlappingCuts];
    assert_all_happened(&counters, &shapes);
}

#[test]
fn clogs_and_filters_delay_and_lose_nothing_for_good() {
    let counters = run(100..106, |options| {
        (options.faults.clogs, options.faults.filters) = (4, 4);
        options.faults.outage = Duration::from_secs(1);
    });
    assert_all_happened(&counters, &[Counter::Clogs, Counter::CloggedMessages, Counter::FilteredMessages]);
}

/// The adversary lets everything pass but the vote that completes a quorum, and that one when it is of no use any more.
#[test]
fn votes_that_come_just_too_late_cost_views_and_no_agreement() {
    let counters = run(200..206, |options| options.faults.holds = 6);
    assert_all_happened(&counters, &[Counter::VotesHeld, Counter::VotesJustTooLate, Counter::ViewsEntered]);
}

#[test]
fn the_rest_goes_on_although_f_stay_broken_for_ever() {
    let counters = run(300..312, |options| options.faults.forsakes = true);
    let fates = [Counter::LeftDown, Counter::LeftCutOff, Counter::LeftWithoutRoom, Counter::LeftCrashing];
    assert_all_happened(&counters, &fates);
}
