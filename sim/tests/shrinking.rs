//! A failing world made small: it fails in the same way, replays exactly from a file, and is drawn in few lines.

use quorate::ReplicaId;
use quorate_sim::options::Options;
use quorate_sim::shrink::{Progress, ScheduleFile, Shrunk, Subject, shrink};
use quorate_sim::violation::Class;

/// More attempts than that would take too long for a test.
const ATTEMPTS: f64 = 150.0;
const CHART_LINES: usize = 60;

/// Two of four replicas lie: agreement breaks sooner or later.
fn one_too_many(seed: u64) -> Subject {
    let mut subject = Subject::of_seed(seed, Some(4));
    let Options { byzantine, faults, lying, .. } = &mut subject.options;
    lying.attacks.clear();
    *byzantine = vec![ReplicaId(0), ReplicaId(1)];
    faults.equivocation = 1000;
    subject
}

/// The one of a few seeds that fails first: its failure is no rare one.
fn shrink_a_fork() -> Shrunk {
    let fork = |seed| {
        let failure = one_too_many(seed).fail(u64::MAX)?;
        (failure.violation.class == Class::Safety).then_some((failure.events, seed))
    };
    let (_, seed) = (0..20).filter_map(fork).min().expect("a fork within 20 seeds");
    let subject = one_too_many(seed);
    shrink(subject, &mut |progress: &Progress| progress.attempts as f64 / ATTEMPTS).expect("it fails")
}

#[test]
fn a_shrunk_world_is_smaller_fails_alike_and_replays_from_its_file() {
    let shrunk = shrink_a_fork();
    assert_eq!(shrunk.failure.violation.class, Class::Safety);
    assert!(shrunk.failure.events < shrunk.events_before, "{} events", shrunk.failure.events);

    let text = shrunk.to_file().to_text();
    let subject = ScheduleFile::parse(&text).and_then(|file| file.to_subject()).expect("it was written here");
    let failure = subject.fail(u64::MAX).expect("it fails again");
    assert_eq!((failure.violation, failure.events), (shrunk.failure.violation.clone(), shrunk.failure.events));

    let chart = shrunk.chart(CHART_LINES);
    println!("{}", chart.join("\n"));
    assert!(chart.len() <= CHART_LINES, "{} lines", chart.len());
    let text = chart.join(" ");
    assert!(text.contains("PrePrepare") && text.contains("contradicts itself"), "{text}");
    let last = chart.last().expect("lines").split_whitespace().last().expect("words");
    assert!(shrunk.failure.violation.text.contains(last), "the violation stands at the end: {last}");
}

#[test]
fn a_world_that_breaks_no_rule_is_not_shrunk() {
    assert!(shrink(Subject::of_seed(3, Some(4)), &mut |_| 0.0).is_none());
}
