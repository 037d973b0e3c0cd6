//! The rules of a client's session, one test each: a client, a committee that the test speaks for, no sockets.

use std::time::Duration;

use crate::world::{SESSION, busy, identity, operation, receivers, refused, reply, requests, session, truth, verifier};
use bytes::Bytes;
use proptest::prelude::*;
use quorate::client::{Claim, ClientSession, Failure, Output, SubmitError};
use quorate::messages::{RefusalReason, ReplicaMessage, Reply, RequestResult};
use quorate::outcome::Outcome;
use quorate::{Instant, ReplicaId, RequestNumber, SeqNum, Session};

const START: Instant = Instant(0);

fn at(milliseconds: u64) -> Instant {
    START.plus(Duration::from_millis(milliseconds))
}

/// A session that has sent the operations 1 to `count`.
fn submitted(n: u16, count: u64) -> ClientSession {
    let mut session = session(n, 4);
    for k in 1..=count {
        assert_eq!(session.submit(START, operation(k)), Ok(RequestNumber(k)));
    }
    session.take_outputs();
    session
}

fn hear(session: &mut ClientSession, from: u16, message: ReplicaMessage) -> Vec<Output> {
    session.on_message(START, ReplicaId(from), message);
    session.take_outputs()
}

fn answered(n: u64) -> Vec<Output> {
    vec![Output::Answered { number: RequestNumber(n), result: truth(n) }]
}

fn failed(n: u64, failure: Failure) -> Vec<Output> {
    vec![Output::Failed { number: RequestNumber(n), failure }]
}

fn lie(n: u64) -> RequestResult {
    RequestResult { outcome: Outcome::Done(Bytes::from_static(b"a lie")), ..truth(n) }
}

#[test]
fn a_request_goes_to_the_primary_first_and_is_one_that_replicas_accept() {
    let mut session = session(4, 4);
    session.submit(START, operation(1)).unwrap();
    let outputs = session.take_outputs();
    let sent = requests(&outputs);
    assert_eq!(receivers(&outputs), [0]);
    assert!(verifier(&identity(4, 4)).request(sent[0].1.clone()).is_ok());
}

#[test]
fn a_weak_quorum_of_equal_replies_decides_and_one_less_does_not() {
    for (n, weak_quorum) in [(1, 1), (4, 2), (6, 2), (7, 3), (10, 4), (13, 5)] {
        let mut session = submitted(n, 1);
        for member in 0..weak_quorum - 1 {
            assert_eq!(hear(&mut session, member, reply(truth(1))), []);
        }
        assert_eq!(hear(&mut session, n - 1, reply(truth(1))), answered(1));
        assert_eq!(session.outstanding(), 0);
        assert_eq!(hear(&mut session, 0, reply(truth(1))), [], "what comes later changes nothing");
    }
}

#[test]
fn f_lying_replies_never_decide() {
    let mut session = submitted(7, 1);
    assert_eq!(hear(&mut session, 0, reply(lie(1))), []);
    assert_eq!(hear(&mut session, 1, reply(lie(1))), []);
    assert_eq!(hear(&mut session, 4, reply(truth(1))), []);
    assert_eq!(hear(&mut session, 5, reply(truth(1))), []);
    assert_eq!(hear(&mut session, 6, reply(truth(1))), answered(1));
}

#[test]
fn replies_that_differ_in_any_field_are_not_equal() {
    let other_operation = truth(2).operation;
    let others = [
        RequestResult { seq: SeqNum(99), ..truth(1) },
        RequestResult { index: 4, ..truth(1) },
        RequestResult { operation: other_operation, ..truth(1) },
        RequestResult { outcome: Outcome::Panicked, ..truth(1) },
        RequestResult { session: Session(99), ..truth(1) },
        RequestResult { number: RequestNumber(2), ..truth(1) },
    ];
    for other in others {
        let mut session = submitted(4, 1);
        assert_eq!(hear(&mut session, 1, reply(truth(1))), []);
        assert_eq!(hear(&mut session, 2, reply(other)), []);
    }
}

#[test]
fn repeated_replies_of_one_member_count_once_and_its_last_word_counts() {
    let mut session = submitted(4, 1);
    for _ in 0..100 {
        assert_eq!(hear(&mut session, 2, reply(truth(1))), []);
    }
    let twice = ReplicaMessage::Reply(Reply { results: vec![truth(1), truth(1)] });
    assert_eq!(hear(&mut session, 2, twice), []);
    assert_eq!(hear(&mut session, 2, reply(lie(1))), []);
    assert_eq!(hear(&mut session, 3, reply(truth(1))), [], "2 has taken back what it said");
    assert_eq!(hear(&mut session, 1, reply(truth(1))), answered(1));
}

