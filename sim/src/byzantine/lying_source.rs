//! A source of states that lies: other roots, other nodes, missing ones, or silence from some moment on.

use bytes::Bytes;
use quorate::messages::{Message, Nodes, StateHead, StateNode};
use quorate_crypto::Digest;

use super::attack::{Attack, Parcel};
use super::scene::Scene;
use crate::choices::Choices;
use crate::counters::Counter;

/// Per mille of heads that are an occasion to lie.
const HEADS: u64 = 200;

/// The attack.
#[derive(Debug)]
pub struct LyingSource;

impl LyingSource {
    /// Another head: of no state, of a wrong one, or none at all.
    fn head(mut head: StateHead, choices: &mut Choices) -> Option<Message> {
        match choices.below(4) {
            0 => return None,
            1 => head.parts = None,
            2 => {
                // Nothing is fetched by the chain hash: only the certified root gives this away.
                if let Some(parts) = &mut head.parts {
                    parts.chain = Digest::from_bytes([7; 32]);
                }
            }
            _ => {
                if let Some(parts) = &mut head.parts {
                    parts.application = Digest::from_bytes([7; 32]);
                }
            }
        }
        Some(Message::StateHead(head))
    }

    /// Other nodes: mostly changed; or in another order, of another question, none of them, or no answer at all.
    fn nodes(mut answer: Nodes, choices: &mut Choices) -> Option<Message> {
        match choices.below(8) {
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
    fn on_send(&mut self, parcel: Parcel, scene: &mut Scene<'_>) -> Vec<Parcel> {
        // Who lies about every head is never asked for a node.
        let is_head = matches!(parcel.message, Message::StateHead(_));
        let is_occasion = (is_head && scene.choices.chance(HEADS)) || matches!(parcel.message, Message::Nodes(_));
        if !is_occasion || !scene.strikes(&parcel.message) {
            return vec![parcel];
        }
        scene.count(Counter::SourceLies);
        #[expect(clippy::wildcard_enum_match_arm, reason = "everything else is none of its business")]
        let lie = match parcel.message.clone() {
            Message::StateHead(head) => Self::head(head, scene.choices),
            Message::Nodes(answer) => Self::nodes(answer, scene.choices),
            other => Some(other),
        };
        lie.map(|message| parcel.with(message)).into_iter().collect()
    }
}
