//! Replicas that lag: one that lost single messages, one that was cut off for far longer than its window, one whose source
//! ends or is silent. They catch up by Status and by committed slots with their proofs, and slow down nobody.
//!
//! Keeps out: 15 (a decision delivered twice, by votes and by history), 19 (who lags can never come back), 27 (one slow
//! replica slows all others), 35 (a peer that claims heights that it has not), 38 (never finishes when its source dies).

use std::time::Duration;

use quorate::core::{Rejection, Report};
use quorate::messages::{Message, Status};
use quorate::{SeqNum, View};

use crate::support::{Cluster, K, L, Solo, World, at, digest, outputs, rejection};

const LONG_ENOUGH: Duration = Duration::from_millis(900);

#[test]
fn a_replica_cut_off_beyond_its_window_catches_up_and_slows_down_nobody() {
    let mut cluster = Cluster::new(4);
    cluster.drop_when(|envelope| envelope.to == 3 || envelope.from == 3);
    for number in 1..=5 * L + 3 {
        cluster.submit(0, number);
        assert_eq!(cluster.executed(1).last(), Some(&number), "the others do not wait");
    }
    cluster.heal();
    cluster.pass(LONG_ENOUGH);
    assert_eq!(cluster.executed(3), (1..=5 * L + 3).collect::<Vec<_>>());
    assert_eq!(cluster.replica(3).watermarks(), cluster.replica(1).watermarks());
    assert!(cluster.arrived(3, "fetch_committed") > 0);
    assert_eq!(cluster.replica(0).view(), View(0));

    // And it counts again: without it and another one nothing would commit.
    cluster.drop_when(|envelope| envelope.to == 2 || envelope.from == 2);
    cluster.submit(0, 5 * L + 4);
    assert_eq!(cluster.executed(3).last(), Some(&(5 * L + 4)));
}

#[test]
fn a_replica_catches_up_while_the_others_go_on() {
    let mut cluster = Cluster::new(4);
    cluster.drop_when(|envelope| envelope.to == 3);
    for number in 1..=3 * L {
        cluster.submit(0, number);
    }
    cluster.heal();
    for number in 3 * L + 1..=6 * L {
        cluster.submit(0, number);
        cluster.pass(Duration::from_millis(20));
    }
    cluster.pass(LONG_ENOUGH);
    assert_eq!(cluster.executed(3), (1..=6 * L).collect::<Vec<_>>(), "each once, in order");
}

#[test]
fn a_replica_catches_up_although_a_source_ends_and_another_one_says_nothing() {
    let mut cluster = Cluster::new(7);
    cluster.drop_when(|envelope| envelope.to == 6);
    for number in 1..=3 * L {
        cluster.submit(1, number);
    }
    cluster.crash(2);
    cluster.drop_when(|envelope| {
        envelope.to == 6 && envelope.from == 0 && matches!(envelope.message, Message::Committed(_))
    });
    cluster.pass(Duration::from_secs(3));
    assert_eq!(cluster.executed(6).len() as u64, 3 * L);
}

#[test]
fn a_restarted_replica_catches_up_with_what_was_committed_meanwhile() {
    let mut cluster = Cluster::new(4);
    for number in 1..=K + 2 {
        cluster.submit(0, number);
    }
    cluster.crash(3);
    for number in K + 3..=4 * L {
        cluster.submit(0, number);
    }
    cluster.restart(3);
    cluster.pass(LONG_ENOUGH);
    assert_eq!(cluster.executed(3), (1..=4 * L).collect::<Vec<_>>());
    cluster.crash(3);
    cluster.restart(3);
    cluster.submit(0, 4 * L + 1);
    cluster.pass(LONG_ENOUGH);
    assert_eq!(cluster.executed(3).len() as u64, 4 * L + 1, "after another restart too");
}

#[test]
fn a_message_of_any_kind_that_was_lost_once_is_made_good() {
    for kind in ["pre_prepare", "prepare", "commit", "checkpoint", "forward", "batch", "committed"] {
        let mut cluster = Cluster::new(4);
        // All of them are lost for a while, everywhere.
        cluster.drop_when(move |envelope| envelope.message.kind() == kind);
        for number in 1..=K + 1 {
            cluster.submit((number % 4) as u16, number);
        }
        cluster.pass(Duration::from_millis(100));
        cluster.heal();
        cluster.pass(Duration::from_secs(3));
        for id in cluster.ids() {
            let mut executed = cluster.executed(id);
            executed.sort_unstable();
            assert_eq!(executed, (1..=K + 1).collect::<Vec<_>>(), "replica {id} after losing {kind}");
            let checkpoint = cluster.world.genesis.limits.checkpoint_at_or_below(cluster.replica(0).execution().1);
            assert_eq!(cluster.replica(id).watermarks().0, checkpoint, "replica {id} after losing {kind}");
        }
    }
}

