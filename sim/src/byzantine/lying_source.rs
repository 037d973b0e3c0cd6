//! A source of states that lies: other roots, other nodes, missing ones, or silence from some moment on.

use bytes::Bytes;
use quorate::ReplicaId;
use quorate::messages::{Message, Nodes, StateHead, StateNode};
use quorate_crypto::Digest;

use super::attack::{Attack, Puppet};
use crate::choices::Choices;

/// The attack, and how often it was made.
#[derive(Debug)]
pub struct LyingSource {
    /// Per mille of answers that are lies.
    rate: u64,
    count: u64,
}

impl LyingSource {
    /// Lies in `rate` per mille of the answers.
    #[must_use]
    pub fn new(rate: u64) -> Self {
        LyingSource { rate, count: 0 }
    }

    /// Another head: of no state, of a wrong one, or none at all.
    fn head(mut head: StateHead, choices: &mut Choices) -> Option<Message> {
        match choices.below(3) {
            0 => return None,
            1 => head.parts = None,
            _ => {
                if let Some(parts) = &mut head.parts {
                    parts.application = Digest::from_bytes([7; 32]);
                }
            }
        }
        Some(Message::StateHead(head))
    }

    /// Other nodes: changed, in another order, of another question, fewer, or none at all.
    fn nodes(mut answer: Nodes, choices: &mut Choices) -> Option<Message> {
        match choices.below(5) {
            0 => return None,
            1 => answer.nodes.clear(),
            2 => answer.nodes.reverse(),
            3 => answer.number += 1,
            _ => answer.nodes.iter_mut().for_each(corrupt),
        }
        Some(Message::Nodes(answer))
    }
}

fn corrupt(node: &mut StateNode) {
    match node {
        StateNode::Entries { packed } => {
            let mut bytes = packed.to_vec();
            match bytes.last_mut() {
                Some(last) => *last ^= 1,
                None => bytes.push(0),
            }
            *packed = Bytes::from(bytes);
        }
        StateNode::Branch(branch) => branch.children.reverse(),
    }
}

impl Attack for LyingSource {
    fn rewrite(
        &mut self,
        _puppet: &Puppet,
        to: &[ReplicaId],
        message: &Message,
        choices: &mut Choices,
    ) -> Vec<(ReplicaId, Message)> {
        let lies = choices.chance(self.rate);
        self.count += u64::from(lies);
        #[expect(clippy::wildcard_enum_match_arm, reason = "everything else is none of its business")]
        let message = match message {
            Message::StateHead(head) if lies => Self::head(head.clone(), choices),
            Message::Nodes(answer) if lies => Self::nodes(answer.clone(), choices),
            other => Some(other.clone()),
        };
        message.into_iter().flat_map(|message| to.iter().map(move |to| (*to, message.clone()))).collect()
    }

    fn count(&self) -> u64 {
        self.count
    }
}
