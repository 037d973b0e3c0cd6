//! A replica as this program runs it: as `quorate node` does, or one that breaks rules for a test.

use std::process::ExitCode;
use std::sync::Arc;

use bytes::Bytes;
use quorate::messages::state_transfer::{BranchNode, StateNode};
use quorate::messages::{Message, Nodes};
use quorate::runtime::Transport;
use quorate::{ClientId, ReplicaId};
use quorate_node::cli::NodeArguments;
use quorate_node::wiring::Wiring;
use quorate_node::{Exit, logging};

use crate::arguments::ReplicaArguments;
#[cfg(feature = "byzantine")]
use crate::byzantine;
use crate::byzantine::BehaviourName;
use crate::display::write_line;

/// Runs a replica to its end.
pub(crate) fn run(arguments: ReplicaArguments) -> ExitCode {
    if let Err(error) = logging::start(None) {
        write_line(&format!("error: {error}"));
        return Exit::Usage.into();
    }
    let ReplicaArguments { node, corrupt_chunks, byzantine } = arguments;
    let exit = match byzantine {
        Some(behaviour) => run_lying(node, behaviour),
        None if corrupt_chunks => node.run_over(|_, transport| Wiring::direct(Arc::new(Corrupting(transport)))),
        None => node.run(),
    };
    exit.into()
}

#[cfg(feature = "byzantine")]
fn run_lying(node: NodeArguments, behaviour: BehaviourName) -> Exit {
    node.run_over(|home, transport| byzantine::wire(home, transport, behaviour))
}

#[cfg(not(feature = "byzantine"))]
fn run_lying(_: NodeArguments, behaviour: BehaviourName) -> Exit {
    write_line(&format!("error: built without the feature `byzantine`, it cannot be {behaviour}"));
    Exit::Usage
}

/// Sends everything as it is but for nodes of the state, in each of which it flips a bit.
struct Corrupting(Arc<dyn Transport>);

impl Transport for Corrupting {
    fn to_replica(&self, to: ReplicaId, bulk: bool, frame: Bytes) {
        self.0.to_replica(to, bulk, if bulk { corrupted(frame) } else { frame });
    }

    fn to_client(&self, to: ClientId, frame: Bytes) {
        self.0.to_client(to, frame);
    }
}

fn corrupted(frame: Bytes) -> Bytes {
    match Message::decode(&frame) {
        Ok(Message::Nodes(nodes)) => {
            let damaged = nodes.nodes.into_iter().map(with_a_flipped_bit).collect();
            Message::Nodes(Nodes { nodes: damaged, ..nodes }).encode()
        }
        Ok(_) | Err(_) => frame,
    }
}

fn with_a_flipped_bit(node: StateNode) -> StateNode {
    match node {
        StateNode::Entries { packed } => {
            let mut packed = packed.to_vec();
            let middle = packed.len() / 2;
            if let Some(byte) = packed.get_mut(middle) {
                *byte ^= 1;
            }
            StateNode::Entries { packed: packed.into() }
        }
        StateNode::Branch(branch) => StateNode::Branch(BranchNode { bitmap: branch.bitmap ^ 1, ..branch }),
    }
}

#[cfg(test)]
mod tests {
    use quorate::SeqNum;

    use super::*;

    #[test]
    fn nodes_of_the_state_are_damaged_and_nothing_else_is() {
        let nodes = |packed: &'static [u8]| {
            let nodes = vec![StateNode::Entries { packed: Bytes::from_static(packed) }];
            Message::Nodes(Nodes { seq: SeqNum(128), number: 1, nodes }).encode()
        };
        assert_eq!(corrupted(nodes(b"abc")), nodes(b"acc"));
        let other = Message::FetchCheckpoint.encode();
        assert_eq!(corrupted(other.clone()), other);
        assert_eq!(corrupted(Bytes::from_static(b"nonsense")), Bytes::from_static(b"nonsense"));
    }
}
