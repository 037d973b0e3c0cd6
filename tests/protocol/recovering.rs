//! A replica that comes back with less than it had signed: its disk lost records, its home was set back, or it is used
//! twice. Its peers tell it what they hold with its signature; until that binds no more it signs nothing that could
//! contradict it, and the others let it back in.
//!
//! Keeps out: 13 (another vote after a restart), 19 (a replica that lags in views never rejoins), 32 (a guard against
//! double signing that checks nothing), 33 (a restored backup signs twice), 34 (after losing everything at once every
//! replica starts in an old view), 49 (nobody can say why a replica does not vote).

use std::time::Duration;

use quorate::core::{Event, JournalRecord, LostPromises, Notice, Promises, Recovered, Recovery, Space};
use quorate::messages::{Bounds, HeldVotes, Message, Standing};
use quorate::{ReplicaId, SeqNum, View};

use crate::support::{Cluster, K, L, Solo, World, at, outputs, recovered};

fn bounds(view: u64, seq: u64) -> Bounds {
    Bounds { view: View(view), seq: SeqNum(seq) }
}

/// Whether anything in these lines carries a new signature of a vote or of a view change.
fn signs(lines: &[String]) -> bool {
    ["pre_prepare v", "prepare v", "commit v", "view_change v", "new_view v", "checkpoint s"]
        .iter()
        .any(|kind| lines.iter().any(|line| line.starts_with("to ") && line.contains(kind)))
}

#[test]
fn a_replica_signs_nothing_before_its_peers_have_said_what_they_hold_of_it() {
    let world = World::new(4);
    let mut solo = Solo::unchecked(&world, 1, Recovered::default());
    let start = solo.step(Event::Executor(solo.executor.installed()));
    assert_eq!(outputs(&start).iter().filter(|line| line.ends_with("fetch_votes of 1")).count(), 3, "it asks all");
    assert_eq!(solo.replica.standing(), Standing::Checking);
    let proposal = world.proposal(at(0, 1), &world.batch(&[1]));
    assert!(!signs(&outputs(&solo.receive(0, proposal.clone()))));
    assert!(!signs(&outputs(&solo.receive(0, Message::Votes(world.no_votes(1))))), "one answer of two");
    assert!(!signs(&outputs(&solo.receive(0, Message::Votes(world.no_votes(1))))), "the same one twice");
    assert!(!signs(&outputs(&solo.pass(Duration::from_secs(5)))), "it suspects nobody meanwhile");
    solo.receive(2, Message::Votes(world.no_votes(1)));
    assert_eq!(solo.replica.standing(), Standing::Voting);
    let voted = solo.receive(0, proposal);
    assert!(outputs(&voted).contains(&"to all: prepare v0 s1".to_owned()), "{:?}", outputs(&voted));
}

#[test]
fn a_whole_cluster_that_starts_at_once_passes_the_check() {
    let mut cluster = Cluster::new(4);
    for number in 1..=K + 1 {
        cluster.submit(0, number);
    }
    cluster.checks_at_start = false;
    for id in 0..4 {
        cluster.crash(id);
    }
    for id in 0..4 {
        cluster.restart(id);
    }
    cluster.pass(Duration::from_millis(300));
    assert_eq!([0, 1, 2, 3].map(|id| cluster.replica(id).standing()), [Standing::Voting; 4]);
    cluster.submit(0, K + 2);
    assert_eq!(cluster.executed(2).last(), Some(&(K + 2)));
}

/// The answer of a member that holds a Prepare of replica 1 for a batch at slot 1.
fn holds_a_prepare(world: &World) -> HeldVotes {
    let digest = world.batch(&[1]).digest(SeqNum(1));
    let Message::Prepare(prepare) = world.prepare(1, at(0, 1), digest) else { unreachable!("it is one") };
    HeldVotes { prepares: vec![prepare], ..world.no_votes(1) }
}

