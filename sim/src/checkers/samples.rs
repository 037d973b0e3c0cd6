//! Small histories for the tests of the checkers. Nothing here is signed: the checkers do not look at signatures.

use bytes::Bytes;
use quorate::batch::{Batch, CommittedBatch, null_digest};
use quorate::core::{EnteredView, ExecutedBatch, JournalRecord};
use quorate::messages::{
    Checkpoint, CheckpointCertificate, Commit, CommitCertificate, Message, NewView, PrePrepare, Prepare,
    PreparedCertificate, Proposal, Request, Signed, ViewChange, VoteSignature,
};
use quorate::{ClientId, ReplicaId, RequestId, RequestNumber, SeqNum, Session, View, WallTime};
use quorate_crypto::{Digest, PublicKey, Signature};

use super::rules::{Rules, rules};

/// Whose history it is: one of four.
pub(super) const ID: ReplicaId = ReplicaId(1);

pub(super) fn rules_of(members: u64) -> Rules {
    rules(members, 4)
}

pub(super) fn digest(mark: u8) -> Digest {
    Digest::from_bytes([mark; 32])
}

fn signature() -> Signature {
    Signature::from_bytes([0; 64])
}

fn signed<P>(signer: ReplicaId, payload: P) -> Signed<P> {
    Signed { signer, payload, signature: signature() }
}

fn signers(signers: &[u16]) -> Vec<VoteSignature> {
    signers.iter().map(|signer| VoteSignature { signer: ReplicaId(*signer), signature: signature() }).collect()
}

fn leader(view: u64) -> ReplicaId {
    ReplicaId((view % 4) as u16)
}

pub(super) fn request_id(session: u64, number: u64) -> RequestId {
    let client = ClientId(PublicKey::from_bytes([9; 32]));
    RequestId { client, session: Session(session), number: RequestNumber(number) }
}

pub(super) fn request(number: u64, operation: &[u8]) -> Request {
    Request { id: request_id(1, number), operation: Bytes::copy_from_slice(operation), signature: signature() }
}

pub(super) fn batch_of(seq: u64, requests: Vec<Request>) -> CommittedBatch {
    let batch = Batch::new(WallTime(seq), requests);
    CommittedBatch { seq: SeqNum(seq), digest: batch.digest(SeqNum(seq)), batch: Some(batch) }
}

pub(super) fn null(seq: u64) -> CommittedBatch {
    CommittedBatch { seq: SeqNum(seq), digest: null_digest(SeqNum(seq)), batch: None }
}

pub(super) fn executed(seq: u64) -> ExecutedBatch {
    ExecutedBatch { seq: SeqNum(seq), chain: digest(1), requests: Vec::new(), root: None }
}

pub(super) fn header(signer: ReplicaId, view: u64, seq: u64, mark: u8) -> Signed<PrePrepare> {
    signed(signer, PrePrepare { view: View(view), seq: SeqNum(seq), digest: digest(mark) })
}

pub(super) fn proposal(signer: ReplicaId, view: u64, seq: u64, mark: u8) -> Message {
    Message::PrePrepare(Proposal { header: header(signer, view, seq, mark), batch: None })
}

pub(super) fn prepare(signer: ReplicaId, view: u64, seq: u64, mark: u8) -> Message {
    Message::Prepare(signed(signer, Prepare { view: View(view), seq: SeqNum(seq), digest: digest(mark) }))
}

pub(super) fn commit(signer: ReplicaId, view: u64, seq: u64, mark: u8) -> Message {
    Message::Commit(signed(signer, Commit { view: View(view), seq: SeqNum(seq), digest: digest(mark) }))
}

pub(super) fn checkpoint(signer: ReplicaId, seq: u64, mark: u8) -> Message {
    Message::Checkpoint(signed(signer, Checkpoint { seq: SeqNum(seq), root: digest(mark) }))
}

pub(super) fn checkpoint_taken(seq: u64, mark: u8) -> JournalRecord {
    JournalRecord::CheckpointTaken(Checkpoint { seq: SeqNum(seq), root: digest(mark) })
}

pub(super) fn checkpoint_certificate(seq: u64, mark: u8, members: &[u16]) -> CheckpointCertificate {
    let checkpoint = Checkpoint { seq: SeqNum(seq), root: digest(mark) };
    CheckpointCertificate { checkpoint, signatures: signers(members) }
}

pub(super) fn pre_prepared(view: u64, seq: u64, mark: u8) -> JournalRecord {
    pre_prepared_by(leader(view), view, seq, mark)
}

pub(super) fn pre_prepared_by(signer: ReplicaId, view: u64, seq: u64, mark: u8) -> JournalRecord {
    JournalRecord::PrePrepared(header(signer, view, seq, mark))
}

/// These backups have prepared what the view's leader assigned.
pub(super) fn prepared_certificate(view: u64, seq: u64, mark: u8, members: &[u16]) -> PreparedCertificate {
    PreparedCertificate { pre_prepare: header(leader(view), view, seq, mark), prepares: signers(members) }
}

pub(super) fn commit_certificate(view: u64, seq: u64, mark: u8, members: &[u16]) -> CommitCertificate {
    commit_certificate_for(view, seq, digest(mark), members)
}

pub(super) fn commit_certificate_for(view: u64, seq: u64, digest: Digest, members: &[u16]) -> CommitCertificate {
    CommitCertificate { commit: Commit { view: View(view), seq: SeqNum(seq), digest }, commits: signers(members) }
}

pub(super) fn signed_view_change(
    signer: ReplicaId,
    target: u64,
    prepared: Vec<PreparedCertificate>,
) -> Signed<ViewChange> {
    signed_view_change_of(signer.0, target, None, prepared)
}

pub(super) fn signed_view_change_of(
    signer: u16,
    target: u64,
    stable: Option<CheckpointCertificate>,
    prepared: Vec<PreparedCertificate>,
) -> Signed<ViewChange> {
    signed(ReplicaId(signer), ViewChange { target: View(target), stable, prepared })
}

pub(super) fn asked_for(signer: ReplicaId, target: u64, prepared: Vec<PreparedCertificate>) -> JournalRecord {
    JournalRecord::ViewChangeSent(signed_view_change(signer, target, prepared))
}

pub(super) fn new_view(signer: ReplicaId, target: u64, assigned: Vec<(u64, u8)>) -> Signed<NewView> {
    let pre_prepares = assigned.into_iter().map(|(seq, mark)| header(signer, target, seq, mark)).collect();
    signed(signer, NewView { target: View(target), view_changes: Vec::new(), pre_prepares })
}

/// What the view's leader makes of these ViewChanges.
pub(super) fn new_view_of(
    target: u64,
    view_changes: &[Signed<ViewChange>],
    assigned: Vec<(u64, Digest)>,
) -> Signed<NewView> {
    let assign = |(seq, digest)| signed(leader(target), PrePrepare { view: View(target), seq: SeqNum(seq), digest });
    let new_view = NewView {
        target: View(target),
        view_changes: view_changes.iter().map(|asked| (asked.signer, asked.digest())).collect(),
        pre_prepares: assigned.into_iter().map(assign).collect(),
    };
    signed(leader(target), new_view)
}

pub(super) fn entered(target: u64) -> JournalRecord {
    entered_by(leader(target), target)
}

pub(super) fn entered_by(signer: ReplicaId, target: u64) -> JournalRecord {
    JournalRecord::ViewEntered(EnteredView { new_view: new_view(signer, target, Vec::new()), view_changes: Vec::new() })
}
