//! A toy key-value store, a small network, and how to hand batches to it.

use std::sync::Arc;

use bytes::Bytes;
use quorate_crypto::{Digest, Ed25519, KeyPair, Signature};

use crate::batch::{Batch, CommittedBatch, null_digest};
use crate::committee::Committee;
use crate::execution::state::{State, StateView};
use crate::execution::{Applied, Context, Executor, Refusal, Replies, Signer, StateMachine, StateMachineApplication};
use crate::genesis::{Genesis, Limits};
use crate::messages::client::RequestResult;
use crate::messages::{Checkpoint, CheckpointCertificate, ReplicaMessage, Request, SigningContext, VoteSignature};
use crate::outcome::{Outcome, SkipReason};
use crate::types::{ClientId, ReplicaId, RequestId, RequestNumber, SeqNum, Session, WallTime};

pub(super) const GENESIS_TIME: WallTime = WallTime(1_000);

/// Operations are words: a verb, a key or a number, a number.
pub(super) struct KeyValue;

impl StateMachine for KeyValue {
    fn execute(&self, context: &Context, operation: &[u8], state: &mut State) -> Outcome {
        let text = String::from_utf8_lossy(operation).into_owned();
        let words: Vec<&str> = text.split(' ').collect();
        run(context, &words, state).unwrap_or_else(|outcome| outcome)
    }

    fn query(&self, query: &[u8], view: &StateView) -> Outcome {
        assert_ne!(query, b"panic", "on purpose");
        view.get(query).map_or(Outcome::Refused(Bytes::new()), |value| Outcome::Done(value.to_vec().into()))
    }

    fn admit(&self, operation: &[u8]) -> Result<(), Refusal> {
        assert_ne!(operation, b"panic", "on purpose");
        if operation.is_empty() { Err(Refusal(Bytes::from_static(b"empty"))) } else { Ok(()) }
    }
}

fn run(context: &Context, words: &[&str], state: &mut State) -> Result<Outcome, Outcome> {
    let number = |index: usize| words.get(index).and_then(|word| word.parse().ok()).unwrap_or(0usize);
    match words {
        ["add", key, _] => {
            let before = state.get(key.as_bytes()).map_or(0, |value| String::from_utf8_lossy(value).parse().unwrap());
            let after = (before + number(2)).to_string();
            state.insert(key.as_bytes(), after.as_bytes())?;
            return Ok(Outcome::Done(after.into()));
        }
        ["remove", key] => {
            state.remove(key.as_bytes());
        }
        ["insert", ..] => state.insert(&vec![b'k'; number(1)], &vec![b'v'; number(2)])?,
        ["ignore", ..] => drop(state.insert(&vec![b'k'; number(1)], &vec![b'v'; number(2)])),
        ["time"] => state.insert(b"time", &context.time.0.to_le_bytes())?,
        ["answer", _] => {
            state.insert(b"trace", b"left")?;
            return Ok(Outcome::Done(vec![b'a'; number(1)].into()));
        }
        ["refuse", _] => {
            state.insert(b"trace", b"left")?;
            return Ok(Outcome::Refused(vec![b'r'; number(1)].into()));
        }
        ["panic"] => {
            state.insert(b"trace", b"left")?;
            panic!("on purpose");
        }
        ["skip"] => {
            state.insert(b"trace", b"left")?;
            return Ok(Outcome::Skipped(SkipReason::OutsideWindow));
        }
        _ => {}
    }
    Ok(Outcome::Done(Bytes::new()))
}

pub(super) type TestExecutor = Executor<StateMachineApplication<KeyValue>>;

pub(super) struct World {
    pub(super) genesis: Genesis,
    pub(super) members: Vec<KeyPair>,
    pub(super) context: SigningContext,
}

pub(super) fn limits() -> Limits {
    Limits { checkpoint_interval: 4, client_window: 4, outcome_bytes_max: 64, ..Limits::default() }
}

