//! One valid instance of everything that has an encoding: what fuzzing begins with.

use bytes::Bytes;
use quorate::core::JournalRecord;
use quorate::execution::Receipt;
use quorate::messages::client::{Answer, AttestedResult, ProvenAnswer, RootParts};
use quorate::messages::request::operation_digest;
use quorate::messages::state_transfer::{BranchNode, OwnValue};
use quorate::messages::{
    Attestation, Bounds, Busy, ChainDigests, Checkpoint, ClientMessage, Commit, CommittedSlot, Extent, FetchNodes,
    HeldVotes, Message, NodePath, NodeRef, Nodes, Prepare, Proposal, RefusalReason, Refused, ReplicaMessage, Reply,
    RequestResult, SlotProgress, Standing, StateHead, StateNode, Status, Tree, ViewChange,
};
use quorate::outcome::{Outcome, SkipReason, result_leaf};
use quorate::{ClientId, ReplicaId, RequestId, RequestNumber, SeqNum, View, WallTime};
use quorate_crypto::merkle::MerkleTree;

use super::cast::{Cast, K, SESSION, client_key, digest};

/// Every kind of message between replicas.
pub(super) fn messages() -> Vec<Message> {
    [ordering_messages(), catch_up_messages()].concat()
}

fn ordering_messages() -> Vec<Message> {
    let cast = Cast::get();
    let (seq, batch) = (SeqNum(1), cast.batch(&[1, 2]));
    let named = batch.digest(seq);
    let prepared = cast.prepared(View(0), SeqNum(K + 1), digest("a"));
    let stable = Some(cast.certified(SeqNum(K), digest("root")));
    let view_change = ViewChange { target: View(1), stable, prepared: vec![prepared] };
    let view_changes = [0, 1, 2].map(|signer| cast.sign(ReplicaId(signer), view_change.clone()));
    let new_view = cast.new_view(View(1), &view_changes, [(SeqNum(K + 1), digest("a"))]);
    let header = cast.header(View(0), seq, named);
    vec![
        Message::Forward(cast.request(0, 1)),
        Message::PrePrepare(Proposal { header: header.clone(), batch: Some(batch.clone()) }),
        Message::PrePrepare(Proposal { header, batch: None }),
        Message::Prepare(cast.sign(ReplicaId(1), Prepare { view: View(0), seq, digest: named })),
        Message::Commit(cast.sign(ReplicaId(2), Commit { view: View(0), seq, digest: named })),
        Message::Checkpoint(cast.sign(ReplicaId(1), Checkpoint { seq: SeqNum(K), root: digest("root") })),
        Message::CheckpointCertificate(cast.certified(SeqNum(K), digest("root"))),
        Message::ViewChange(view_changes[0].clone()),
        Message::NewView(new_view),
        Message::Batch { seq, batch },
        Message::Committed(vec![committed_slot(1, &[1]), committed_slot(2, &[])]),
    ]
}

fn catch_up_messages() -> Vec<Message> {
    let (seq, signer) = (SeqNum(K), ReplicaId(2));
    vec![
        Message::Status(status()),
        Message::FetchBatch { seq: SeqNum(1), digest: digest("a") },
        Message::FetchCommitted { after: SeqNum(1), to: SeqNum(9) },
        Message::FetchViewChange { signer, digest: digest("a") },
        Message::FetchVotes { signer },
        Message::FetchCheckpoint,
        Message::FetchChain { from: SeqNum(1), to: SeqNum(4) },
        Message::Chain(ChainDigests { from: SeqNum(1), digests: vec![digest("a"), digest("b")] }),
        Message::Votes(held_votes()),
        Message::HistoryGone { after: SeqNum(4) },
        Message::FetchState { seq },
        Message::StateHead(StateHead { seq, parts: Some(parts()), newest: SeqNum(2 * K) }),
        Message::FetchNodes(FetchNodes { seq, number: 7, nodes: vec![node_ref()] }),
        Message::Nodes(Nodes { seq, number: 7, nodes: state_nodes() }),
    ]
}

fn committed_slot(seq: u64, numbers: &[u64]) -> CommittedSlot {
    let (seq, batch) = (SeqNum(seq), Cast::get().batch(numbers));
    CommittedSlot { certificate: Cast::get().committed(View(0), seq, batch.digest(seq)), batch: Some(batch) }
}

