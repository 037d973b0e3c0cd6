//! The asynchronous client over a committee that answers at once, or not at all. Time is tokio's paused clock.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use crate::proofs;
use crate::world::{identity, operation, reply};
use bytes::Bytes;
use quorate::client::{Client, ClientError, ClientInbox, ClientOptions, ClientTransport, Failure};
use quorate::clock::Clock;
use quorate::messages::request::operation_digest;
use quorate::messages::{Busy, ClientMessage, RefusalReason, Refused, ReplicaMessage, Request, RequestResult};
use quorate::outcome::Outcome;
use quorate::{Instant, Now, ReplicaId, SeqNum, WallTime};

/// tokio's clock, which the tests hold still.
#[derive(Debug)]
struct PausedClock(tokio::time::Instant);

impl Clock for PausedClock {
    fn now(&self) -> Now {
        let elapsed = self.0.elapsed();
        Now { monotonic: Instant(0).plus(elapsed), wall: WallTime(100).plus(elapsed) }
    }
}

type Behaviour = dyn Fn(ReplicaId, ClientMessage) -> Option<ReplicaMessage> + Send + Sync;

/// Members that answer as the test says, in the moment in which they are asked.
struct Members {
    behaviour: Box<Behaviour>,
    inbox: OnceLock<ClientInbox>,
    asked: Mutex<Vec<ReplicaId>>,
}

impl ClientTransport for Members {
    fn send(&self, to: ReplicaId, frame: Bytes) {
        self.asked.lock().expect("no test panics with the lock").push(to);
        let message = ClientMessage::decode(&frame).expect("clients send what members read");
        if let (Some(inbox), Some(answer)) = (self.inbox.get(), (self.behaviour)(to, message)) {
            inbox.deliver(to, answer.encode());
        }
    }
}

fn start(
    behaviour: impl Fn(ReplicaId, ClientMessage) -> Option<ReplicaMessage> + Send + Sync + 'static,
) -> (Client, Arc<Members>) {
    let members = Arc::new(Members { behaviour: Box::new(behaviour), inbox: OnceLock::new(), asked: Mutex::default() });
    let clock = Arc::new(PausedClock(tokio::time::Instant::now()));
    let options = ClientOptions { timeout: Duration::from_secs(10), ..ClientOptions::default() };
    let (client, inbox) = Client::start(identity(4, 4), options, Arc::clone(&members) as _, clock);
    assert!(members.inbox.set(inbox).is_ok());
    (client, members)
}

fn executed(request: &Request) -> RequestResult {
    RequestResult {
        session: request.id.session,
        number: request.id.number,
        seq: SeqNum(request.id.number.0),
        index: 0,
        operation: request.operation_digest(),
        outcome: Outcome::Done(request.operation.clone()),
    }
}

fn request(message: ClientMessage) -> Option<Request> {
    match message {
        ClientMessage::Request(request) => Some(request),
        ClientMessage::Attest { .. } | ClientMessage::Query { .. } => None,
    }
}

/// What a correct member does.
fn execute(message: ClientMessage) -> Option<ReplicaMessage> {
    request(message).map(|request| reply(executed(&request)))
}

#[tokio::test(start_paused = true)]
async fn calls_of_all_clones_get_their_own_results_however_small_the_window() {
    let (client, _) = start(|_, message| execute(message));
    let calls: Vec<_> = (0..40)
        .map(|n| {
            let client = client.clone();
            tokio::spawn(async move { (n, client.submit(operation(n)).await) })
        })
        .collect();
    let mut numbers = BTreeSet::new();
    for call in calls {
        let (n, result) = call.await.unwrap();
        let result = result.unwrap();
        assert_eq!(result.operation, operation_digest(&operation(n)));
        assert_eq!(result.outcome, Outcome::Done(operation(n)));
        numbers.insert(result.number);
    }
    assert_eq!(numbers.len(), 40);
}

