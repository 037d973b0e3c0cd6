//! Everything that replicas and clients read from one another. Bytes are an error or the one value with exactly that
//! encoding; judging the value ends, whatever it says.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use quorate::batch::Batch;
use quorate::client::{ClientSession, Identity, Output, Retry};
use quorate::codec;
use quorate::core::JournalRecord;
use quorate::execution::{Receipt, ReceiptBuilder};
use quorate::messages::client::AttestedResult;
use quorate::messages::{ClientMessage, Message, ReplicaMessage, Verifier};
use quorate::{Instant, WallTime};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::cast::{Cast, SESSION, client_key};

/// A value whose encoding these bytes are.
pub(super) fn read<T: DeserializeOwned + Serialize + Debug>(bytes: &[u8]) -> Option<T> {
    let value: T = codec::decode(bytes).ok()?;
    assert_eq!(codec::encode(&value), bytes, "one value has one encoding: {value:?}");
    Some(value)
}

/// A message between replicas, and both verdicts: with signatures that are checked, and with ones that are believed.
pub fn message(bytes: &[u8]) {
    let Some(message) = read::<Message>(bytes) else { return };
    assert!(!message.kind().is_empty());
    let cast = Cast::get();
    let judge = |verifier: &Verifier| {
        let is_valid = verifier.message(message.clone()).map(|verified| assert_eq!(verified.get(), &message)).is_ok();
        // A verdict depends on nothing but the message.
        assert_eq!(verifier.message(message.clone()).is_ok(), is_valid);
        is_valid
    };
    let is_valid = judge(&cast.verifier);
    assert!(judge(&cast.credulous) || !is_valid, "what is valid stays so when signatures are believed");
}

/// What a client sends.
pub fn client_message(bytes: &[u8]) {
    let Some(message) = read::<ClientMessage>(bytes) else { return };
    let ClientMessage::Request(request) = message else { return };
    let cast = Cast::get();
    let is_valid = cast.verifier.request(request.clone()).is_ok();
    assert!(
        cast.credulous.request(request).is_ok() || !is_valid,
        "what is valid stays so when signatures are believed"
    );
}

/// What a replica tells a client. One member alone makes a client believe nothing.
pub fn replica_message(bytes: &[u8]) {
    let Some(message) = read::<ReplicaMessage>(bytes) else { return };
    let cast = Cast::get();
    let (genesis, context) = (Arc::clone(&cast.genesis), cast.credulity.clone());
    let identity = Identity { genesis, context, key: client_key(0) };
    let retry = Retry { first: Duration::from_millis(1), cap: Duration::from_secs(1) };
    let mut session = ClientSession::new(identity, SESSION, retry);
    for operation in ["0/1", "0/2", "0/3"] {
        session.submit(Instant(0), Bytes::from(operation)).expect("three fit into the window");
    }
    drop(session.take_outputs());
    let mut members = cast.members().into_iter();
    if let Some(first) = members.next() {
        session.on_message(Instant(1), first, message.clone());
        session.on_message(Instant(2), first, message.clone());
        let is_decided = |output: &Output| !matches!(output, Output::Send { .. });
        assert!(!session.take_outputs().iter().any(is_decided), "one member decided alone: {message:?}");
    }
    for (now, member) in (3..).zip(members) {
        session.on_message(Instant(now), member, message.clone());
        session.on_deadline(Instant(now));
    }
    if let ReplicaMessage::Attestation(part) = message {
        add_to_receipt(part);
    }
}

fn add_to_receipt(part: AttestedResult) {
    let cast = Cast::get();
    let receipt = Receipt::decode(&super::samples::receipt()).expect("a valid receipt");
    let mut builder = ReceiptBuilder::new(receipt.client, receipt.result);
    let _verdict = builder.add(part, &cast.genesis.committee, &cast.credulity);
}

/// A receipt, as it is handed to a third party.
pub fn receipt(bytes: &[u8]) {
    let Some(receipt) = read::<Receipt>(bytes) else { return };
    assert_eq!(Receipt::decode(bytes).as_ref(), Ok(&receipt));
    let cast = Cast::get();
    let committee = &cast.genesis.committee;
    let is_valid = receipt.verify(committee, &cast.context).is_ok();
    assert!(receipt.verify(committee, &cast.credulity).is_ok() || !is_valid, "believed signatures refute nothing");
}

/// A record of the journal, and a batch as it is stored and sent.
pub fn record(bytes: &[u8]) {
    let _record = read::<JournalRecord>(bytes);
    if let Ok(batch) = Batch::from_body(WallTime(1), Bytes::copy_from_slice(bytes)) {
        assert_eq!(batch.body(), bytes);
        assert_eq!(Batch::new(WallTime(1), batch.requests().to_vec()).body(), bytes, "one batch has one body");
    }
}
