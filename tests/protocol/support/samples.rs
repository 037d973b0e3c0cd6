//! One instance of everything that has an encoding, for the tests of the codec.

use bytes::Bytes;
use quorate::core::JournalRecord;
use quorate::messages::client::{Answer, AttestedResult, ProvenAnswer, RootParts};
use quorate::messages::state_transfer::{BranchNode, OwnValue};
use quorate::messages::{
    Attestation, Bounds, Busy, ChainDigests, Checkpoint, ClientMessage, Commit, Extent, FetchNodes, HeldVotes, Message,
    NodePath, NodeRef, Nodes, Prepare, Proposal, RefusalReason, Refused, ReplicaMessage, Reply, RequestResult,
    SlotProgress, Standing, StateHead, StateNode, Status, Tree, ViewChange,
};
use quorate::outcome::{LimitExceeded, Outcome, SkipReason};
use quorate::{ReplicaId, RequestNumber, SeqNum, View, WallTime};
use quorate_crypto::merkle::MerkleTree;

use super::world::{K, SESSION, World, at, digest};

/// Every kind of message between replicas.
pub(crate) fn messages(world: &World) -> Vec<Message> {
    let batch = world.batch(&[1, 2]);
    let prepared = world.prepared(at(0, K + 1), digest("a"));
    let view_change = ViewChange {
        target: View(1),
        stable: Some(world.certified(K, digest("root"))),
        prepared: vec![prepared.clone()],
    };
    let view_changes = [0, 1, 2].map(|signer| world.sign(signer, view_change.clone()));
    vec![
        Message::Forward(world.request(0, 1)),
        world.proposal(at(0, 1), &batch),
        world.prepare(1, at(0, 1), digest("a")),
        world.commit(1, at(0, 1), digest("a")),
        world.checkpoint(1, K, digest("root")),
        Message::ViewChange(view_changes[0].clone()),
        Message::NewView(world.new_view(1, &view_changes)),
        Message::Status(status()),
        Message::FetchBatch { seq: SeqNum(1), digest: digest("a") },
        Message::Batch { seq: SeqNum(1), batch },
        Message::FetchCommitted { after: SeqNum(1), to: SeqNum(9) },
        Message::Committed(vec![world.committed_slot(1, &[1]), world.committed_slot(2, &[])]),
        Message::FetchViewChange { signer: ReplicaId(2), digest: digest("a") },
        Message::FetchVotes { signer: ReplicaId(2) },
        Message::FetchCheckpoint,
        Message::CheckpointCertificate(world.certified(K, digest("root"))),
        Message::FetchChain { from: SeqNum(1), to: SeqNum(4) },
        Message::Chain(ChainDigests { from: SeqNum(1), digests: vec![digest("a"), digest("b")] }),
        Message::Votes(held_votes(world)),
        Message::HistoryGone { after: SeqNum(4) },
        Message::FetchState { seq: SeqNum(K) },
        Message::StateHead(StateHead { seq: SeqNum(K), parts: None, newest: SeqNum(2 * K) }),
        Message::FetchNodes(FetchNodes { seq: SeqNum(K), number: 7, nodes: vec![node_ref()] }),
        Message::Nodes(Nodes { seq: SeqNum(K), number: 7, nodes: state_nodes() }),
    ]
}

fn held_votes(world: &World) -> HeldVotes {
    HeldVotes {
        signer: ReplicaId(1),
        view: View(2),
        target: View(3),
        certified: SeqNum(K),
        pre_prepares: Vec::new(),
        prepares: vec![world.sign(1, Prepare { view: View(0), seq: SeqNum(1), digest: digest("a") })],
        commits: vec![world.sign(1, Commit { view: View(0), seq: SeqNum(1), digest: digest("a") })],
        view_change: None,
    }
}

fn node_ref() -> NodeRef {
    let path = NodePath::below(&[0x12], 2, 3);
    NodeRef { tree: Tree::Application, path, hash: digest("node"), extent: Extent::Subtree }
}

fn state_nodes() -> Vec<StateNode> {
    let own = OwnValue::Value { value: Bytes::from_static(b"value") };
    let (prefix, children) = (Bytes::from_static(&[0x12]), vec![digest("child")]);
    vec![
        StateNode::Entries { packed: Bytes::from_static(b"entries") },
        StateNode::Branch(BranchNode { nibbles: 2, prefix, own, bitmap: 1, children }),
    ]
}

fn status() -> Status {
    let slot = SlotProgress { pre_prepared: true, has_body: true, prepared: false, committed: false };
    Status {
        view: View(3),
        target: Some(View(4)),
        suspects: true,
        standing: Standing::Diverged { at: SeqNum(K) },
        stable: SeqNum(K),
        executed: SeqNum(K + 1),
        chain: digest("chain"),
        slots: vec![slot, SlotProgress::default()],
    }
}