fn held_votes() -> HeldVotes {
    let (cast, signer, view, seq) = (Cast::get(), ReplicaId(1), View(0), SeqNum(1));
    HeldVotes {
        signer,
        view: View(2),
        target: View(3),
        certified: SeqNum(K),
        pre_prepares: Vec::new(),
        prepares: vec![cast.sign(signer, Prepare { view, seq, digest: digest("a") })],
        commits: vec![cast.sign(signer, Commit { view, seq, digest: digest("a") })],
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
pub(super) fn client_messages() -> Vec<ClientMessage> {
    vec![
        ClientMessage::Request(Cast::get().request(0, 1)),
        ClientMessage::Attest { seq: SeqNum(5), index: 2 },
        ClientMessage::Query { tag: 7, key: Bytes::from_static(b"key") },
    ]
}

/// Every kind of message to a client.
pub(super) fn replica_messages() -> Vec<ReplicaMessage> {
    let (number, operation) = (RequestNumber(1), operation_digest(b"0/1"));
    let refused = |reason| ReplicaMessage::Refused(Refused { session: SESSION, number, operation, reason });
    let outcomes = [
        Outcome::Done(Bytes::from_static(b"done")),
        Outcome::Panicked,
        Outcome::Skipped(SkipReason::OldSession { current: SESSION }),
    ];
    let proof = Bytes::from_static(b"proof");
    let certificate = Cast::get().certified(SeqNum(K), parts().root(SeqNum(K)));
    let proven = Some(ProvenAnswer { certificate, parts: parts(), proof });
    vec![
        ReplicaMessage::Reply(Reply { results: outcomes.into_iter().map(result).collect() }),
        ReplicaMessage::Busy(Busy { session: SESSION, number }),
        refused(RefusalReason::OldSession { current: SESSION }),
        refused(RefusalReason::OutsideWindow),
        refused(RefusalReason::NotAdmitted(Bytes::from_static(b"why"))),
        ReplicaMessage::Attestation(attested(ReplicaId(1))),
        ReplicaMessage::NotAttested { seq: SeqNum(5), index: 2, from: SeqNum(1), to: SeqNum(4) },
        ReplicaMessage::Answer(Answer { tag: 7, proven: None }),
        ReplicaMessage::Answer(Answer { tag: 7, proven }),
    ]
}

fn parts() -> RootParts {
    let (application, client_table) = (digest("application"), digest("table"));
    RootParts { application, client_table, chain: digest("chain"), time: WallTime(9) }
}

fn result(outcome: Outcome) -> RequestResult {
    let (number, operation) = (RequestNumber(1), operation_digest(b"0/1"));
    RequestResult { session: SESSION, number, seq: SeqNum(5), index: 1, operation, outcome }
}

/// A member's part of the receipt of the second result in slot 5.
fn attested(signer: ReplicaId) -> AttestedResult {
    let result = result(Outcome::Done(Bytes::from_static(b"done")));
    let client = ClientId(client_key(0).public());
    let id = RequestId { client, session: result.session, number: result.number };
    let leaf = result_leaf(result.index, &id, &result.operation, &result.outcome);
    let tree = MerkleTree::new(vec![digest("first"), leaf, digest("third")]);
    let attestation = Attestation { seq: result.seq, chain: digest("chain"), results_root: tree.root() };
    let path = tree.prove(1).expect("the tree has three leaves");
    AttestedResult { attestation: Cast::get().sign(signer, attestation), path }
}

/// A valid receipt of the first client.
pub(super) fn receipt() -> Bytes {
    let AttestedResult { attestation, path } = attested(ReplicaId(0));
    let signatures = Cast::get().votes(&attestation.payload, &[ReplicaId(0), ReplicaId(1)]);
    let result = result(Outcome::Done(Bytes::from_static(b"done")));
    let client = ClientId(client_key(0).public());
    Receipt { client, result, attestation: attestation.payload, signatures, path }.encode()
}

/// Every kind of journal record.
pub(super) fn records() -> Vec<JournalRecord> {
    let (cast, seq, view) = (Cast::get(), SeqNum(1), View(0));
    let batch = cast.batch(&[1]);
    let named = batch.digest(seq);
    let prepared = cast.prepared(view, seq, named);
    let view_change = ViewChange { target: View(1), stable: None, prepared: vec![prepared.clone()] };
    vec![
        JournalRecord::Batch { seq, batch },
        JournalRecord::PrePrepared(cast.header(view, seq, named)),
        JournalRecord::Prepared(prepared),
        JournalRecord::ViewChangeSent(cast.sign(ReplicaId(1), view_change)),
        JournalRecord::ViewEntered(cast.empty_view(View(1))),
        JournalRecord::Committed(cast.committed(view, seq, named)),
        JournalRecord::CheckpointTaken(Checkpoint { seq: SeqNum(K), root: digest("root") }),
        JournalRecord::CheckpointStable(cast.certified(SeqNum(K), digest("root"))),
        JournalRecord::RecoveryBegun(Some(Bounds { view: View(3), seq: SeqNum(4 * K) })),
        JournalRecord::RecoveryEnded,
    ]
}