#[test]
fn strangers_do_not_count() {
    let mut session = submitted(4, 1);
    assert_eq!(hear(&mut session, 4, reply(truth(1))), []);
    assert_eq!(hear(&mut session, 900, reply(truth(1))), []);
    assert_eq!(hear(&mut session, 0, reply(truth(1))), []);
}

#[test]
fn late_replies_of_an_old_session_are_ignored() {
    let mut session = submitted(4, 1);
    let old = RequestResult { session: Session(99), ..truth(1) };
    for member in 0..4 {
        assert_eq!(hear(&mut session, member, reply(old.clone())), []);
    }
    assert!(session.who_answered(RequestNumber(1)).unwrap().said.is_empty());
}

#[test]
fn replies_to_numbers_that_were_never_sent_are_ignored() {
    let mut session = submitted(4, 1);
    for number in [0, 2, u64::MAX] {
        for member in 0..4 {
            let result = RequestResult { number: RequestNumber(number), ..truth(1) };
            assert_eq!(hear(&mut session, member, reply(result)), []);
        }
    }
}

#[test]
fn the_window_is_respected_to_the_number() {
    let mut session = submitted(4, 4);
    let full = Err(SubmitError::WindowFull { oldest: RequestNumber(1) });
    assert_eq!(session.submit(START, operation(5)), full);
    for k in 2..=4 {
        hear(&mut session, 0, reply(truth(k)));
        assert_eq!(hear(&mut session, 1, reply(truth(k))), answered(k));
    }
    assert_eq!(session.submit(START, operation(5)), full, "1 has no answer, however many others have");
    hear(&mut session, 0, reply(truth(1)));
    hear(&mut session, 1, reply(truth(1)));
    for k in 5..=8 {
        assert_eq!(session.submit(START, operation(k)), Ok(RequestNumber(k)));
    }
    assert_eq!(session.submit(START, operation(9)), Err(SubmitError::WindowFull { oldest: RequestNumber(5) }));
}

#[test]
fn operations_are_limited_to_the_byte() {
    let mut session = session(4, 4);
    assert_eq!(session.submit(START, vec![0; 65].into()), Err(SubmitError::TooLarge { bytes: 65, max: 64 }));
    assert_eq!(session.submit(START, vec![0; 64].into()), Ok(RequestNumber(1)));
}

#[test]
fn without_an_answer_a_request_goes_to_all_with_growing_capped_pauses() {
    let mut session = submitted(4, 1);
    let (mut now, mut pauses) = (START, Vec::new());
    for _ in 0..7 {
        let deadline = session.next_deadline().unwrap();
        pauses.push(deadline.since(now).as_millis());
        session.on_deadline(Instant(deadline.0 - 1));
        assert_eq!(session.take_outputs(), [], "not before the deadline");
        now = deadline;
        session.on_deadline(now);
        assert_eq!(receivers(&session.take_outputs()), [0, 1, 2, 3]);
    }
    assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 8000, 8000]);
}

#[test]
fn an_answered_request_is_not_sent_again() {
    let mut session = submitted(4, 1);
    hear(&mut session, 0, reply(truth(1)));
    hear(&mut session, 1, reply(truth(1)));
    assert_eq!(session.next_deadline(), None);
    session.on_deadline(at(10_000));
    assert_eq!(session.take_outputs(), []);
}

#[test]
fn a_silent_primary_is_replaced_once_however_many_requests_it_left_unanswered() {
    let mut session = submitted(4, 2);
    session.submit(at(100), operation(3)).unwrap();
    session.take_outputs();
    session.on_deadline(at(500));
    session.on_deadline(at(600));
    session.take_outputs();
    session.submit(at(600), operation(4)).unwrap();
    assert_eq!(receivers(&session.take_outputs()), [1]);
}

#[test]
fn a_primary_without_a_connection_is_replaced_at_once_by_one_with_a_connection() {
    let mut session = session(4, 4);
    session.on_link(ReplicaId(1), false);
    session.on_link(ReplicaId(0), false);
    session.on_link(ReplicaId(77), false);
    session.submit(START, operation(1)).unwrap();
    assert_eq!(receivers(&session.take_outputs()), [2]);
}

#[test]
fn what_only_a_lost_member_was_sent_goes_at_once_to_the_next() {
    let mut session = submitted(4, 2);
    session.on_link(ReplicaId(3), false);
    assert_eq!(session.take_outputs(), []);
    session.on_link(ReplicaId(0), false);
    assert_eq!(receivers(&session.take_outputs()), [1, 1]);
    session.on_link(ReplicaId(0), true);
    assert_eq!(session.take_outputs(), []);
    session.on_link(ReplicaId(1), true);
    assert_eq!(receivers(&session.take_outputs()), [1, 1], "the channel was made anew");
}

