//! A client and a committee without sockets: what every test of clients needs.

use std::sync::Arc;

use bytes::Bytes;
use quorate::client::{ClientSession, Identity, Output, Retry};
use quorate::genesis::Limits;
use quorate::messages::request::operation_digest;
use quorate::messages::{Busy, ClientMessage, RefusalReason, Refused, ReplicaMessage, Reply, Request, RequestResult};
use quorate::messages::{SigningContext, Verifier};
use quorate::outcome::Outcome;
use quorate::{ClientId, Committee, Genesis, ReplicaId, RequestNumber, SeqNum, Session, WallTime};
use quorate_crypto::{Ed25519, KeyPair};

pub(crate) const SESSION: Session = Session(100);

pub(crate) fn member_key(member: ReplicaId) -> KeyPair {
    KeyPair::from_seed(&[1 + member.0 as u8; 32])
}

/// A client of a committee with `n` members and a client window of `window`.
pub(crate) fn identity(n: u16, window: u64) -> Identity {
    let key = KeyPair::from_seed(&[200; 32]);
    let members = (0..n).map(|member| member_key(ReplicaId(member)).public()).collect();
    let committee = Committee::new(members).expect("the tests choose sizes of committees");
    let genesis = Genesis {
        version: 1,
        network: "test".to_owned(),
        time: WallTime(0),
        limits: Limits { client_window: window, operation_bytes_max: 64, checkpoint_interval: 4, ..Limits::default() },
        committee,
        clients: vec![ClientId(key.public())],
    };
    let context = SigningContext::new(Arc::new(Ed25519), genesis.chain_id(), genesis.epoch());
    Identity { genesis: Arc::new(genesis), context, key }
}

pub(crate) fn session(n: u16, window: u64) -> ClientSession {
    ClientSession::new(identity(n, window), SESSION, Retry::default())
}

pub(crate) fn verifier(identity: &Identity) -> Verifier {
    Verifier::new(Arc::clone(&identity.genesis), identity.context.clone(), 0)
}

/// The operation that the tests send as their `n`th.
pub(crate) fn operation(n: u64) -> Bytes {
    Bytes::from(format!("operation {n}"))
}

/// What correct replicas answer to the `n`th operation under number `n`.
pub(crate) fn truth(n: u64) -> RequestResult {
    RequestResult {
        session: SESSION,
        number: RequestNumber(n),
        seq: SeqNum(10 + n),
        index: 3,
        operation: operation_digest(&operation(n)),
        outcome: Outcome::Done(Bytes::from(format!("result {n}"))),
    }
}

pub(crate) fn reply(result: RequestResult) -> ReplicaMessage {
    ReplicaMessage::Reply(Reply { results: vec![result] })
}

pub(crate) fn refused(n: u64, reason: RefusalReason) -> ReplicaMessage {
    let operation = operation_digest(&operation(n));
    ReplicaMessage::Refused(Refused { session: SESSION, number: RequestNumber(n), operation, reason })
}

pub(crate) fn busy(n: u64) -> ReplicaMessage {
    ReplicaMessage::Busy(Busy { session: SESSION, number: RequestNumber(n) })
}

/// Who was sent which request.
pub(crate) fn requests(outputs: &[Output]) -> Vec<(ReplicaId, &Request)> {
    let request = |output| match output {
        &Output::Send { to, message: ClientMessage::Request(ref request) } => Some((to, request)),
        Output::Send { message: ClientMessage::Attest { .. } | ClientMessage::Query { .. }, .. }
        | Output::Answered { .. }
        | Output::Failed { .. }
        | Output::SessionRenewed { .. } => None,
    };
    outputs.iter().filter_map(request).collect()
}

pub(crate) fn receivers(outputs: &[Output]) -> Vec<u16> {
    requests(outputs).iter().map(|(to, _)| to.0).collect()
}
