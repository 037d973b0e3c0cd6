//! Members and clients that say whatever they like, with valid signatures. Numbers at the ends of their types, floods for
//! the future, requests under every number. Nothing panics, nothing grows, nobody else notices.
//!
//! Keeps out: 40 (an index out of range: panic), 41 (a bad message ends the receiver), 42 (messages for the future fill the
//! memory), 43 (repeated connections leave something behind), 46 (other clients' replies are lost), 47 (a full buffer
//! removes the primary), 48 (dropping a session drops its requests; far-future numbers pass).

use std::time::Duration;

use quorate::core::{Event, Phase, Rejection};
use quorate::messages::{ChainDigests, Message, Request, Status};
use quorate::{ReplicaId, RequestId, RequestNumber, SeqNum, Session, View};

use crate::support::{Cluster, K, L, SESSION, Solo, World, at, digest, messages, outputs, rejection, sparse_messages};

#[test]
fn numbers_at_the_ends_of_their_types_do_not_panic_at_any_member() {
    let world = World::new(4);
    let ends = [0, 1, K, L, L + 1, u64::MAX - 1, u64::MAX];
    for id in 0..4 {
        let mut replica = Solo::new(&world, id);
        let status = replica.replica.status();
        for (a, b) in ends.iter().flat_map(|a| ends.map(|b| (*a, b))) {
            let (view, seq) = at(a, b);
            let hostile = [
                world.prepare(3, (view, seq), digest("a")),
                world.commit(3, (view, seq), digest("a")),
                world.checkpoint(3, b, digest("a")),
                world.proposal((view, seq), &world.batch(&[1])),
                Message::ViewChange(world.view_change(3, a, Vec::new())),
                Message::NewView(world.empty_view(a).new_view),
                Message::FetchCommitted { after: SeqNum(a), to: SeqNum(b) },
                Message::FetchChain { from: SeqNum(a), to: SeqNum(b) },
                Message::Chain(ChainDigests { from: SeqNum(a), digests: vec![digest("x"); 3] }),
                Message::FetchBatch { seq, digest: digest("a") },
                Message::Batch { seq, batch: world.batch(&[1]) },
                Message::FetchViewChange { signer: ReplicaId(id), digest: digest("a") },
                Message::Status(Status {
                    view,
                    target: Some(View(b)),
                    stable: SeqNum(a),
                    executed: seq,
                    slots: Vec::new(),
                    ..status.clone()
                }),
            ];
            let from = if id == 3 { 2 } else { 3 };
            for message in hostile {
                // What is not valid never reaches the core.
                let _verdict = replica.try_receive(from, message);
            }
        }
        replica.pass(Duration::from_secs(5));
    }
}

#[test]
fn a_bad_message_does_not_keep_its_senders_good_ones_out() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 2);
    let mut all = [messages(&world), sparse_messages(&world)].concat();
    // Members that ask for another view keep it out with reason.
    all.retain(|message| !matches!(message, Message::ViewChange(_) | Message::NewView(_)));
    all.retain(|message| !matches!(message, Message::Status(status) if status.target.is_some()));
    for message in all {
        for from in [0, 1, 3] {
            let _verdict = backup.try_receive(from, message.clone());
        }
    }
    let vote = backup.receive(0, world.proposal(at(0, 5), &world.batch(&[7])));
    assert_eq!(outputs(&vote).last().map(String::as_str), Some("to all: prepare v0 s5"));
}

#[test]
fn messages_that_claim_to_come_from_this_replica_or_from_nobody_change_nothing() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    for from in [1, 4, u16::MAX] {
        let actions = backup.receive(from, world.proposal(at(0, 1), &world.batch(&[1])));
        assert!(outputs(&actions).is_empty() && actions.notices.is_empty());
    }
}

#[test]
fn votes_for_the_future_leave_no_memory_behind() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    let mut sizes = Vec::new();
    for round in 0..4 {
        for step in 0..50 {
            let far = 1_000 * (round * 50 + step + 1);
            for message in [
                world.prepare(3, at(far, 1), digest("a")),
                world.commit(3, at(far, 1), digest("a")),
                world.commit(3, at(0, far), digest("a")),
                world.checkpoint(3, K * far, digest("a")),
                Message::ViewChange(world.view_change(3, far, Vec::new())),
                Message::NewView(world.empty_view(4 * far + 3).new_view),
            ] {
                backup.receive(3, message);
            }
        }
        sizes.push(format!("{:?}", backup.replica).len());
    }
    assert!(sizes[3] < sizes[0] + 500, "the memory grows: {sizes:?}");
    assert_eq!(backup.replica.phase(), Phase::Active);
}

#[test]
fn connections_that_come_and_go_leave_no_memory_behind() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    let size = |backup: &Solo| format!("{:?}", backup.replica).len();
    let flap = |backup: &mut Solo| {
        for peer in [0, 2, 3, 9] {
            for up in [true, false, false, true] {
                backup.step(Event::Link { peer: ReplicaId(peer), up });
            }
        }
    };
    flap(&mut backup);
    let before = size(&backup);
    for _ in 0..50 {
        flap(&mut backup);
    }
    assert_eq!(size(&backup), before);
}

