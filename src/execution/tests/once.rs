//! An operation changes the state at most once: the predicate of the client table at its edges.

use super::world::{World, apply, client, done, id, limits, read, request, results};
use crate::core::event::{ExecutedRequest, Report};
use crate::execution::Applied;
use crate::messages::ReplicaMessage;
use crate::types::{RequestNumber, Session};

fn executed(applied: &Applied) -> Vec<bool> {
    applied.report.requests.iter().map(|request| request.executed).collect()
}

#[test]
fn a_request_that_stands_in_two_batches_or_twice_in_one_is_executed_once() {
    let mut executor = World::new(limits()).executor(0);
    let again = || request(id(0, 1, 1), "add a 5");
    let applied = apply(&mut executor, vec![again(), again()]);
    assert_eq!(executed(&applied), [true, false]);
    assert_eq!(results(&applied).len(), 1);
    let applied = apply(&mut executor, vec![again()]);
    assert_eq!(applied.report.requests, [ExecutedRequest { id: id(0, 1, 1), executed: false }]);
    assert_eq!(applied.replies, []);
    assert_eq!(read(&executor, "a").as_deref(), Some(&b"5"[..]));
}

#[test]
fn of_two_operations_under_one_name_the_first_is_executed_and_its_digest_is_replied() {
    let mut executor = World::new(limits()).executor(0);
    let first = request(id(0, 1, 1), "add a 5");
    let applied = apply(&mut executor, vec![first.clone(), request(id(0, 1, 1), "add a 7")]);
    assert_eq!(results(&applied)[0].operation, first.operation_digest());
    assert_eq!(read(&executor, "a").as_deref(), Some(&b"5"[..]));
}

#[test]
fn a_batch_may_hold_more_numbers_than_the_window_when_they_come_in_order() {
    let mut executor = World::new(limits()).executor(0);
    let requests = |numbers: [u64; 6]| numbers.map(|number| request(id(0, 1, number), "add a 1")).to_vec();
    let applied = apply(&mut executor, requests([1, 2, 3, 4, 5, 6]));
    assert_eq!(executed(&applied), [true; 6]);
    let applied = apply(&mut executor, requests([11, 10, 12, 7, 11, 6]));
    assert_eq!(executed(&applied), [false, true, false, true, true, false]);
}

#[test]
fn a_later_session_closes_the_older_and_forgets_its_results() {
    let mut executor = World::new(limits()).executor(0);
    apply(&mut executor, vec![request(id(0, 5, 1), "add a 1"), request(id(0, 5, 3), "add a 1")]);
    assert!(executor.resend(&id(0, 5, 3)).is_some());
    let requests = [id(0, 4, 1), id(0, 5, 2), id(0, 6, 1), id(0, 5, 4)];
    let applied = apply(&mut executor, requests.map(|id| request(id, "add a 1")).to_vec());
    assert_eq!(executed(&applied), [false, true, true, false]);
    assert_eq!(results(&applied).len(), 2, "the older session's last request has a result, too");
    assert_eq!([1, 2, 3].map(|number| executor.resend(&id(0, 5, number))), [None, None, None]);
    assert!(executor.resend(&id(0, 6, 1)).is_some());
}

#[test]
fn results_are_kept_from_floor_minus_c_to_floor_plus_c() {
    let mut executor = World::new(limits()).executor(0);
    for number in [1, 2, 3, 4, 5, 6, 10] {
        apply(&mut executor, vec![request(id(0, 1, number), "add a 1")]);
    }
    let kept = |number| executor.resend(&id(0, 1, number)).is_some();
    let numbers: Vec<_> = (0..20).filter(|number| kept(*number)).collect();
    assert_eq!(numbers, [3, 4, 5, 6, 10]);
    assert_eq!(executor.resend(&id(1, 1, 3)), None, "another client");
    assert_eq!(executor.resend(&id(0, 2, 3)), None, "another session");
}

#[test]
fn results_that_fall_out_within_their_own_batch_are_not_kept_but_replied() {
    let mut executor = World::new(limits()).executor(0);
    let applied = apply(&mut executor, (1..=10).map(|number| request(id(0, 1, number), "add a 1")).collect());
    assert_eq!(results(&applied).len(), 10);
    let kept: Vec<_> = (1..=10).filter(|number| executor.resend(&id(0, 1, *number)).is_some()).collect();
    assert_eq!(kept, [7, 8, 9, 10]);
}

#[test]
fn a_reply_that_is_sent_again_is_the_one_that_was_sent() {
    let mut executor = World::new(limits()).executor(0);
    let applied = apply(&mut executor, vec![request(id(0, 1, 1), "add a 5"), request(id(1, 1, 1), "add a 6")]);
    let replies = applied.replies;
    assert_eq!(replies.len(), 2);
    for (to, reply) in replies {
        let who = if to == client(0) { id(0, 1, 1) } else { id(1, 1, 1) };
        assert_eq!(executor.resend(&who), Some(reply));
    }
}

#[test]
fn one_reply_carries_all_results_of_a_client_in_a_batch_and_none_of_others() {
    let mut executor = World::new(limits()).executor(0);
    let requests = [id(0, 1, 2), id(1, 1, 1), id(0, 1, 1)];
    let applied = apply(&mut executor, requests.map(|id| request(id, "add a 5")).to_vec());
    let reply = |of: u8| {
        let (_, message) = applied.replies.iter().find(|(to, _)| *to == client(of)).unwrap();
        let ReplicaMessage::Reply(reply) = message else { panic!("{message:?}") };
        reply.results.iter().map(|it| (it.number.0, it.index, it.outcome.clone())).collect::<Vec<_>>()
    };
    assert_eq!(reply(0), [(2, 0, done("5")), (1, 2, done("15"))]);
    assert_eq!(reply(1), [(1, 1, done("10"))]);
}

#[test]
fn agreement_is_told_the_windows_of_the_clients_that_executed_something() {
    let mut executor = World::new(limits()).executor(0);
    let requests = [id(0, 7, 1), id(0, 7, 3), id(1, 1, 99)];
    apply(&mut executor, requests.map(|id| request(id, "add a 5")).to_vec());
    let Report::Installed { seq, windows, .. } = executor.installed() else { panic!("not Installed") };
    assert_eq!(seq, executor.executed());
    let windows: Vec<_> = windows.iter().map(|(client, window)| (*client, window.session(), window.floor())).collect();
    assert_eq!(windows, [(client(0), Session(7), RequestNumber(1))]);
}