impl World {
    pub(super) fn new(limits: Limits) -> Self {
        let members: Vec<_> = (1..=4).map(|i| KeyPair::from_seed(&[i; 32])).collect();
        let genesis = Genesis {
            version: 1,
            network: "test".to_owned(),
            time: GENESIS_TIME,
            limits,
            committee: Committee::new(members.iter().map(KeyPair::public).collect()).unwrap(),
            clients: (0..4).map(client).collect(),
        };
        let context = SigningContext::new(Arc::new(Ed25519), genesis.chain_id(), genesis.epoch());
        World { genesis, members, context }
    }

    pub(super) fn signer(&self, replica: u16) -> Signer {
        let key = self.members[usize::from(replica)].clone();
        Signer { id: ReplicaId(replica), key, context: self.context.clone() }
    }

    pub(super) fn application(&self) -> StateMachineApplication<KeyValue> {
        StateMachineApplication::new(Arc::new(KeyValue), &self.genesis.limits)
    }

    pub(super) fn executor(&self, replica: u16) -> TestExecutor {
        Executor::new(&self.genesis, self.application(), self.signer(replica))
    }

    /// The certificate of the first Q members.
    pub(super) fn certificate(&self, seq: SeqNum, root: Digest) -> CheckpointCertificate {
        let checkpoint = Checkpoint { seq, root };
        let sign = |signer| {
            let Signer { id, key, context } = self.signer(signer);
            VoteSignature { signer: id, signature: context.sign(&key, id, checkpoint).signature }
        };
        CheckpointCertificate { checkpoint, signatures: (0..3).map(sign).collect() }
    }
}

pub(super) fn client(number: u8) -> ClientId {
    ClientId(KeyPair::from_seed(&[100 + number; 32]).public())
}

pub(super) fn id(from: u8, session: u64, number: u64) -> RequestId {
    RequestId { client: client(from), session: Session(session), number: RequestNumber(number) }
}

/// The executor verifies no signatures.
pub(super) fn request(id: RequestId, operation: &str) -> Request {
    Request { id, operation: Bytes::from(operation.to_owned()), signature: Signature::from_bytes([0; 64]) }
}

pub(super) fn batch(seq: u64, time: u64, requests: Vec<Request>) -> CommittedBatch {
    let batch = Batch::new(WallTime(time), requests);
    CommittedBatch { seq: SeqNum(seq), digest: batch.digest(SeqNum(seq)), batch: Some(batch) }
}

pub(super) fn null_batch(seq: u64) -> CommittedBatch {
    CommittedBatch { seq: SeqNum(seq), digest: null_digest(SeqNum(seq)), batch: None }
}

/// Executes the requests in the next slot.
pub(super) fn apply(executor: &mut TestExecutor, requests: Vec<Request>) -> Applied {
    let seq = executor.executed().next().0;
    executor.apply(&batch(seq, 2_000 + seq, requests), Replies::Send)
}

/// The results in the replies to all clients.
pub(super) fn results(applied: &Applied) -> Vec<RequestResult> {
    let results = applied.replies.iter().map(|(_, message)| {
        let ReplicaMessage::Reply(reply) = message else { panic!("not a reply: {message:?}") };
        reply.results.clone()
    });
    results.flatten().collect()
}

/// Executes one operation of client 0 and gives its outcome.
pub(super) fn outcome_of(executor: &mut TestExecutor, operation: &str) -> Outcome {
    let number = executor.executed().next().0;
    let applied = apply(executor, vec![request(id(0, 1, number), operation)]);
    results(&applied).remove(0).outcome
}

pub(super) fn read(executor: &TestExecutor, key: &str) -> Option<Bytes> {
    match executor.read(key.as_bytes()).1 {
        Outcome::Done(bytes) => Some(bytes),
        Outcome::Refused(_) | Outcome::OverLimit(_) | Outcome::Panicked | Outcome::Skipped(_) => None,
    }
}

pub(super) fn done(text: &str) -> Outcome {
    Outcome::Done(Bytes::from(text.to_owned()))
}
