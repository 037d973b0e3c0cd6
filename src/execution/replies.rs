//! The replies that a batch's results make.

use std::collections::BTreeMap;

use crate::messages::ReplicaMessage;
use crate::messages::client::{Reply, RequestResult};
use crate::outcome::Outcome;
use crate::types::ClientId;

/// How many bytes of results one reply carries: half a frame.
const REPLY_BYTES_MAX: usize = 1 << 20;

/// At least what a result weighs beside the bytes of its outcome.
const RESULT_OVERHEAD_BYTES: usize = 96;

/// One reply for each client, in the order of execution; several only when one would not fit into a frame.
pub(super) fn replies_of(executed: Vec<(ClientId, RequestResult)>) -> Vec<(ClientId, ReplicaMessage)> {
    let mut by_client: BTreeMap<ClientId, Vec<RequestResult>> = BTreeMap::new();
    for (client, result) in executed {
        by_client.entry(client).or_default().push(result);
    }
    let messages = |(client, results)| {
        split(results).into_iter().map(move |results| (client, ReplicaMessage::Reply(Reply { results })))
    };
    by_client.into_iter().flat_map(messages).collect()
}

fn split(results: Vec<RequestResult>) -> Vec<Vec<RequestResult>> {
    let mut parts: Vec<Vec<RequestResult>> = Vec::new();
    let mut bytes = 0;
    for result in results {
        let more = RESULT_OVERHEAD_BYTES + outcome_bytes(&result.outcome);
        match parts.last_mut() {
            Some(part) if bytes + more <= REPLY_BYTES_MAX => {
                part.push(result);
                bytes += more;
            }
            Some(_) | None => {
                parts.push(vec![result]);
                bytes = more;
            }
        }
    }
    parts
}

fn outcome_bytes(outcome: &Outcome) -> usize {
    match outcome {
        Outcome::Done(bytes) | Outcome::Refused(bytes) => bytes.len(),
        Outcome::OverLimit(_) | Outcome::Panicked | Outcome::Skipped(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use quorate_crypto::{Digest, PublicKey};

    use super::*;
    use crate::types::{RequestNumber, SeqNum, Session};

    fn result(number: u64, bytes: usize) -> RequestResult {
        RequestResult {
            session: Session(1),
            number: RequestNumber(number),
            seq: SeqNum(1),
            index: 0,
            operation: Digest::ZERO,
            outcome: Outcome::Done(vec![7; bytes].into()),
        }
    }

    #[test]
    fn each_client_gets_one_reply_with_its_results_in_order() {
        let [a, b] = [1, 2].map(|i| ClientId(PublicKey::from_bytes([i; 32])));
        let replies = replies_of(vec![(b, result(2, 1)), (a, result(1, 1)), (b, result(1, 1))]);
        let reply = |results| ReplicaMessage::Reply(Reply { results });
        assert_eq!(replies, [(a, reply(vec![result(1, 1)])), (b, reply(vec![result(2, 1), result(1, 1)]))]);
    }

    #[test]
    fn no_reply_outgrows_a_frame() {
        let client = ClientId(PublicKey::from_bytes([1; 32]));
        let results = (1..=1024).map(|number| (client, result(number, 8 << 10))).collect();
        let replies = replies_of(results);
        let frames: Vec<Bytes> = replies.iter().map(|(_, message)| message.encode()).collect();
        assert!(frames.iter().all(|frame| frame.len() <= REPLY_BYTES_MAX + 1024), "{:?}", frames.len());
        assert_eq!(replies.len(), 9);
    }
}