fn named(world: &World, session: u64, number: u64) -> Request {
    let id = RequestId { session: Session(session), number: RequestNumber(number), ..world.request_id(0, 1) };
    world.request_for(id, "x".to_owned())
}

#[test]
fn numbers_outside_the_window_and_old_sessions_are_refused_with_their_reason() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    backup.commit_and_execute(1, &[1]);
    let width = world.genesis.limits.client_window;
    for number in [0, 1 + width + 1, u64::MAX] {
        let actions = backup.request(named(&world, SESSION.0, number));
        assert_eq!(outputs(&actions), [format!("to client: refused {number} OutsideWindow")]);
    }
    let last = backup.request(named(&world, SESSION.0, 1 + width));
    assert_eq!(outputs(&last), [format!("to 0: forward {}", 1 + width)], "the limit is exact");
    let old = backup.request(named(&world, SESSION.0 - 1, 1));
    assert_eq!(outputs(&old), ["to client: refused 1 OldSession { current: 7 }"]);
    assert_eq!(outputs(&backup.request(world.request(0, 1))), ["resend 1"], "executed: the cached reply");
    for request in [named(&world, SESSION.0, 0), named(&world, SESSION.0 - 1, 1), world.request(0, 1)] {
        let relayed = backup.receive(2, Message::Forward(request));
        assert_eq!((outputs(&relayed).len(), rejection(&relayed)), (0, Some(Rejection::Duplicate)));
    }
}

#[test]
fn a_new_session_drops_the_requests_of_the_old_one_and_no_other() {
    let world = World::new(4);
    let mut backup = Solo::new(&world, 1);
    backup.request(named(&world, SESSION.0, 1));
    backup.request(named(&world, SESSION.0 + 1, 2));
    backup.request(world.request(1, 1));
    assert_eq!(backup.replica.load().0, 3);
    let opened = quorate::batch::Batch::new(backup.now.wall, vec![named(&world, SESSION.0 + 1, 1)]);
    let digest = opened.digest(SeqNum(1));
    backup.receive(0, world.proposal(at(0, 1), &opened));
    let mut last = backup.receive(0, world.commit(0, at(0, 1), digest));
    for member in [2, 3] {
        last = backup.receive(member, world.commit(member, at(0, 1), digest));
    }
    backup.execute(&last);
    assert_eq!(backup.replica.load().0, 2, "number 2 of the new session and the other client's request wait on");
    let old = backup.request(named(&world, SESSION.0, 2));
    assert_eq!(outputs(&old), ["to client: refused 2 OldSession { current: 8 }"]);
}

#[test]
fn one_client_cannot_take_the_room_of_the_others_nor_make_a_primary_suspicious() {
    let world = World::with(4, |limits, _| limits.client_window = 5);
    let mut backup = Solo::new(&world, 1);
    let answers: Vec<_> = (1..=5).map(|number| outputs(&backup.request(world.request(0, number)))).collect();
    assert!(answers.iter().all(|lines| lines.len() == 1));
    let other_session = backup.request(named(&world, SESSION.0 + 1, 1));
    assert_eq!(outputs(&other_session), ["to client: busy 1"], "sessions do not multiply a client's share");
    let another = backup.request(world.request(1, 1));
    assert_eq!(outputs(&another), ["to 0: forward 1"]);
    assert_eq!(backup.replica.suspicion(), None);
}

#[test]
fn a_full_pool_answers_busy_and_removes_nobody() {
    let mut cluster = Cluster::of(World::with(4, |_, config| config.pool_requests_max = 3));
    cluster.drop_when(|envelope| matches!(envelope.message, Message::PrePrepare(_)));
    for number in 1..=10 {
        cluster.submit(0, number);
        cluster.submit(1, number);
    }
    assert!(cluster.node(0).to_clients.len() >= 7 && cluster.replica(0).load().0 == 3);
    cluster.heal();
    cluster.pass(Duration::from_millis(500));
    for id in cluster.ids() {
        assert_eq!(cluster.replica(id).view(), View(0));
        assert_eq!(cluster.replica(id).load().0, 0, "replica {id}");
    }
    cluster.submit(0, 4);
    assert_eq!(cluster.executed(2).last(), Some(&4), "there is room again");
}

#[test]
fn the_same_request_a_hundred_times_is_executed_once() {
    let mut cluster = Cluster::new(4);
    for round in 0..100 {
        cluster.submit(round % 4, 1);
    }
    cluster.pass(Duration::from_millis(500));
    for id in cluster.ids() {
        assert_eq!(cluster.executed(id), [1], "replica {id}");
    }
    assert!(!cluster.node(0).resent.is_empty(), "later ones get the cached reply");
}

#[test]
fn two_operations_under_one_number_do_not_both_execute() {
    let mut cluster = Cluster::new(4);
    let id = cluster.world.request_id(0, 1);
    for (to, operation) in [(0, "a"), (1, "b"), (2, "c"), (3, "d")] {
        let request = cluster.world.request_for(id, operation.to_owned());
        cluster.submit_request(to, request);
    }
    cluster.pass(Duration::from_millis(500));
    for id in cluster.ids() {
        assert_eq!(cluster.executed(id), [1]);
        assert_eq!(cluster.replica(id).load().0, 0, "the other operations do not wait for ever");
    }
}
