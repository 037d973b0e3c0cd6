//! Twins: two honest cores with one key, all small scenarios and a sample of larger ones; and the canary.

use quorate_sim::twins::{Exploration, Interest, Kind, Moves, Part, Scenario, TwinWorld, find_fork, play, sample};
use quorate_sim::violation::Class;

fn found_nothing(exploration: &Exploration) {
    let failures: Vec<_> =
        exploration.failures.iter().map(|(scenario, violation)| format!("{scenario}: {violation}")).collect();
    assert_eq!(failures, Vec::<String>::new());
}

fn play_line(line: &str) -> TwinWorld {
    let scenario: Scenario = line.parse().expect("a scenario");
    play(TwinWorld::new(&scenario.cast), &scenario).expect("nothing panics")
}

#[test]
fn every_attack_of_one_round_with_one_twin_is_borne() {
    let kind = Kind { members: 4, twins: 1, rounds: 1, moves: Moves::Masks };
    let explored = kind.explore(Part::WHOLE, 2, &|_| ());
    found_nothing(&explored);
    assert_eq!((explored.scenarios, explored.all), (212, 556));
    let expected = [Interest::ProgressUnderAttack, Interest::ViewsEntered, Interest::DoubleVotes, Interest::Evidence];
    assert_eq!(explored.interests.missing(&expected), []);
}

#[test]
fn longer_attacks_and_two_twins_of_seven_are_borne_and_do_what_they_were_made_for() {
    let mut explored = sample(4, 0..150, 2, &|_| ());
    explored.merge(sample(7, 0..60, 2, &|_| ()));
    found_nothing(&explored);
    assert_eq!(explored.interests.missing(&Interest::EXPECTED), [], "of {}", explored.interests);
    let rarer = [Interest::PreparedReProposed, Interest::NullFills, Interest::Restarts];
    assert_eq!(explored.interests.missing(&rarer), [], "of {}", explored.interests);
}

/// Found here: the request of an assignment that another batch took the place of was never handed on again.
#[test]
fn what_a_twin_assigned_in_vain_is_executed_all_the_same() {
    for line in [
        "n=4 twins=0 / 0a 1 2|3 0b",
        "n=4 twins=0 / 0a 1|2 3 0b",
        "n=4 twins=1 / 0 1b|1a|2|3 / 1a 2 3|0 1b",
        // The slot of the assignment is taken when it comes.
        "n=4 twins=0 / 0a 1 3 0b|2 / 0a 1 3|2 0b / 0a 1|2 3 0b",
    ] {
        assert_eq!(play_line(line).violation(), None, "{line}");
    }
}

#[test]
fn a_slot_prepared_in_one_round_is_re_proposed_in_a_later_one() {
    let world = play_line("n=4 twins=3 / 0 1 2 3a|3b commits=lost / 0 2 3a 3b|1 commits=lost");
    assert_eq!(world.violation(), None);
    assert!(world.watch().interests.contains(&Interest::PreparedReProposed), "{:?}", world.watch().interests);
}

#[test]
fn the_same_scenario_goes_the_same_way() {
    let line = "n=4 twins=1 / 0 1a 2|3 1b commits=2 / 0 3 1b|1a 2 restart=2 / 0 1a 1b 2|3";
    let (first, again) = (play_line(line), play_line(line));
    assert_eq!((first.steps(), first.lasted()), (again.steps(), again.lasted()));
    assert_eq!(first.watch().executions, again.watch().executions);
}

/// What a scenario does must not depend on how many threads play.
#[test]
fn more_threads_find_the_same() {
    let (one, three) = (sample(4, 0..30, 1, &|_| ()), sample(4, 0..30, 3, &|_| ()));
    assert_eq!((one.steps, one.interests), (three.steps, three.interests));
}

#[test]
fn with_one_twin_too_many_the_checkers_report_a_fork_and_its_story_names_both_sides() {
    let found = find_fork(200).expect("a fork within 200 seeds");
    assert_eq!(found.violation.class, Class::Safety);
    let (seq, first, second) = found.world.watch().fork().expect("two correct replicas executed different batches");
    assert_ne!(first.digest, second.digest);
    assert_eq!(found.violation.checker, "agreement");
    let story = found.story();
    assert!(story.lines().count() <= 60 && story.contains(&format!("fork at slot {seq}:")), "{story}");
    for execution in [first, second] {
        let name = found.scenario.cast.name(execution.place);
        assert!(story.contains(&format!("{name} executes {:?}", execution.digest)), "{story}");
    }
}

#[test]
fn a_correct_replica_that_restarts_in_the_middle_of_an_attack_contradicts_nothing() {
    let line = "n=4 twins=0 / 0a 1 2|3 0b commits=lost / 1 2 3 0b|0a restart=2 / 0b 1 3|0a 2 restart=3";
    let world = play_line(line);
    assert_eq!(world.violation(), None);
    assert!(world.watch().interests.contains(&Interest::Restarts), "{:?}", world.watch().interests);
}