#[test]
fn a_request_that_a_weak_quorum_has_no_room_for_waits_one_pause_more() {
    let mut session = submitted(4, 1);
    session.on_deadline(at(500));
    session.take_outputs();
    hear(&mut session, 2, busy(1));
    hear(&mut session, 3, refused(1, RefusalReason::OutsideWindow));
    session.on_deadline(at(1_500));
    assert_eq!(session.take_outputs(), []);
    assert_eq!(session.next_deadline(), Some(at(3_500)));
    session.on_deadline(at(3_500));
    assert_eq!(receivers(&session.take_outputs()), [0, 1, 2, 3]);
}

#[test]
fn a_liar_alone_never_delays_a_request() {
    let mut session = submitted(4, 1);
    for _ in 0..10 {
        hear(&mut session, 3, busy(1));
        hear(&mut session, 3, refused(1, RefusalReason::TooLarge));
        hear(&mut session, 3, busy(1));
    }
    session.on_deadline(at(500));
    assert_eq!(receivers(&session.take_outputs()), [0, 1, 2, 3]);
}

#[test]
fn members_that_have_not_caught_up_cannot_refuse_a_request_for_good() {
    let mut session = submitted(4, 1);
    for member in 0..4 {
        assert_eq!(hear(&mut session, member, refused(1, RefusalReason::OutsideWindow)), []);
    }
    hear(&mut session, 0, reply(truth(1)));
    assert_eq!(hear(&mut session, 1, reply(truth(1))), answered(1));
}

#[test]
fn a_refusal_counts_when_a_weak_quorum_gives_the_same_reason() {
    let reason = RefusalReason::NotAdmitted(Bytes::from_static(b"no"));
    let mut session = submitted(4, 1);
    assert_eq!(hear(&mut session, 0, refused(1, reason.clone())), []);
    assert_eq!(hear(&mut session, 0, refused(1, reason.clone())), []);
    assert_eq!(hear(&mut session, 1, refused(1, RefusalReason::NotAdmitted(Bytes::from_static(b"No")))), []);
    assert_eq!(hear(&mut session, 2, refused(1, RefusalReason::TooLarge)), []);
    assert_eq!(hear(&mut session, 3, refused(1, reason.clone())), failed(1, Failure::Refused(reason)));
}

#[test]
fn a_refused_number_is_used_again_so_that_the_window_moves_on() {
    let mut session = submitted(4, 3);
    hear(&mut session, 0, refused(2, RefusalReason::NotAuthentic));
    hear(&mut session, 1, refused(2, RefusalReason::NotAuthentic));
    assert_eq!(session.submit(START, operation(4)), Ok(RequestNumber(2)));
    assert_eq!(session.submit(START, operation(5)), Ok(RequestNumber(4)));
    session.take_outputs();
    for member in 0..4 {
        let late = hear(&mut session, member, refused(2, RefusalReason::NotAuthentic));
        assert_eq!(late, [], "it is about the operation that was refused");
    }
}

#[test]
fn an_operation_whose_number_was_taken_by_a_refused_one_fails() {
    let mut session = submitted(4, 1);
    hear(&mut session, 0, refused(1, RefusalReason::NotAuthentic));
    hear(&mut session, 1, refused(1, RefusalReason::NotAuthentic));
    assert_eq!(session.submit(START, operation(7)), Ok(RequestNumber(1)));
    session.take_outputs();
    assert_eq!(hear(&mut session, 0, reply(truth(1))), []);
    assert_eq!(hear(&mut session, 1, reply(truth(1))), failed(1, Failure::NumberTaken));
    assert_eq!(session.submit(START, operation(7)), Ok(RequestNumber(2)));
}

#[test]
fn a_session_that_was_never_open_moves_behind_the_open_one_with_its_requests() {
    let mut session = submitted(4, 2);
    let old = |current| RefusalReason::OldSession { current: Session(current) };
    assert_eq!(hear(&mut session, 3, refused(1, old(9_000))), [], "one member is not enough");
    assert_eq!(hear(&mut session, 0, refused(1, old(500))), []);
    assert_eq!(hear(&mut session, 0, refused(2, old(500))), []);
    let outputs = hear(&mut session, 1, refused(2, old(500)));
    assert_eq!(outputs[0], Output::SessionRenewed { closed: SESSION, open: Session(501) });
    let sent = requests(&outputs);
    assert_eq!(sent.iter().map(|(_, request)| request.id.number.0).collect::<Vec<_>>(), [1, 2]);
    for (_, request) in sent {
        assert_eq!(request.id.session, Session(501));
        assert!(verifier(&identity(4, 4)).request(request.clone()).is_ok());
    }
    let result = RequestResult { session: Session(501), ..truth(2) };
    hear(&mut session, 0, reply(result.clone()));
    let expected = [Output::Answered { number: RequestNumber(2), result: result.clone() }];
    assert_eq!(hear(&mut session, 1, reply(result)), expected);
}

