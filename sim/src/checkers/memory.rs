//! `memory`: a correct replica never holds more than the analytic bound, whatever anybody sends.
//!
//! With n members, L slots in the window and the limits of the request pool:
//!
//! | What | At most | Because |
//! | --- | --- | --- |
//! | slots | L | nothing outside the window is kept |
//! | votes | 2·n·L | one Prepare and one Commit of each member for a slot |
//! | batches | 3·L | only what is accepted, prepared or committed at a slot |
//! | held votes | 4·n | the last vote of each kind and the highest ViewChange of each member |
//! | view changes | 2·n + n·n | the highest ViewChange and one waiting NewView of each, whose ViewChanges have n signers |
//! | Checkpoints | 2·n, and 8 own ones | the latest two of each |
//! | requests | the pool's limits | |
//! | slots in Status | (n−1)·L | the last Status of each other member |
//! | questions | L + 3·n | one for each missing batch; who was asked, has answered or cannot help |
//! | certificates beyond the window | L | the latest |
//! | chain hashes | L | the latest |
//! | clients | those of the genesis | |

use quorate::core::Footprint;
use quorate::{NodeConfig, ReplicaId};

use super::rules::Rules;

/// What one replica may hold.
#[derive(Clone, Debug)]
pub(super) struct Memory(Footprint);

impl Memory {
    pub(super) fn new(rules: &Rules, config: &NodeConfig) -> Self {
        let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let (members, window) = (count(rules.members), count(rules.window));
        Memory(Footprint {
            slots: window,
            votes: 2 * members * window,
            batches: 3 * window,
            held_votes: 4 * members,
            view_changes: 2 * members + members * members,
            checkpoint_votes: 2 * members,
            own_checkpoints: 8,
            requests: count(config.pool_requests_max),
            request_bytes: config.pool_bytes_max,
            peer_slots: (members - 1) * window,
            questions: window + 3 * members,
            certificates_beyond: window,
            chains: window,
            clients: count(rules.clients),
        })
    }

    pub(super) fn check(&self, id: ReplicaId, held: &Footprint) -> Result<(), String> {
        let max = &self.0;
        let all = [
            ("slots", held.slots, max.slots),
            ("votes", held.votes, max.votes),
            ("batches", held.batches, max.batches),
            ("held votes", held.held_votes, max.held_votes),
            ("view changes", held.view_changes, max.view_changes),
            ("checkpoint votes", held.checkpoint_votes, max.checkpoint_votes),
            ("own checkpoints", held.own_checkpoints, max.own_checkpoints),
            ("requests", held.requests, max.requests),
            ("slots of its peers", held.peer_slots, max.peer_slots),
            ("questions", held.questions, max.questions),
            ("certificates beyond the window", held.certificates_beyond, max.certificates_beyond),
            ("chain hashes", held.chains, max.chains),
            ("clients", held.clients, max.clients),
        ];
        match all.into_iter().find(|(_, held, max)| held > max) {
            Some((what, held, max)) => Err(format!("{id} holds {held} {what}, the bound is {max}")),
            None if held.request_bytes > max.request_bytes => {
                Err(format!("{id} holds {} bytes of requests, the bound is {}", held.request_bytes, max.request_bytes))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rules::rules;
    use super::super::samples::ID;
    use super::*;

    #[test]
    fn one_more_than_the_bound_of_any_part_is_noticed() {
        let memory = Memory::new(&rules(4, 8), &NodeConfig::default());
        let full = memory.0;
        assert_eq!(memory.check(ID, &full), Ok(()));
        let more: [fn(&mut Footprint); 14] = [
            |held| held.slots += 1,
            |held| held.votes += 1,
            |held| held.batches += 1,
            |held| held.held_votes += 1,
            |held| held.view_changes += 1,
            |held| held.checkpoint_votes += 1,
            |held| held.own_checkpoints += 1,
            |held| held.requests += 1,
            |held| held.request_bytes += 1,
            |held| held.peer_slots += 1,
            |held| held.questions += 1,
            |held| held.certificates_beyond += 1,
            |held| held.chains += 1,
            |held| held.clients += 1,
        ];
        for (place, add) in more.iter().enumerate() {
            let mut held = full;
            add(&mut held);
            assert!(memory.check(ID, &held).is_err(), "part {place}");
        }
    }
}
