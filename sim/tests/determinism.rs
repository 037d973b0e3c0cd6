//! The same seed gives the same world, event by event, whatever watches it.

use quorate_sim::campaign::run_seed;
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
