//! Homes that lose what they had promised or what they had executed, one kind of mishap at a time: nobody contradicts
//! itself, and everybody votes again in the end.

use quorate_sim::campaign::world_with;
use quorate_sim::counters::{Counter, Counters};
use quorate_sim::disk::{Damage, Lie};
use quorate_sim::options::{FaultOptions, Options};
use quorate_sim::world::Mishap;

/// Runs these seeds with four members, nothing failing but what `change` lets fail.
fn run(seeds: std::ops::Range<u64>, change: impl Fn(&mut Options)) -> Counters {
    let mut counters = Counters::default();
    for seed in seeds {
        let ended = world_with(seed, Some(4), |options: &mut Options| {
            options.byzantine.clear();
            options.faults = FaultOptions::none();
            change(options);
        })
        .run();
        assert_eq!(ended.violation, None, "seed {seed}");
        counters.merge(&ended.counters);
    }
    counters
}

fn suffers(options: &mut Options, mishap: Mishap) {
    (options.faults.mishaps, options.faults.mishap) = (2, Some(mishap));
}

fn assert_all_happened(counters: &Counters, expected: &[Counter]) {
    let missing: Vec<_> = expected.iter().filter(|counter| counters.get(**counter) == 0).collect();
    assert!(missing.is_empty(), "{missing:?} never happened: {counters}");
}

#[test]
fn a_home_that_was_emptied_is_noticed_and_comes_back() {
    let counters = run(0..10, |options| suffers(options, Mishap::Wiped));
    assert_all_happened(&counters, &[Counter::WipedHomes, Counter::LossesNoticed, Counter::Recoveries]);
}

#[test]
fn a_home_that_was_set_back_is_noticed_and_comes_back() {
    let counters = run(100..112, |options| suffers(options, Mishap::OlderCopy));
    assert_all_happened(&counters, &[Counter::OlderCopies, Counter::LossesNoticed, Counter::Recoveries]);
}

#[test]
fn damaged_files_lose_no_promise_silently() {
    for (first, damage) in (200..).step_by(10).zip(Damage::ALL) {
        let counters = run(first..first + 6, |options| suffers(options, Mishap::Files(damage)));
        assert_all_happened(&counters, &[Counter::DamagedFiles]);
    }
}

#[test]
fn a_damaged_file_of_promises_costs_nothing_while_the_journal_is_whole() {
    for (first, damage) in (300..).step_by(10).zip(Damage::ALL) {
        let counters = run(first..first + 3, |options| suffers(options, Mishap::Promises(damage)));
        assert_all_happened(&counters, &[Counter::DamagedPromises]);
        assert_eq!(counters.get(Counter::StartsRecovering), 0, "{damage:?}: {counters}");
    }
}

/// What a disk confirmed and forgot is found out, or costs nobody anything.
#[test]
fn a_disk_that_lies_makes_nobody_contradict_itself() {
    let lies = [
        (Lie::Sync, Counter::ForgottenSyncs),
        (Lie::Rename, Counter::ForgottenRenames),
        (Lie::Write, Counter::MisdirectedWrites),
    ];
    for (first, (lie, counter)) in (700..).step_by(10).zip(lies) {
        let counters = run(first..first + 8, |options| suffers(options, Mishap::Lie(lie)));
        assert_all_happened(&counters, &[counter]);
    }
}

#[test]
fn a_file_that_rots_under_a_running_replica_loses_no_promise_silently() {
    let counters = run(750..758, |options| suffers(options, Mishap::Rot));
    assert_all_happened(&counters, &[Counter::RottenFiles]);
}

#[test]
fn a_lost_state_is_fetched_from_the_others() {
    let counters = run(400..412, |options| {
        suffers(options, Mishap::State);
        (options.machine.history_bytes, options.machine.segment_bytes) = (0, 8 << 10);
        options.machine.snapshots = 1000;
    });
    assert_all_happened(&counters, &[Counter::DamagedStates, Counter::StatesFetched, Counter::TransfersDone]);
}

/// One of four lies; the state comes from those who do not.
#[test]
fn a_source_that_lies_is_found_out_and_left() {
    let counters = run(500..512, |options| {
        options.byzantine = vec![quorate::ReplicaId(3)];
        (options.faults.lies, options.faults.crashes, options.faults.outage) =
            (1000, 4, std::time::Duration::from_secs(2));
        (options.machine.history_bytes, options.machine.segment_bytes) = (0, 8 << 10);
        (options.machine.snapshots, options.config.catch_up_slots_max) = (1000, 8);
        options.limits.checkpoint_interval = 4;
        options.clients.operations = 60;
    });
    assert_all_happened(&counters, &[Counter::SourceLies, Counter::SourcesSwitched, Counter::StatesFetched]);
}

#[test]
fn a_full_disk_stops_a_replica_from_voting_until_there_is_room() {
    let counters = run(600..610, |options| {
        options.faults.full_disks = 6;
        options.machine.segment_bytes = 8 << 10;
    });
    assert_all_happened(&counters, &[Counter::FullDisks]);
}
