//! Bytes from outside that are no message, at every decoder: cut, changed, with lengths that lie, or random. Each gives
//! an error or the one value with exactly that encoding; never a panic. A length that is believed before its bytes are
//! there would reserve up to 2^64 bytes and end the test at once.
//!
//! Keeps out: 40 (an index out of range, two lengths that disagree), 41 (a bad message ends the receiver), 44 (overflow in
//! sums), 46 (a client sends a message type meant for replicas).

use std::fmt::Debug;

use bytes::Bytes;
use proptest::prelude::*;
use quorate::WallTime;
use quorate::batch::Batch;
use quorate::codec::{self, DecodeError};
use quorate::core::JournalRecord;
use quorate::messages::{ClientMessage, Message, ReplicaMessage};

use crate::support::{World, client_messages, messages, records, replica_messages, sparse_messages};

const BOMBS: [u64; 5] = [u64::MAX, 1 << 63, 1 << 40, 1 << 31, 1 << 20];

/// One decoder, with what it must make of every input: an error, or a value whose encoding is the input.
struct Decoder {
    name: &'static str,
    round_trip: fn(&[u8]) -> Result<Vec<u8>, DecodeError>,
    samples: Vec<Vec<u8>>,
}

impl Decoder {
    fn feed(&self, bytes: &[u8]) -> bool {
        match (self.round_trip)(bytes) {
            Ok(again) => {
                assert_eq!(again, bytes, "{}: one value has one encoding", self.name);
                true
            }
            Err(_) => false,
        }
    }
}

fn encoded<T: Debug>(values: Vec<T>, encode: impl Fn(&T) -> Vec<u8>) -> Vec<Vec<u8>> {
    values.iter().map(encode).collect()
}

fn decoders() -> Vec<Decoder> {
    let world = World::new(4);
    let all_messages = [messages(&world), sparse_messages(&world)].concat();
    vec![
        Decoder {
            name: "Message",
            round_trip: |bytes| Message::decode(bytes).map(|message| message.encode().to_vec()),
            samples: encoded(all_messages, |message| message.encode().to_vec()),
        },
        Decoder {
            name: "ClientMessage",
            round_trip: |bytes| ClientMessage::decode(bytes).map(|message| message.encode().to_vec()),
            samples: encoded(client_messages(&world), |message| message.encode().to_vec()),
        },
        Decoder {
            name: "ReplicaMessage",
            round_trip: |bytes| ReplicaMessage::decode(bytes).map(|message| message.encode().to_vec()),
            samples: encoded(replica_messages(&world), |message| message.encode().to_vec()),
        },
        Decoder {
            name: "JournalRecord",
            round_trip: |bytes| codec::decode::<JournalRecord>(bytes).map(|record| codec::encode(&record)),
            samples: encoded(records(&world), codec::encode),
        },
        Decoder {
            name: "Batch",
            round_trip: |bytes| {
                Batch::from_body(WallTime(1), Bytes::copy_from_slice(bytes)).map(|batch| batch.body().to_vec())
            },
            samples: vec![world.batch(&[1, 2]).body().to_vec(), world.batch(&[]).body().to_vec()],
        },
    ]
}

#[test]
fn what_is_written_can_be_read() {
    for decoder in decoders() {
        assert!(decoder.samples.iter().all(|sample| decoder.feed(sample)), "{}", decoder.name);
    }
}

#[test]
fn nothing_that_is_cut_or_has_bytes_behind_it_is_read() {
    for decoder in decoders() {
        for sample in &decoder.samples {
            for end in 0..sample.len() {
                assert!(!decoder.feed(&sample[..end]), "{} cut at {end}", decoder.name);
            }
            for more in [0, 1, 255] {
                assert!(!decoder.feed(&[&sample[..], &[more]].concat()), "{} with a byte behind", decoder.name);
            }
        }
    }
}

#[test]
fn a_length_that_lies_does_not_reserve_memory_nor_panic() {
    for decoder in decoders() {
        for sample in &decoder.samples {
            for place in 0..sample.len().saturating_sub(8) {
                for bomb in BOMBS {
                    let mut bytes = sample.clone();
                    bytes[place..place + 8].copy_from_slice(&bomb.to_le_bytes());
                    decoder.feed(&bytes);
                }
            }
        }
    }
}

#[test]
fn another_version_is_not_read() {
    for decoder in decoders().iter().filter(|decoder| decoder.name != "Batch") {
        for sample in &decoder.samples {
            for version in [0, 2, 255] {
                let bytes = [&[version], &sample[1..]].concat();
                assert_eq!((decoder.round_trip)(&bytes), Err(DecodeError::Version(version)));
            }
        }
        assert_eq!((decoder.round_trip)(&[]), Err(DecodeError::Empty));
    }
}

#[test]
fn a_message_meant_for_replicas_is_none_of_a_client_nor_the_other_way_round() {
    let world = World::new(4);
    let forward = Message::Forward(world.request(0, 1));
    for message in messages(&world).into_iter().filter(|message| *message != forward) {
        assert!(ClientMessage::decode(&message.encode()).is_err(), "{}", message.kind());
    }
    for message in replica_messages(&world) {
        assert!(ClientMessage::decode(&message.encode()).is_err(), "{message:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn changed_bits_are_an_error_or_another_message(
        sample in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0u8..8), 1..4),
    ) {
        for decoder in decoders() {
            let mut bytes = decoder.samples[sample.index(decoder.samples.len())].clone();
            for (place, bit) in &changes {
                let place = place.index(bytes.len());
                bytes[place] ^= 1 << bit;
            }
            decoder.feed(&bytes);
        }
    }

    #[test]
    fn random_bytes_are_an_error_or_a_message(
        kind in 0u32..24,
        rest in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let with_kind = [&[codec::FORMAT_VERSION][..], &kind.to_le_bytes(), &rest].concat();
        for decoder in decoders() {
            decoder.feed(&rest);
            decoder.feed(&with_kind);
        }
    }
}