/// Every kind of message of a client.
pub(crate) fn client_messages(world: &World) -> Vec<ClientMessage> {
    vec![
        ClientMessage::Request(world.request(0, 1)),
        ClientMessage::Attest { seq: SeqNum(5), index: 2 },
        ClientMessage::Query { tag: 7, key: Bytes::from_static(b"key") },
    ]
}

/// Every kind of message to a client, with every kind of outcome and refusal.
pub(crate) fn replica_messages(world: &World) -> Vec<ReplicaMessage> {
    let number = RequestNumber(3);
    let refused =
        |reason| ReplicaMessage::Refused(Refused { session: SESSION, number, operation: digest("operation"), reason });
    let attestation = Attestation { seq: SeqNum(5), chain: digest("chain"), results_root: digest("results") };
    let path =
        MerkleTree::new(vec![digest("a"), digest("b"), digest("c")]).prove(1).expect("the tree has three leaves");
    let parts = RootParts {
        application: digest("application"),
        client_table: digest("table"),
        chain: digest("chain"),
        time: WallTime(9),
    };
    let certificate = world.certified(K, parts.root(SeqNum(K)));
    vec![
        ReplicaMessage::Reply(Reply { results: outcomes().into_iter().map(result).collect() }),
        ReplicaMessage::Busy(Busy { session: SESSION, number }),
        refused(RefusalReason::OldSession { current: SESSION }),
        refused(RefusalReason::OutsideWindow),
        refused(RefusalReason::TooLarge),
        refused(RefusalReason::NotAuthentic),
        refused(RefusalReason::NotAdmitted(Bytes::from_static(b"why"))),
        ReplicaMessage::Attestation(AttestedResult { attestation: world.sign(1, attestation), path }),
        ReplicaMessage::NotAttested { seq: SeqNum(5), index: 2, from: SeqNum(1), to: SeqNum(4) },
        ReplicaMessage::Answer(Answer { tag: 7, proven: None }),
        ReplicaMessage::Answer(Answer {
            tag: 7,
            proven: Some(ProvenAnswer { certificate, parts, proof: Bytes::from_static(b"proof") }),
        }),
    ]
}

fn result(outcome: Outcome) -> RequestResult {
    let (number, operation) = (RequestNumber(3), digest("operation"));
    RequestResult { session: SESSION, number, seq: SeqNum(5), index: 2, operation, outcome }
}

fn outcomes() -> Vec<Outcome> {
    vec![
        Outcome::Done(Bytes::from_static(b"done")),
        Outcome::Refused(Bytes::from_static(b"refused")),
        Outcome::OverLimit(LimitExceeded::Key),
        Outcome::OverLimit(LimitExceeded::Value),
        Outcome::OverLimit(LimitExceeded::State),
        Outcome::OverLimit(LimitExceeded::Outcome),
        Outcome::Panicked,
        Outcome::Skipped(SkipReason::Executed),
        Outcome::Skipped(SkipReason::OldSession { current: SESSION }),
        Outcome::Skipped(SkipReason::OutsideWindow),
    ]
}

/// Every kind of journal record.
pub(crate) fn records(world: &World) -> Vec<JournalRecord> {
    let prepared = world.prepared(at(0, 1), digest("a"));
    vec![
        JournalRecord::Batch { seq: SeqNum(1), batch: world.batch(&[1]) },
        JournalRecord::PrePrepared(world.header(at(0, 1), digest("a"))),
        JournalRecord::Prepared(prepared.clone()),
        JournalRecord::ViewChangeSent(world.view_change(1, 1, vec![prepared])),
        JournalRecord::ViewEntered(world.empty_view(1)),
        JournalRecord::Committed(world.committed(at(0, 1), digest("a"))),
        JournalRecord::CheckpointTaken(Checkpoint { seq: SeqNum(K), root: digest("root") }),
        JournalRecord::CheckpointStable(world.certified(K, digest("root"))),
        JournalRecord::RecoveryBegun(Some(Bounds { view: View(3), seq: SeqNum(4 * K) })),
        JournalRecord::RecoveryEnded,
    ]
}

/// A proposal whose batch was left out, and the messages with nothing in them.
pub(crate) fn sparse_messages(world: &World) -> Vec<Message> {
    vec![
        Message::PrePrepare(Proposal { header: world.header(at(0, 1), digest("a")), batch: None }),
        Message::Committed(Vec::new()),
        Message::ViewChange(world.view_change(1, 1, Vec::new())),
        Message::Chain(ChainDigests { from: SeqNum(0), digests: Vec::new() }),
        Message::Status(Status {
            target: None,
            suspects: false,
            standing: Standing::Halted,
            slots: Vec::new(),
            ..status()
        }),
    ]
}
