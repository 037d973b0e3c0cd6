//! One member is slow: its messages take seconds, or its executor does. A quorum of the others orders exactly as much as
//! without it and suspects nobody, and the slow one comes to the same history.
//!
//! Keeps out: 27 (one slow replica slows all others down).

use std::time::Duration;

use quorate::View;
use quorate::messages::Standing;

use crate::support::{Cluster, Fate, L};

/// The slow one.
const SLOW: u16 = 3;
/// A request comes every 50 ms.
const PAUSE: Duration = Duration::from_millis(50);
/// How many come, which is for many windows.
const REQUESTS: u64 = 20 * L;
/// After so many requests something is done by, or arrives at or from, the slow one: two seconds.
const SLOWNESS: u64 = 40;

/// All requests come, each is executed by the others at once, and nobody thinks of another view.
fn assert_others_do_not_wait(cluster: &mut Cluster, mut slow_one_moves: impl FnMut(&mut Cluster)) {
    for number in 1..=REQUESTS {
        cluster.submit(0, number);
        for id in [0, 1, 2] {
            assert_eq!(cluster.executed(id).last(), Some(&number), "replica {id} waits");
        }
        cluster.pass(PAUSE);
        if number % SLOWNESS == 0 {
            slow_one_moves(cluster);
        }
    }
    for id in [0, 1, 2] {
        assert_eq!(cluster.executed(id), (1..=REQUESTS).collect::<Vec<_>>());
        assert_eq!((cluster.replica(id).view(), cluster.suspicions(id)), (View(0), Vec::new()), "replica {id}");
    }
}

/// Once it is as fast as the others it has what they have.
fn assert_comes_back(cluster: &mut Cluster) {
    cluster.pass(Duration::from_secs(5));
    assert_eq!(cluster.executed(SLOW), cluster.executed(0));
    assert_eq!(cluster.replica(SLOW).standing(), Standing::Voting);
    cluster.submit(0, REQUESTS + 1);
    assert_eq!(cluster.executed(SLOW).last(), Some(&(REQUESTS + 1)));
}

#[test]
fn a_member_whose_messages_take_seconds_does_not_slow_the_others() {
    let mut cluster = Cluster::new(4);
    let through_it = |from, to| from == SLOW || to == SLOW;
    cluster.rule(move |envelope| if through_it(envelope.from, envelope.to) { Fate::Hold } else { Fate::Deliver });
    assert_others_do_not_wait(&mut cluster, Cluster::release);
    cluster.heal();
    assert_comes_back(&mut cluster);
}

#[test]
fn a_member_that_executes_slowly_does_not_slow_the_others() {
    let mut cluster = Cluster::new(4);
    cluster.nodes[usize::from(SLOW)].executes_slowly = true;
    assert_others_do_not_wait(&mut cluster, |cluster| cluster.execute_one(SLOW));
    assert!(cluster.executed(SLOW).len() < cluster.executed(0).len() / 10, "it is slow");
    cluster.nodes[usize::from(SLOW)].executes_slowly = false;
    for _ in 0..REQUESTS {
        cluster.execute_one(SLOW);
    }
    assert_comes_back(&mut cluster);
}
