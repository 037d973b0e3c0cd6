//! Which answers the executor waits for. All others are dropped where they come in, so that nobody fills its queue.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::messages::{Message, Nodes, StateHead};
use crate::types::{ReplicaId, SeqNum};

/// Knows the last questions to each member. Shared by the thread that asks and those that receive.
#[derive(Clone, Debug, Default)]
pub(in crate::runtime) struct TransferGate(Arc<Mutex<BTreeMap<ReplicaId, Awaited>>>);

/// What one member may send, each once.
#[derive(Debug, Default)]
struct Awaited {
    head: Option<SeqNum>,
    nodes: Option<u64>,
}

impl TransferGate {
    /// A question leaves.
    pub(in crate::runtime) fn expect_answer(&self, from: ReplicaId, question: &Message) {
        let mut members = self.lock();
        let awaited = members.entry(from).or_default();
        if let Message::FetchState { seq } = question {
            awaited.head = Some(*seq);
        } else if let Message::FetchNodes(question) = question {
            awaited.nodes = Some(question.number);
        }
    }

    /// Whether this is the answer that is waited for; if so, none is any more.
    pub(in crate::runtime) fn admits_head(&self, from: ReplicaId, head: &StateHead) -> bool {
        let mut members = self.lock();
        members.get_mut(&from).is_some_and(|awaited| awaited.head.take_if(|seq| *seq == head.seq).is_some())
    }

    /// The same for nodes.
    pub(in crate::runtime) fn admits_nodes(&self, from: ReplicaId, nodes: &Nodes) -> bool {
        let mut members = self.lock();
        members.get_mut(&from).is_some_and(|awaited| awaited.nodes.take_if(|number| *number == nodes.number).is_some())
    }

    /// No answer is waited for.
    pub(in crate::runtime) fn close(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ReplicaId, Awaited>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::FetchNodes;

    #[test]
    fn an_answer_passes_once_and_only_from_the_member_that_was_asked() {
        let (gate, asked, other) = (TransferGate::default(), ReplicaId(1), ReplicaId(2));
        let head = StateHead { seq: SeqNum(8), parts: None, newest: SeqNum(9) };
        let nodes = |number| Nodes { seq: SeqNum(8), number, nodes: Vec::new() };
        assert!(!gate.admits_head(asked, &head) && !gate.admits_nodes(asked, &nodes(1)), "nothing was asked");
        gate.expect_answer(asked, &Message::FetchState { seq: SeqNum(8) });
        gate.expect_answer(asked, &Message::FetchNodes(FetchNodes { seq: SeqNum(8), number: 1, nodes: Vec::new() }));
        assert!(!gate.admits_head(other, &head) && !gate.admits_nodes(other, &nodes(1)));
        assert!(!gate.admits_nodes(asked, &nodes(2)));
        assert!(gate.admits_head(asked, &head) && gate.admits_nodes(asked, &nodes(1)));
        assert!(!gate.admits_head(asked, &head) && !gate.admits_nodes(asked, &nodes(1)));
        gate.expect_answer(asked, &Message::FetchState { seq: SeqNum(8) });
        gate.close();
        assert!(!gate.admits_head(asked, &head));
    }
}
