//! Every rule is fed something that breaks it, through the face that worlds use, and must say so under its name.

use std::collections::BTreeSet;

use bytes::Bytes;
use quorate::core::{Evidence, ExecutedBatch, ExecutedRequest, Footprint, JournalRecord, Notice, Recovered};
use quorate::execution::state::State;
use quorate::execution::{Position, ReplicatedState};
use quorate::genesis::Limits;
use quorate::messages::request::operation_digest;
use quorate::messages::{ReplicaMessage, Reply, RequestResult, Standing};
use quorate::{ClientId, Committee, Genesis, NodeConfig, ReplicaId, SeqNum, View, WallTime};
use quorate_crypto::KeyPair;

use super::samples::{
    ID, asked_for, batch_of, checkpoint, checkpoint_certificate, checkpoint_taken, commit_certificate, digest, entered,
    executed, header, pre_prepared, prepare, prepared_certificate, request,
};
use super::{Checks, NAMES, Posture, Turn};
use crate::tally::{Operation, Reference, account_key};

/// Four members, of whom the last is Byzantine, with a checkpoint at every fourth slot.
fn checks() -> Checks {
    let key = |seed| KeyPair::from_seed(&[seed; 32]).public();
    let genesis = Genesis {
        version: quorate::codec::FORMAT_VERSION,
        network: "checked".to_owned(),
        time: WallTime(1),
        limits: Limits { checkpoint_interval: 4, ..Limits::default() },
        committee: Committee::new((0..4).map(key).collect()).unwrap(),
        clients: vec![ClientId(key(9))],
    };
    Checks::new(&genesis, &NodeConfig::default(), (0..3).map(ReplicaId).collect())
}

fn operation() -> Bytes {
    Operation::Add { key: 1, amount: 5, salt: 0 }.encode()
}

/// A client's operation is executed, or skipped, at slot 1; gives the right answer.
fn execute(checks: &mut Checks, is_executed: bool) -> RequestResult {
    let request = request(1, &operation());
    checks.on_submit(request.id, operation());
    checks.on_apply(ID, SeqNum(1));
    let requests = vec![ExecutedRequest { id: request.id, executed: is_executed }];
    checks.on_executed(ID, &batch_of(1, vec![request.clone()]), &ExecutedBatch { requests, ..executed(1) });
    let outcome = Reference::default().execute(&operation());
    let (session, number) = (request.id.session, request.id.number);
    RequestResult { session, number, seq: SeqNum(1), index: 0, operation: operation_digest(&operation()), outcome }
}

fn state() -> ReplicatedState {
    let position = Position { chain_id: digest(1), seq: SeqNum(4), chain: digest(2), time: WallTime(5) };
    ReplicatedState { position, clients: State::new(), application: State::new() }
}

fn committed(seq: u64, mark: u8) -> Notice {
    Notice::Committed { view: View(0), seq: SeqNum(seq), digest: digest(mark) }
}

/// A step that changes nothing.
fn turn(standing: Standing) -> Turn {
    let posture = Posture { standing, low: SeqNum(0) };
    Turn { before: posture, after: posture }
}

/// The history as it should be: nothing is reported.
fn legal(checks: &mut Checks) {
    checks.on_start(ID, &Recovered::default());
    let answer = execute(checks, true);
    checks.on_reply(ID, request(1, b"").client(), &ReplicaMessage::Reply(Reply { results: vec![answer.clone()] }));
    checks.on_answer(request(1, b"").client(), &answer);
    checks.on_state(ID, &state(), state().root());
    checks.on_record_of(ID, turn(Standing::Voting), &pre_prepared(0, 1, 7));
    checks.on_record(ID, &pre_prepared(0, 1, 7));
    checks.on_durable(ID, &[pre_prepared(0, 1, 7)]);
    checks.on_send(ID, &prepare(ID, 0, 1, 7));
    checks.on_notice(ID, &committed(1, 7));
    checks.on_footprint(ID, &Footprint::default());
    checks.on_end();
}

