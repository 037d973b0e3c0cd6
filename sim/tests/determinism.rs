//! The same seed gives the same world, event by event, whatever watches it, in every process. That a debug and a release
//! build agree, too, is a step of `.ci/run`.

use std::process::Command;

use quorate_sim::campaign::{Summary, run_checked, run_seed};
use quorate_sim::transcript::Transcript;

#[test]
fn a_seed_gives_the_same_trace_every_time() {
    let trace = |seed, transcript| {
        let ended = run_seed(seed, None, transcript).expect("no seed panics");
        (ended.trace, ended.events, ended.counters)
    };
    let traces: Vec<_> = (500..505).map(|seed| trace(seed, Transcript::default())).collect();
    let again: Vec<_> = (500..505).map(|seed| trace(seed, Transcript::keeping(10))).collect();
    assert_eq!(traces, again);
    assert!(traces.windows(2).all(|pair| pair[0].0 != pair[1].0), "different seeds are different worlds");
}

#[test]
fn another_process_with_more_threads_sees_the_same_worlds() {
    let mut summary = Summary::default();
    for seed in 500..505 {
        summary.add(seed, run_checked(seed, None));
    }
    let arguments = ["run", "--from", "500", "--seeds", "5", "--jobs", "3"];
    let output = Command::new(env!("CARGO_BIN_EXE_quorate-sim")).args(arguments).output().expect("it runs");
    let text = String::from_utf8(output.stdout).expect("text");
    let line = text.lines().find(|line| line.contains("trace of all seeds")).expect("the trace is printed");
    assert!(line.contains(&format!("{:016x}", summary.trace)), "{line} is not {:016x}", summary.trace);
}
