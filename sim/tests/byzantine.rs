//! One behaviour at a time, always: every attack is made, and none breaks a rule.

use std::collections::BTreeMap;

use quorate::ReplicaId;
use quorate_sim::byzantine::clients::RogueBehaviour;
use quorate_sim::byzantine::{AttackPlan, Audience, Behaviour, Subject, Trigger};
use quorate_sim::campaign::world_with;
use quorate_sim::counters::{Counter, Counters};
use quorate_sim::options::{FaultOptions, Options};

/// Runs these seeds with this many members, of which f, from this one on, do all of this.
fn run(seeds: std::ops::Range<u64>, (members, first): (u16, u16), behaviours: &[Behaviour]) -> Counters {
    let plan = |behaviour: &Behaviour| AttackPlan { behaviour: *behaviour, trigger: Trigger::Always };
    let plans: Vec<_> = behaviours.iter().map(plan).collect();
    run_with(seeds, members, |options| {
        options.byzantine = (first..first + (members - 1) / 3).map(ReplicaId).collect();
        options.lying.attacks = options.byzantine.iter().map(|id| (*id, plans.clone())).collect();
    })
}

fn run_with(seeds: std::ops::Range<u64>, members: u16, change: impl Fn(&mut Options)) -> Counters {
    let mut counters = Counters::default();
    for seed in seeds {
        let ended = world_with(seed, Some(members), |options: &mut Options| {
            let outage = options.faults.outage;
            options.byzantine.clear();
            options.lying.attacks = BTreeMap::new();
            options.faults = FaultOptions { crashes: 6, outage, ..FaultOptions::none() };
            change(options);
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
fn a_primary_that_lies_forks_nothing() {
    let cases = [
        (Behaviour::Equivocate { ways: 2 }, Counter::Equivocations),
        (Behaviour::Equivocate { ways: 8 }, Counter::Equivocations),
        (Behaviour::Censor { client: 0 }, Counter::Censorships),
        (Behaviour::Slow, Counter::SlowProposals),
    ];
    for (first, (behaviour, counter)) in (0..).step_by(10).zip(cases) {
        assert_all_happened(&run(first..first + 3, (4, 0), &[behaviour]), &[counter]);
    }
}

/// The first primary is correct, and crashes.
#[test]
fn a_member_that_lies_about_votes_and_views_forks_nothing() {
    let cases = [
        (Behaviour::ConflictingVotes, Counter::ConflictingVotes),
        (Behaviour::WrongCheckpoint(Audience::All), Counter::WrongCheckpoints),
        (Behaviour::WrongCheckpoint(Audience::Some), Counter::WrongCheckpoints),
        (Behaviour::ForgedViewChange, Counter::ForgedViewChanges),
        (Behaviour::StaleViewChange(Audience::All), Counter::StaleViewChanges),
        (Behaviour::Amnesia, Counter::SetBacks),
    ];
    for (first, (behaviour, counter)) in (100..).step_by(10).zip(cases) {
        assert_all_happened(&run(first..first + 6, (4, 1), &[behaviour]), &[counter]);
    }
}

#[test]
fn silence_of_any_kind_stops_nobody() {
    for (first, subject) in (200..).step_by(10).zip(Subject::ALL) {
        let behaviours = [Audience::All, Audience::Some].map(|towards| Behaviour::Silence(subject, towards));
        for (first, behaviour) in (first..).step_by(3).zip(behaviours) {
            assert_all_happened(&run(first..first + 3, (4, 1), &[behaviour]), &[Counter::Silences]);
        }
    }
}

#[test]
fn what_is_a_little_off_old_foreign_or_far_ahead_harms_nobody() {
    let cases: [(Behaviour, &[Counter]); 8] = [
        (Behaviour::MutatedStatements, &[Counter::MutatedStatements, Counter::InvalidRefused]),
        (Behaviour::MutatedCertificates, &[Counter::MutatedCertificates, Counter::InvalidRefused]),
        (Behaviour::ForeignSignatures, &[Counter::ForeignEpochs, Counter::ForeignNetworks, Counter::InvalidRefused]),
        (Behaviour::Replays, &[Counter::Replays]),
        (Behaviour::Flood, &[Counter::Floods, Counter::OutsideWindow, Counter::FutureViews]),
        (Behaviour::LyingAnswers, &[Counter::LyingAnswers]),
        (Behaviour::LyingStatus, &[Counter::LyingStatuses]),
        (Behaviour::LyingReplies, &[Counter::LyingReplies]),
    ];
    for (first, (behaviour, counters)) in (300..).step_by(10).zip(cases) {
        assert_all_happened(&run(first..first + 4, (4, 1), &[behaviour]), counters);
    }
}

/// They vote for both sides of every fork, hide what is prepared and prove views that leave it out.
#[test]
fn two_of_seven_that_collude_fork_nothing() {
    let behaviours = [
        Behaviour::Equivocate { ways: 3 },
        Behaviour::StaleViewChange(Audience::Some),
        Behaviour::MisleadingNewView,
        Behaviour::ConflictingVotes,
    ];
    let counters = run(400..412, (7, 0), &behaviours);
    let expected = [
        Counter::Equivocations,
        Counter::StaleViewChanges,
        Counter::MisleadingNewViews,
        Counter::ChosenNewViews,
        Counter::Evidence,
    ];
    assert_all_happened(&counters, &expected);
}

#[test]
fn clients_that_lie_execute_nothing_twice_and_keep_nobody_from_being_served() {
    let counters = [
        Counter::RogueOperations,
        Counter::RogueSignatures,
        Counter::RogueNumbers,
        Counter::RogueRepeats,
        Counter::RogueFloods,
    ];
    for (first, (rogue, counter)) in (500..).step_by(10).zip(RogueBehaviour::ALL.into_iter().zip(counters)) {
        let found = run_with(first..first + 4, 4, |options| options.faults.rogues = vec![rogue; 2]);
        assert_all_happened(&found, &[counter]);
    }
}