#[test]
fn a_home_that_was_set_back_does_not_vote_otherwise_than_it_did() {
    let world = World::new(4);
    let mut solo = Solo::unchecked(&world, 1, Recovered::default());
    solo.step(Event::Executor(solo.executor.installed()));
    solo.receive(0, Message::Votes(world.no_votes(1)));
    let told = solo.receive(2, Message::Votes(holds_a_prepare(&world)));
    let lost = LostPromises::Vote { view: View(0), seq: SeqNum(1) };
    assert!(told.notices.contains(&Notice::PromisesLost(lost)));
    assert_eq!(solo.replica.standing(), Standing::Recovering { bounds: None }, "that is what `status` shows");
    let other = solo.receive(0, world.proposal(at(0, 1), &world.batch(&[2])));
    assert!(!signs(&outputs(&other)), "{:?}", outputs(&other));
    // The third answer bounds what was lost.
    let bounded = solo.receive(3, Message::Votes(world.no_votes(1)));
    assert!(bounded.notices.contains(&Notice::RecoveryBounded { bounds: bounds(2, 2 * L) }));
    assert_eq!(solo.replica.standing(), Standing::Recovering { bounds: Some(bounds(2, 2 * L)) });
    assert!(solo.journal.contains(&JournalRecord::RecoveryBegun(Some(bounds(2, 2 * L)))), "a restart knows it");
    let again = solo.restart();
    assert_eq!(again.replica.standing(), Standing::Recovering { bounds: Some(bounds(2, 2 * L)) });
}

#[test]
fn what_the_journal_knows_is_not_taken_for_lost() {
    let world = World::new(4);
    let mut before = Solo::new(&world, 1);
    before.prepare(1, &[1]);
    let digest = world.batch(&[1]).digest(SeqNum(1));
    let mut after = Solo::unchecked(&world, 1, recovered(&before.journal));
    after.step(Event::Executor(after.executor.installed()));
    let Message::Commit(commit) = world.commit(1, at(0, 1), digest) else { unreachable!("it is one") };
    let held = HeldVotes { commits: vec![commit], ..holds_a_prepare(&world) };
    for peer in [0, 2, 3] {
        after.receive(peer, Message::Votes(held.clone()));
    }
    assert_eq!(after.replica.standing(), Standing::Voting);
}

#[test]
fn an_unknown_vote_at_the_very_next_slot_or_with_another_digest_is_noticed() {
    let world = World::new(4);
    let mut before = Solo::new(&world, 1);
    before.prepare(1, &[1]);
    for (seq, numbers, expected) in [(1, [1], Standing::Voting), (1, [2], LOST), (2, [1], LOST)] {
        let mut after = Solo::unchecked(&world, 1, recovered(&before.journal));
        after.step(Event::Executor(after.executor.installed()));
        let digest = world.batch(&numbers).digest(SeqNum(seq));
        let Message::Prepare(prepare) = world.prepare(1, at(0, seq), digest) else { unreachable!("it is one") };
        let held = HeldVotes { prepares: vec![prepare], ..world.no_votes(1) };
        after.receive(0, Message::Votes(held));
        after.receive(2, Message::Votes(world.no_votes(1)));
        assert_eq!(after.replica.standing(), expected, "slot {seq}, {numbers:?}");
    }
}

const LOST: Standing = Standing::Recovering { bounds: None };

#[test]
fn an_unknown_view_change_is_noticed() {
    let world = World::new(4);
    let mut solo = Solo::unchecked(&world, 2, Recovered::default());
    solo.step(Event::Executor(solo.executor.installed()));
    let held = HeldVotes { view_change: Some(world.view_change(2, 1, Vec::new())), ..world.no_votes(2) };
    let told = solo.receive(0, Message::Votes(held));
    assert!(told.notices.contains(&Notice::PromisesLost(LostPromises::ViewChange { target: View(1) })));
}

/// A backup whose journal lost promises, which lie in views below `view` or at slots up to `seq`.
fn with_bounds(world: &World, id: u16, bounds: Bounds) -> Solo {
    let promises = Promises { recovery: Recovery::Lost(Some(bounds)), ..Promises::default() };
    let mut solo = Solo::not_installed(world, id, Recovered { promises, ..Recovered::default() });
    solo.step(Event::Executor(solo.executor.installed()));
    assert_eq!(solo.replica.standing(), Standing::Recovering { bounds: Some(bounds) });
    solo
}

#[test]
fn a_recovering_replica_executes_and_signs_no_vote_up_to_its_bound_and_votes_above_it() {
    let world = World::new(4);
    let mut solo = with_bounds(&world, 1, bounds(0, K));
    for seq in 1..=K {
        let actions = solo.commit(seq, &[seq]);
        assert!(!signs(&outputs(&actions)), "{:?}", outputs(&actions));
        // Without its own a quorum needs the Commits of all others.
        let digest = world.batch(&[seq]).digest(SeqNum(seq));
        let actions = solo.receive(3, world.commit(3, at(0, seq), digest));
        solo.execute(&actions);
    }
    assert_eq!(solo.replica.execution().1, SeqNum(K));
    let voted = solo.receive(0, world.proposal(at(0, K + 1), &world.batch(&[K + 1])));
    assert!(outputs(&voted).contains(&format!("to all: prepare v0 s{}", K + 1)), "{:?}", outputs(&voted));
    let root = solo.executor_root_at(K);
    let whole = solo.receive(2, Message::CheckpointCertificate(world.certified(K, root)));
    assert!(whole.notices.contains(&Notice::Recovered { bounds: bounds(0, K) }));
    assert_eq!(solo.replica.standing(), Standing::Voting);
    assert_eq!(solo.journal.last(), Some(&JournalRecord::RecoveryEnded));
}

