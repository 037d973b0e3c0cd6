//! A replica that tells clients wrong results, or that there is no room.

use bytes::Bytes;
use quorate::messages::{Busy, ReplicaMessage, Reply, RequestResult};
use quorate::outcome::Outcome;

use super::attack::Attack;
use super::scene::Scene;
use crate::counters::Counter;

/// The attack.
#[derive(Debug)]
pub struct LyingReplies;

impl LyingReplies {
    fn wrong(result: RequestResult, scene: &mut Scene<'_>) -> RequestResult {
        match scene.choices.below(3) {
            0 => RequestResult { outcome: Outcome::Done(Bytes::from_static(b"a lie")), ..result },
            1 => RequestResult { seq: result.seq.next(), ..result },
            _ => RequestResult { number: result.number.next(), ..result },
        }
    }
}

impl Attack for LyingReplies {
    fn on_reply(&mut self, reply: ReplicaMessage, scene: &mut Scene<'_>) -> Option<ReplicaMessage> {
        let ReplicaMessage::Reply(Reply { results }) = reply else { return Some(reply) };
        if !scene.strikes_now() {
            return Some(ReplicaMessage::Reply(Reply { results }));
        }
        scene.count(Counter::LyingReplies);
        let first = results.first().map(|result| Busy { session: result.session, number: result.number });
        match first.filter(|_| scene.choices.chance(200)) {
            Some(busy) => Some(ReplicaMessage::Busy(busy)),
            None => {
                let results = results.into_iter().map(|result| Self::wrong(result, scene)).collect();
                Some(ReplicaMessage::Reply(Reply { results }))
            }
        }
    }
}