#[test]
fn an_open_session_that_another_process_closed_never_executes_its_requests_twice() {
    let mut session = submitted(4, 2);
    hear(&mut session, 0, reply(truth(1)));
    hear(&mut session, 1, reply(truth(1)));
    let old = RefusalReason::OldSession { current: Session(500) };
    hear(&mut session, 0, refused(2, old.clone()));
    let outputs = hear(&mut session, 1, refused(2, old));
    assert_eq!(outputs[1..], failed(2, Failure::SessionClosed));
    assert_eq!(session.session(), Session(501));
    assert_eq!(session.submit(START, operation(3)), Ok(RequestNumber(1)));
}

#[test]
fn an_earlier_session_is_no_reason_to_move() {
    let mut session = submitted(4, 1);
    for member in 0..4 {
        let reason = RefusalReason::OldSession { current: SESSION };
        assert_eq!(hear(&mut session, member, refused(1, reason)), []);
    }
}

#[test]
fn who_answered_names_every_member_and_what_it_said() {
    let mut session = submitted(4, 1);
    hear(&mut session, 1, reply(lie(1)));
    hear(&mut session, 2, busy(1));
    let answers = session.who_answered(RequestNumber(1)).unwrap();
    assert_eq!(answers.silent, [ReplicaId(0), ReplicaId(3)]);
    assert_eq!(answers.said[0], (ReplicaId(1), Claim::from(&lie(1))));
    let text = answers.to_string();
    for part in ["2 equal answers", "replica 1 said: executed in slot 11", "replica 2 said: busy", "replica 0, 3"] {
        assert!(text.contains(part), "{part:?} in {text:?}");
    }
    assert_eq!(session.who_answered(RequestNumber(2)), None);
}

/// What a member can do: a correct one repeats the truth, is busy or behind; a liar says anything.
#[derive(Clone, Debug)]
enum Step {
    Correct { member: u16, number: u64, message: u8 },
    Liar { member: u16, number: u64, message: u8 },
    Deadline,
}

fn step(n: u16, requests: u64) -> impl Strategy<Value = Step> {
    let faulty = (n - 1) / 3;
    let parts = |members: std::ops::Range<u16>| (members, 1..=requests, 0u8..8);
    prop_oneof![
        8 => parts(faulty..n).prop_map(|(member, number, message)| Step::Correct { member, number, message }),
        8 => parts(0..faulty).prop_map(|(member, number, message)| Step::Liar { member, number, message }),
        1 => Just(Step::Deadline),
    ]
}

fn correct_message(number: u64, message: u8) -> ReplicaMessage {
    match message {
        0 => busy(number),
        1 => refused(number, RefusalReason::OutsideWindow),
        _ => reply(truth(number)),
    }
}

fn liar_message(number: u64, message: u8) -> ReplicaMessage {
    match message {
        0 => busy(number),
        1 => refused(number, RefusalReason::NotAuthentic),
        2 => refused(number, RefusalReason::OldSession { current: Session(u64::MAX) }),
        3 => reply(RequestResult { operation: truth(number + 1).operation, ..truth(number) }),
        4 => reply(RequestResult { seq: SeqNum(1), ..truth(number) }),
        5 => reply(RequestResult { session: Session(u64::MAX), ..truth(number) }),
        6 => reply(truth(number)),
        _ => reply(lie(number)),
    }
}

proptest! {
    /// Loss is a step that is not drawn, duplication one that is drawn twice, reordering the order of the draws.
    #[test]
    fn any_interleaving_of_true_replies_and_f_liars_returns_the_truth(
        (n, steps) in (prop_oneof![Just(4u16), Just(6), Just(7)])
            .prop_flat_map(|n| (Just(n), prop::collection::vec(step(n, 4), 0..120))),
    ) {
        let (mut session, mut now, mut outputs) = (submitted(n, 4), START, Vec::new());
        for step in steps {
            match step {
                Step::Correct { member, number, message } => {
                    session.on_message(now, ReplicaId(member), correct_message(number, message));
                }
                Step::Liar { member, number, message } => {
                    session.on_message(now, ReplicaId(member), liar_message(number, message));
                }
                Step::Deadline => {
                    now = session.next_deadline().unwrap_or(now);
                    session.on_deadline(now);
                }
            }
            outputs.extend(session.take_outputs());
        }
        for number in 1..=4 {
            for member in (n - 1) / 3..n {
                session.on_message(now, ReplicaId(member), reply(truth(number)));
            }
        }
        outputs.extend(session.take_outputs());
        outputs.retain(|output| !matches!(output, Output::Send { .. }));
        prop_assert_eq!(outputs.len(), 4);
        for expected in (1..=4).flat_map(answered) {
            prop_assert!(outputs.contains(&expected));
        }
    }
}