#[test]
fn a_recovering_replica_asks_for_no_view_up_to_its_bound_even_when_all_others_do() {
    let world = World::new(4);
    let mut solo = with_bounds(&world, 3, bounds(1, 2 * L));
    for target in [1, 2] {
        for signer in 0..3 {
            let actions = solo.receive(signer, Message::ViewChange(world.view_change(signer, target, Vec::new())));
            assert!(!signs(&outputs(&actions)), "its certificates are lost: it asks for nothing");
        }
    }
    let mut primary = with_bounds(&world, 1, bounds(1, 0));
    for signer in [0, 2, 3] {
        let actions = primary.receive(signer, Message::ViewChange(world.view_change(signer, 1, Vec::new())));
        assert!(!signs(&outputs(&actions)), "nor leads the view that it may have led before");
    }
}

#[test]
fn a_recovering_replica_follows_the_others_into_the_next_view_and_votes_there() {
    let world = World::new(4);
    let mut solo = with_bounds(&world, 3, bounds(1, 0));
    let before = solo.receive(0, world.proposal(at(0, 1), &world.batch(&[1])));
    assert!(!signs(&outputs(&before)));
    let entered = world.empty_view(1);
    for view_change in entered.view_changes {
        solo.receive(view_change.signer.0, Message::ViewChange(view_change));
    }
    solo.receive(1, Message::NewView(entered.new_view));
    assert_eq!((solo.replica.view(), solo.replica.standing()), (View(1), Standing::Voting));
}

#[test]
fn a_view_that_rests_on_the_own_lost_view_change_is_entered_all_the_same() {
    let world = World::new(4);
    let entered = world.empty_view(1);
    let own = entered.view_changes.iter().find(|signed| signed.signer == ReplicaId(2)).cloned().unwrap();
    for recovery in [Recovery::Lost(None), Recovery::Lost(Some(bounds(2, L)))] {
        let promises = Promises { recovery, ..Promises::default() };
        let mut solo = Solo::not_installed(&world, 2, Recovered { promises, ..Recovered::default() });
        solo.step(Event::Executor(solo.executor.installed()));
        for view_change in entered.view_changes.clone() {
            solo.receive(view_change.signer.0, Message::ViewChange(view_change));
        }
        let asked = solo.receive(1, Message::NewView(entered.new_view.clone()));
        assert!(!signs(&outputs(&asked)), "{:?}", outputs(&asked));
        assert_eq!(solo.replica.view(), View(0), "one that it rests on is missing");
        solo.receive(1, Message::ViewChange(own.clone()));
        assert_eq!(solo.replica.view(), View(1), "{recovery:?}");
    }
}

#[test]
fn a_claim_that_is_never_proven_does_not_raise_the_bounds() {
    let world = World::new(7);
    let mut solo = Solo::unchecked(&world, 1, Recovered::default());
    solo.step(Event::Executor(solo.executor.installed()));
    solo.receive(
        0,
        Message::Votes(HeldVotes {
            view: View(u64::MAX),
            certified: SeqNum(u64::MAX - u64::MAX % K),
            ..holds_a_prepare(&world)
        }),
    );
    for peer in [2, 3, 4, 5] {
        solo.receive(peer, Message::Votes(world.no_votes(1)));
        assert_eq!(solo.replica.standing().recovers_within(), None);
    }
    solo.receive(6, Message::Votes(world.no_votes(1)));
    assert_eq!(solo.replica.standing(), Standing::Recovering { bounds: Some(bounds(2, 2 * L)) });
}

#[test]
fn no_view_is_entered_before_the_check_so_that_lost_votes_of_the_view_before_are_not_taken_for_old_ones() {
    let world = World::new(4);
    let mut solo = Solo::unchecked(&world, 1, Recovered::default());
    solo.step(Event::Executor(solo.executor.installed()));
    let entered = world.empty_view(2);
    for view_change in entered.view_changes {
        solo.receive(view_change.signer.0, Message::ViewChange(view_change));
    }
    solo.receive(2, Message::NewView(entered.new_view));
    assert_eq!(solo.replica.view(), View(0));
    let told = solo.receive(2, Message::Votes(holds_a_prepare(&world)));
    assert!(told.notices.iter().any(|notice| matches!(notice, Notice::PromisesLost(_))));
}