#[test]
fn a_body_is_asked_for_at_the_next_member_when_the_first_does_not_answer() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 3);
    let batch = world.batch(&[1]);
    let mut last = Vec::new();
    for member in [0, 1, 2] {
        last = outputs(&backup.receive(member, world.commit(member, at(0, 1), batch.digest(SeqNum(1)))));
    }
    assert_eq!(last, ["to 0: fetch_batch s1"]);
    let asked: Vec<_> = outputs(&backup.pass(Duration::from_millis(750)));
    assert_eq!(asked, ["to 1: fetch_batch s1", "to 2: fetch_batch s1", "to 0: fetch_batch s1"]);
    let wrong = backup.receive(0, Message::Batch { seq: SeqNum(1), batch: world.batch(&[2]) });
    assert_eq!(rejection(&wrong), Some(Rejection::NotAskedFor), "whoever lies about the content is not believed");
}

#[test]
fn votes_and_history_together_do_not_execute_a_slot_twice() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    let actions = backup.commit(1, &[1]);
    backup.execute(&actions);
    let again =
        backup.receive(2, Message::Committed(vec![world.committed_slot(1, &[1]), world.committed_slot(2, &[2])]));
    assert_eq!(outputs(&again), ["journal batch s2", "journal committed v0 s2", "apply s2"]);
    for member in [0, 2, 3] {
        let digest = world.batch(&[2]).digest(SeqNum(2));
        assert!(!outputs(&backup.receive(member, world.commit(member, at(0, 2), digest))).contains(&"apply s2".into()));
    }
}

#[test]
fn history_with_a_gap_is_not_executed_before_the_gap_is_filled() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    let later =
        backup.receive(2, Message::Committed(vec![world.committed_slot(2, &[2]), world.committed_slot(3, &[3])]));
    assert!(outputs(&later).is_empty());
    let beyond = backup.receive(2, Message::Committed(vec![world.committed_slot(L + 1, &[9])]));
    assert!(outputs(&beyond).is_empty());
    let filled = backup.receive(2, Message::Committed(vec![world.committed_slot(1, &[1])]));
    let applied: Vec<_> = outputs(&filled).into_iter().filter(|line| line.starts_with("apply")).collect();
    assert_eq!(applied, ["apply s1", "apply s2", "apply s3"]);
}

#[test]
fn history_that_nobody_asked_for_does_not_fill_the_queue_of_the_executor() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    for seq in 1..=10 * L {
        backup.receive(2, Message::Committed(vec![world.committed_slot(seq, &[seq])]));
    }
    let (ordered, executed) = backup.replica.execution();
    assert!(ordered.since(executed) <= L + 1, "{} slots wait for the executor", ordered.since(executed));
}

#[test]
fn a_peer_that_claims_a_height_it_has_not_does_not_stop_the_others_from_helping() {
    let mut cluster = Cluster::new(4);
    cluster.drop_when(|envelope| envelope.to == 3);
    for number in 1..=2 * L {
        cluster.submit(0, number);
    }
    // Member 2 claims the greatest height, and answers nothing.
    let claim = Status { executed: SeqNum(u64::MAX), ..cluster.replica(2).status() };
    cluster.drop_when(|envelope| {
        (envelope.from == 2
            && envelope.to == 3
            && !matches!(&envelope.message, Message::Status(status) if status.executed == SeqNum(u64::MAX)))
            || (envelope.from == 3 && envelope.to == 2)
    });
    cluster.inject(2, 3, Message::Status(claim));
    cluster.pass(Duration::from_secs(3));
    assert_eq!(cluster.executed(3).len() as u64, 2 * L);
}

#[test]
fn questions_are_answered_from_the_journal_and_not_without_end() {
    let world = World::new(4);
    let mut replica = Solo::new(&world, 1);
    for seq in 1..=3 {
        replica.commit_and_execute(seq, &[seq]);
    }
    let question = |after, to| Message::FetchCommitted { after: SeqNum(after), to: SeqNum(to) };
    assert_eq!(outputs(&replica.receive(2, question(1, u64::MAX))), ["to 2: history (1, 3]"]);
    for (after, to) in [(3, 9), (5, 2), (u64::MAX, u64::MAX), (0, 0)] {
        assert_eq!(rejection(&replica.receive(2, question(after, to))), Some(Rejection::NotAskedFor));
    }
    let executed = Message::FetchBatch { seq: SeqNum(2), digest: digest("any") };
    assert_eq!(outputs(&replica.receive(2, executed)), ["to 2: history (1, 2]"]);
    let refused = (0..200).filter(|_| rejection(&replica.receive(2, question(0, 3))) == Some(Rejection::RateLimited));
    assert!(refused.count() >= 100);
    assert_eq!(outputs(&replica.receive(3, question(0, 3))), ["to 3: history (0, 3]"], "others are still answered");
}

#[test]
fn an_installed_state_is_where_execution_goes_on() {
    let world = World::new(4);
    let mut source = Solo::new(&world, 2);
    for seq in 1..=3 {
        source.commit_and_execute(seq, &[seq]);
    }
    let mut replica = Solo::not_installed(&world, 1, quorate::core::Recovered::default());
    replica.executor = source.executor.clone();
    let installed = replica.executor.installed();
    assert!(matches!(installed, Report::Installed { seq: SeqNum(3), .. }));
    replica.step(quorate::core::Event::Executor(installed));
    let next = replica.receive(2, Message::Committed(vec![world.committed_slot(4, &[4])]));
    assert_eq!(outputs(&next), ["journal batch s4", "journal committed v0 s4", "apply s4"]);
    let known = replica.request(world.request(0, 2));
    assert_eq!(outputs(&known), ["resend 2"], "the loaded state knows what was executed");
}