type Broken = (&'static str, fn(&mut Checks));

/// One broken history for every name.
const BROKEN: [Broken; 23] = [
    ("agreement", |checks| [7, 8].into_iter().for_each(|mark| checks.on_notice(ID, &committed(1, mark)))),
    ("contiguous-execution", |checks| checks.on_apply(ID, SeqNum(2))),
    ("validity", |checks| checks.on_executed(ID, &batch_of(1, vec![request(1, b"never")]), &executed(1))),
    ("exactly-once", |checks| drop(execute(checks, false))),
    ("replies", |checks| {
        let wrong = RequestResult { index: 1, ..execute(checks, true) };
        checks.on_reply(ID, request(1, b"").client(), &ReplicaMessage::Reply(Reply { results: vec![wrong] }));
    }),
    ("answers", |checks| {
        let wrong = RequestResult { seq: SeqNum(2), ..execute(checks, true) };
        checks.on_answer(request(1, b"").client(), &wrong);
    }),
    ("linearizability", |checks| {
        let answer = execute(checks, true);
        (0..2).for_each(|_| checks.on_answer(request(1, b"").client(), &answer));
    }),
    ("money", |checks| {
        let mut state = state();
        state.application.insert(&account_key(3), &99u64.to_le_bytes()).unwrap();
        checks.on_state(ID, &state, state.root());
    }),
    ("root-contents", |checks| checks.on_state(ID, &state(), digest(7))),
    ("checkpoints", |checks| {
        checks.on_durable(ID, &[checkpoint_taken(4, 7)]);
        checks.on_send(ID, &checkpoint(ID, 4, 7));
    }),
    ("watermarks", |checks| checks.on_record(ID, &pre_prepared(0, 9, 7))),
    ("one-vote", |checks| {
        checks.on_durable(ID, &[pre_prepared(0, 1, 7), pre_prepared(0, 1, 8)]);
        [7, 8].into_iter().for_each(|mark| checks.on_send(ID, &prepare(ID, 0, 1, mark)));
    }),
    ("views", |checks| checks.on_record(ID, &pre_prepared(1, 1, 7))),
    ("abstaining", |checks| checks.on_record_of(ID, turn(Standing::Checking), &pre_prepared(0, 1, 7))),
    ("durable-before-sent", |checks| checks.on_send(ID, &prepare(ID, 0, 1, 7))),
    ("batch-kept", |checks| checks.on_record(ID, &JournalRecord::Committed(commit_certificate(0, 1, 7, &[0, 2, 3])))),
    ("recovery", |checks| {
        checks.on_durable(ID, &[pre_prepared(0, 1, 7)]);
        checks.on_start(ID, &Recovered::default());
    }),
    ("certificates", |checks| {
        checks.on_record(ID, &JournalRecord::CheckpointStable(checkpoint_certificate(4, 7, &[1, 3])));
    }),
    ("view-change-contents", |checks| {
        let mut recovered = Recovered::default();
        recovered.promises.prepared.insert(SeqNum(1), prepared_certificate(0, 1, 7, &[1, 3]));
        checks.on_start(ID, &recovered);
        checks.on_record(ID, &asked_for(ID, 1, vec![]));
    }),
    ("new-views", |checks| checks.on_record(ID, &entered(1))),
    ("re-proposals", |checks| {
        checks.on_notice(ID, &committed(1, 7));
        checks.on_record(ID, &entered(1));
    }),
    ("evidence", |checks| checks.on_notice(ID, &Notice::Halted)),
    ("memory", |checks| checks.on_footprint(ID, &Footprint { slots: 9, ..Footprint::default() })),
];

#[test]
fn a_legal_history_is_reported_by_nobody() {
    let mut checks = checks();
    legal(&mut checks);
    assert_eq!(checks.violation(), None);
}

#[test]
fn every_rule_reports_a_broken_history_under_its_name() {
    for (name, break_it) in BROKEN {
        let mut checks = checks();
        break_it(&mut checks);
        let violation = checks.violation().unwrap_or_else(|| panic!("{name}: nothing was reported"));
        assert_eq!(violation.checker, name, "{violation}");
    }
}

#[test]
fn every_name_has_a_broken_history() {
    let broken = BROKEN.iter().map(|(name, _)| *name);
    assert_eq!(broken.collect::<BTreeSet<_>>(), NAMES.iter().copied().collect());
}

#[test]
fn what_a_byzantine_replica_does_is_no_violation() {
    let liar = ReplicaId(3);
    let mut checks = checks();
    checks.on_send(liar, &prepare(liar, 0, 1, 7));
    checks.on_send(liar, &prepare(liar, 0, 1, 8));
    checks.on_record(liar, &pre_prepared(9, 90, 7));
    checks.on_apply(liar, SeqNum(5));
    checks.on_footprint(liar, &Footprint { slots: 1000, ..Footprint::default() });
    assert_eq!(checks.violation(), None);
}

#[test]
fn who_has_forgotten_is_believed_beyond_what_it_had_said() {
    let accused = |seq| {
        let mut checks = checks();
        checks.on_durable(ReplicaId(0), &[pre_prepared(0, 1, 7)]);
        checks.forget(ReplicaId(0));
        let header = |mark| header(ReplicaId(0), 0, seq, mark);
        checks.on_notice(ID, &Notice::Evidence(Box::new(Evidence::PrePrepares(header(7), header(8)))));
        checks.violation().map(|violation| violation.checker)
    };
    assert_eq!(accused(1), None);
    assert_eq!(accused(2), Some("evidence"));
}