#[tokio::test(start_paused = true)]
async fn a_lying_member_that_answers_first_is_not_believed() {
    let (client, _) = start(|member, message| {
        let result = executed(&request(message)?);
        let lie = RequestResult { outcome: Outcome::Panicked, ..result.clone() };
        Some(reply(if member == ReplicaId(0) { lie } else { result }))
    });
    assert_eq!(client.submit(operation(1)).await.unwrap().outcome, Outcome::Done(operation(1)));
}

#[tokio::test(start_paused = true)]
async fn frames_that_are_no_messages_end_nothing() {
    let (client, members) = start(|_, message| execute(message));
    for garbage in [&b""[..], b"\x01", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff", &[1; 5000]] {
        members.inbox.get().unwrap().deliver(ReplicaId(2), Bytes::copy_from_slice(garbage));
    }
    assert!(client.submit(operation(1)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_timeout_names_who_said_what_and_who_nothing() {
    let (client, _) = start(|member, message| {
        let request = request(message)?;
        let lie = RequestResult { outcome: Outcome::Panicked, ..executed(&request) };
        (member == ReplicaId(2)).then(|| reply(lie))
    });
    let error = client.submit(operation(1)).await.unwrap_err();
    let ClientError::TimedOut { answers, .. } = &error else { panic!("{error}") };
    assert_eq!(answers.silent, [ReplicaId(0), ReplicaId(1), ReplicaId(3)]);
    let text = error.to_string();
    let expected = "no result after 10s: 2 equal answers are needed; replica 2 said: executed in slot 1 at place 0";
    assert!(text.starts_with(expected), "{text}");
    assert!(text.ends_with("check that replica 0, 1, 3 runs and can be reached from here"), "{text}");
    assert!(text.contains("may still be executed"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_timeout_in_an_overloaded_network_says_so() {
    let (client, _) = start(|_, message| {
        let id = request(message)?.id;
        Some(ReplicaMessage::Busy(Busy { session: id.session, number: id.number }))
    });
    let text = client.submit(operation(1)).await.unwrap_err().to_string();
    assert!(text.contains("replica 3 said: busy") && text.ends_with("send less, or wait longer"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn what_never_found_room_in_the_window_is_known_not_to_be_executed() {
    let (client, _) = start(|_, _| None);
    let calls: Vec<_> = (0..6)
        .map(|n| {
            let client = client.clone();
            tokio::spawn(async move { client.submit(operation(n)).await.unwrap_err() })
        })
        .collect();
    let mut not_sent = 0;
    for call in calls {
        let error = call.await.unwrap();
        let is_not_sent = matches!(error, ClientError::NotSent { .. });
        assert!(is_not_sent || matches!(error, ClientError::TimedOut { .. }), "{error}");
        not_sent += u32::from(is_not_sent);
    }
    assert_eq!(not_sent, 2, "the window has room for 4 of 6");
}

#[tokio::test(start_paused = true)]
async fn refusals_and_oversized_operations_are_errors_at_once() {
    let (client, _) = start(|_, message| {
        let request = request(message)?;
        let (session, number, operation) = (request.id.session, request.id.number, request.operation_digest());
        Some(ReplicaMessage::Refused(Refused { session, number, operation, reason: RefusalReason::NotAuthentic }))
    });
    let refused = client.submit(operation(1)).await.unwrap_err();
    assert_eq!(refused, ClientError::Failed(Failure::Refused(RefusalReason::NotAuthentic)));
    assert!(matches!(client.submit(vec![0; 65].into()).await, Err(ClientError::NotAccepted(_))));
}

#[tokio::test(start_paused = true)]
async fn a_refused_number_that_is_used_again_gives_every_caller_its_own_result() {
    let (client, _) = start(|_, message| {
        let request = request(message)?;
        if request.operation.ends_with(b"1") {
            let (session, number, operation) = (request.id.session, request.id.number, request.operation_digest());
            let reason = RefusalReason::NotAdmitted(request.operation);
            return Some(ReplicaMessage::Refused(Refused { session, number, operation, reason }));
        }
        Some(reply(executed(&request)))
    });
    let calls: Vec<_> = (0..40)
        .map(|n| {
            let client = client.clone();
            tokio::spawn(async move { (n, client.submit(operation(n)).await) })
        })
        .collect();
    for call in calls {
        let (n, result) = call.await.unwrap();
        let refused = Failure::Refused(RefusalReason::NotAdmitted(operation(n)));
        match result {
            Ok(result) => assert_eq!(result.outcome, Outcome::Done(operation(n))),
            Err(error) => assert_eq!(error, ClientError::Failed(refused)),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_cut_off_is_not_asked_first() {
    let (client, members) = start(|_, message| execute(message));
    members.inbox.get().unwrap().link(ReplicaId(0), false);
    tokio::task::yield_now().await;
    assert!(client.submit(operation(1)).await.is_ok());
    assert_eq!(members.asked.lock().unwrap().first(), Some(&ReplicaId(1)));
}

#[tokio::test(start_paused = true)]
async fn a_proven_read_takes_the_newest_valid_answer_of_a_weak_quorum() {
    let old = proofs::answerer(4, &[(b"k", b"old")]);
    let new = proofs::answerer(8, &[(b"k", b"new"), (b"l", b"other")]);
    let (client, _) = start(move |member, message| match member.0 {
        0 => old(message),
        1 => new(message).map(proofs::with_other_parts),
        2 => new(message),
        _ => None,
    });
    let value = client.query_proven(Bytes::from_static(b"k")).await.unwrap();
    assert_eq!((value.seq, value.value), (SeqNum(8), Some(Bytes::from_static(b"new"))));
    let absent = client.query_proven(Bytes::from_static(b"m")).await.unwrap();
    assert_eq!((absent.seq, absent.value), (SeqNum(8), None));
}

#[tokio::test(start_paused = true)]
async fn a_proven_read_without_enough_valid_answers_names_who_is_missing() {
    let valid = proofs::answerer(4, &[(b"k", b"v")]);
    let (client, _) = start(move |member, message| match member.0 {
        0 => valid(message),
        1 => valid(message).map(proofs::with_other_parts),
        2 => valid(message).map(proofs::with_other_proof),
        _ => valid(message).map(proofs::with_fewer_signatures),
    });
    let error = client.query_proven(Bytes::from_static(b"k")).await.unwrap_err();
    let silent = vec![ReplicaId(1), ReplicaId(2), ReplicaId(3)];
    let answered = vec![ReplicaId(0)];
    assert_eq!(error, ClientError::NoProof { after: Duration::from_secs(10), answered, silent, needed: 2 });
}

#[tokio::test(start_paused = true)]
async fn a_receipt_needs_valid_equal_attestations_of_a_weak_quorum() {
    let (client, _) = start(move |member, message| match message {
        ClientMessage::Request(request) => Some(reply(executed(&request))),
        ClientMessage::Query { .. } => None,
        ClientMessage::Attest { .. } => match member.0 {
            0 => Some(proofs::attestation(ReplicaId(3), operation(1))),
            1 => Some(proofs::attestation(member, operation(2))),
            _ => Some(proofs::attestation(member, operation(1))),
        },
    });
    let result = client.submit(operation(1)).await.unwrap();
    let receipt = client.receipt(result).await.unwrap();
    let identity = identity(4, 4);
    assert_eq!(receipt.verify(&identity.genesis.committee, &identity.context), Ok(()));
    assert!(receipt.is_for(&operation(1)));
    assert_eq!(receipt.signatures.iter().map(|vote| vote.signer.0).collect::<Vec<_>>(), [2, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_result_that_a_weak_quorum_does_not_attest_any_more_is_too_old() {
    let (client, _) = start(move |member, message| match message {
        ClientMessage::Request(request) => Some(reply(executed(&request))),
        ClientMessage::Query { .. } => None,
        ClientMessage::Attest { seq, index } => {
            let from = SeqNum(if member == ReplicaId(0) { 1 } else { 700 });
            Some(ReplicaMessage::NotAttested { seq, index, from, to: SeqNum(900) })
        }
    });
    let result = client.submit(operation(1)).await.unwrap();
    let error = client.receipt(result).await.unwrap_err();
    assert_eq!(error, ClientError::TooOldToAttest { seq: SeqNum(1), oldest: SeqNum(700) });
}