#[test]
fn a_lost_view_change_is_bounded_by_what_the_others_ask_for_and_not_only_by_what_they_entered() {
    let world = World::new(4);
    let promises = Promises { recovery: Recovery::Lost(None), ..Promises::default() };
    let mut solo = Solo::unchecked(&world, 3, Recovered { promises, ..Recovered::default() });
    solo.step(Event::Executor(solo.executor.installed()));
    for peer in 0..3 {
        solo.receive(peer, Message::Votes(HeldVotes { target: View(5), ..world.no_votes(3) }));
    }
    assert_eq!(solo.replica.standing(), LOST, "nothing proves yet what they say they ask for");
    for peer in 0..3 {
        solo.receive(peer, Message::ViewChange(world.view_change(peer, 5, Vec::new())));
    }
    assert_eq!(solo.replica.standing(), Standing::Recovering { bounds: Some(bounds(7, 2 * L)) });
}

#[test]
fn who_has_asked_for_a_view_beyond_that_of_the_others_learns_its_bounds_although_it_never_enters_theirs() {
    let world = World::new(4);
    let view_change = Some(world.view_change(3, 2, Vec::new()));
    let promises = Promises { recovery: Recovery::Lost(None), view_change, ..Promises::default() };
    let mut solo = Solo::unchecked(&world, 3, Recovered { promises, ..Recovered::default() });
    solo.step(Event::Executor(solo.executor.installed()));
    for peer in 0..3 {
        solo.receive(peer, Message::Votes(HeldVotes { view: View(1), target: View(1), ..world.no_votes(3) }));
    }
    assert_eq!(solo.replica.standing(), Standing::Recovering { bounds: Some(bounds(4, 2 * L)) });
}

#[test]
fn an_idle_cluster_lets_a_replica_back_in_that_has_lost_its_promises() {
    for lost in [Recovery::Lost(None), Recovery::Lost(Some(bounds(0, L))), Recovery::Lost(Some(bounds(1, L)))] {
        let mut cluster = Cluster::new(4);
        for number in 1..=K + 2 {
            cluster.submit(0, number);
        }
        cluster.crash(2);
        cluster.checks_at_start = false;
        let Recovery::Lost(known) = lost else { unreachable!("see above") };
        cluster.nodes[2].journal = vec![JournalRecord::RecoveryBegun(known)];
        cluster.restart(2);
        cluster.pass(Duration::from_secs(60));
        assert_eq!(cluster.replica(2).standing(), Standing::Voting, "{lost:?}");
        assert_eq!([0, 1, 3].map(|id| cluster.replica(id).standing()), [Standing::Voting; 3]);
        let view = cluster.replica(2).view();
        let primary = cluster.world.primary(view);
        cluster.submit(primary, K + 3);
        assert_eq!(cluster.executed(2).last(), Some(&(K + 3)));
        assert!(cluster.arrived(2, "prepare") + cluster.arrived(2, "commit") > 0);
    }
}

#[test]
fn a_full_disk_stops_a_replica_from_voting_and_executing_until_there_is_room_again() {
    let world = World::new(4);
    let mut solo = Solo::new(&world, 1);
    solo.step(Event::Executor(solo.executor.installed()));
    solo.step(Event::Disk(Space::Low));
    assert_eq!(solo.replica.standing(), Standing::LowDisk);
    let full = solo.commit(1, &[1]);
    assert!(full.persist.is_empty() && full.execute.is_empty(), "{:?}", outputs(&full));
    let served = solo.receive(2, Message::FetchVotes { signer: ReplicaId(0) });
    assert_eq!(outputs(&served), ["to 2: votes of 0"], "it goes on serving");
    let room = solo.step(Event::Disk(Space::Enough));
    assert_eq!(solo.replica.standing(), Standing::Voting);
    assert!(!signs(&outputs(&room)));
    let again = solo.commit(1, &[1]);
    assert!(!again.execute.is_empty(), "{:?}", outputs(&again));
}

#[test]
fn a_primary_whose_disk_is_full_is_replaced() {
    let mut cluster = Cluster::new(4);
    cluster.event(0, Event::Disk(Space::Low));
    cluster.pass(Duration::from_millis(500));
    assert_eq!([1, 2, 3].map(|id| cluster.replica(id).view()), [View(1); 3]);
    cluster.submit(1, 1);
    assert_eq!(cluster.executed(3), [1]);
    cluster.event(0, Event::Disk(Space::Enough));
    cluster.pass(Duration::from_secs(2));
    assert_eq!(cluster.executed(0), [1], "it catches up when it has room");
}
