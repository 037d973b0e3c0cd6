//! Stateless validity: what can be said of a message with nothing but the genesis. Everything that comes from outside
//! passes here before the core sees it. One predicate per kind, the same on every replica.

use std::collections::BTreeSet;
use std::sync::Arc;

use quorate_crypto::{Digest, PublicKey, Signature};

use super::catch_up::{ChainDigests, CommittedSlot, HeldVotes, Status};
use super::certificate::{CheckpointCertificate, CommitCertificate, PreparedCertificate, VoteSignature};
use super::checkpoint::Checkpoint;
use super::memo::Memo;
use super::message::Message;
use super::ordering::{PrePrepare, Prepare, Proposal};
use super::request::Request;
use super::signed::{Payload, Signed, SigningContext, Verified, memo_key};
use super::view_change::{NewView, ViewChange};
use crate::batch::{Batch, null_digest};
use crate::genesis::Genesis;
use crate::mutants::Mutant;
use crate::types::{ClientId, ReplicaId, SeqNum};

/// The most slots that one `Committed` answer carries.
pub const COMMITTED_SLOTS_MAX: usize = 1024;

/// Why a message is not valid, whoever reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Signed by, or about, somebody who is no member.
    #[error("{0} is not a member")]
    NotAMember(ReplicaId),
    /// A client that the genesis does not list.
    #[error("client {0} is not in the genesis")]
    UnknownClient(ClientId),
    /// The signature does not verify.
    #[error("the signature does not verify")]
    Signature,
    /// A PrePrepare or NewView of a replica that is not the primary of its view.
    #[error("the signer is not the primary of that view")]
    NotPrimary,
    /// A Prepare of the primary of its view.
    #[error("a primary's Prepare does not count")]
    PrimaryPrepare,
    /// Fewer or more votes than a quorum, or one signer twice, or not ascending.
    #[error("not a quorum of distinct members")]
    NotAQuorum,
    /// The batch or body does not have the digest that is named.
    #[error("the content does not have the digest that is named")]
    Digest,
    /// Beyond a limit.
    #[error("{0} is beyond its limit")]
    Limit(&'static str),
    /// One request twice in a batch.
    #[error("a request stands twice in the batch")]
    DuplicateRequest,
    /// Slots that are 0, not ascending, or outside the window of the message's own checkpoint.
    #[error("a slot is out of order or out of range")]
    Slots,
    /// A certificate of the target view or a later one inside a ViewChange.
    #[error("a prepared certificate is not of an earlier view")]
    View,
    /// A checkpoint at a slot that is no multiple of the interval.
    #[error("no checkpoint is taken at that slot")]
    NotACheckpoint,
}

/// Judges messages with the genesis and a memo of signatures. Shared by all verifying threads.
#[derive(Debug)]
pub struct Verifier {
    genesis: Arc<Genesis>,
    context: SigningContext,
    clients: BTreeSet<ClientId>,
    memo: Memo,
}

impl Verifier {
    /// A verifier that remembers up to `memo_entries` signatures.
    #[must_use]
    pub fn new(genesis: Arc<Genesis>, context: SigningContext, memo_entries: usize) -> Self {
        let clients = genesis.clients.iter().copied().collect();
        Verifier { genesis, context, clients, memo: Memo::new(memo_entries) }
    }

    /// Judges a message of another replica.
    ///
    /// # Errors
    /// [`Invalid`] with the first rule that the message breaks.
    pub fn message(&self, message: Message) -> Result<Verified<Message>, Invalid> {
        match &message {
            Message::Forward(request) => self.check_request(request)?,
            Message::PrePrepare(proposal) => self.check_proposal(proposal)?,
            Message::Prepare(prepare) => self.check_prepare(prepare)?,
            Message::Commit(commit) => {
                check_seq(commit.payload.seq)?;
                self.check_signed(commit)?;
            }
            Message::Checkpoint(checkpoint) => {
                self.check_checkpoint_seq(&checkpoint.payload)?;
                self.check_signed(checkpoint)?;
            }
            Message::ViewChange(view_change) => self.check_view_change(view_change)?,
            Message::NewView(new_view) => self.check_new_view(new_view)?,
            Message::Status(status) => self.check_status(status)?,
            Message::Batch { batch, .. } => self.check_batch_size(batch)?,
            Message::Committed(slots) => self.check_committed(slots)?,
            Message::FetchViewChange { signer, .. } | Message::FetchVotes { signer } => {
                self.member_key(*signer)?;
            }
            Message::CheckpointCertificate(certificate) => self.check_checkpoint_certificate(certificate)?,
            Message::Chain(chain) => self.check_chain(chain)?,
            Message::FetchBatch { .. }
            | Message::FetchCommitted { .. }
            | Message::FetchCheckpoint
            | Message::HistoryGone { .. }
            | Message::FetchChain { .. }
            | Message::FetchState { .. }
            | Message::StateHead(_) => {}
            Message::FetchNodes(question) => within(question.exceeded())?,
            Message::Nodes(answer) => within(answer.exceeded())?,
            Message::Votes(held) => self.check_held_votes(held)?,
        }
        Ok(Verified::checked(message))
    }

    /// Judges a request of a client.
    ///
    /// # Errors
    /// [`Invalid`] when the client is not in the genesis, the operation too large or the signature wrong.
    pub fn request(&self, request: Request) -> Result<Verified<Request>, Invalid> {
        self.check_request(&request)?;
        Ok(Verified::checked(request))
    }

    /// Judges a certificate of a checkpoint, for clients and snapshots.
    ///
    /// # Errors
    /// [`Invalid`] when it is not Q distinct valid signatures under a checkpoint.
    pub fn check_checkpoint_certificate(&self, certificate: &CheckpointCertificate) -> Result<(), Invalid> {
        self.check_checkpoint_seq(&certificate.checkpoint)?;
        self.check_quorum(&certificate.signatures, self.genesis.committee.quorum())?;
        self.check_votes(&certificate.checkpoint, &certificate.signatures)
    }

    /// Every vote is of the member it is said to be of; each is judged by its signature alone.
    fn check_held_votes(&self, held: &HeldVotes) -> Result<(), Invalid> {
        self.member_key(held.signer)?;
        let most = usize::try_from(self.genesis.limits.window()).unwrap_or(usize::MAX).saturating_add(1);
        if held.pre_prepares.len().max(held.prepares.len()).max(held.commits.len()) > most {
            return Err(Invalid::Limit("votes of a window"));
        }
        held.pre_prepares.iter().try_for_each(|vote| self.check_said_by(held.signer, vote))?;
        held.prepares.iter().try_for_each(|vote| self.check_said_by(held.signer, vote))?;
        held.commits.iter().try_for_each(|vote| self.check_said_by(held.signer, vote))?;
        held.view_change.iter().try_for_each(|vote| self.check_said_by(held.signer, vote))
    }

    fn check_said_by<P: Payload>(&self, signer: ReplicaId, vote: &Signed<P>) -> Result<(), Invalid> {
        if vote.signer == signer { self.check_signed(vote) } else { Err(Invalid::NotAMember(vote.signer)) }
    }

    /// Judges a signed statement by its signer alone.
    ///
    /// # Errors
    /// [`Invalid`] when the signer is no member or the signature wrong.
    pub fn check_signed<P: Payload>(&self, signed: &Signed<P>) -> Result<(), Invalid> {
        let key = self.member_key(signed.signer)?;
        self.check_signature(key, &self.context.replica_bytes(signed.signer, &signed.payload), &signed.signature)
    }

    fn check_request(&self, request: &Request) -> Result<(), Invalid> {
        if request.operation.len() as u64 > self.genesis.limits.operation_bytes_max {
            return Err(Invalid::Limit("operation_bytes_max"));
        }
        if !self.clients.contains(&request.client()) {
            return Err(Invalid::UnknownClient(request.client()));
        }
        self.check_signature(&request.client().0, &request.signed_bytes(&self.context), &request.signature)
    }

    /// Conditions on PRE-PREPARE that need no state: the right primary, a body with the named digest, every request
    /// authentic, none twice, the batch within the limits. Valid by message and genesis alone, so that correct
    /// replicas never disagree about a proposal.
    fn check_proposal(&self, proposal: &Proposal) -> Result<(), Invalid> {
        let PrePrepare { seq, digest, .. } = proposal.header.payload;
        self.check_pre_prepare(&proposal.header)?;
        match &proposal.batch {
            None => Ok(()),
            Some(batch) if batch.digest(seq) != digest => Err(Invalid::Digest),
            Some(batch) => self.check_batch(batch),
        }
    }

    fn check_pre_prepare(&self, header: &Signed<PrePrepare>) -> Result<(), Invalid> {
        check_seq(header.payload.seq)?;
        let is_primary = header.signer == self.genesis.committee.primary(header.payload.view);
        if !is_primary && !Mutant::PrePrepareOfNonPrimary.lives() {
            return Err(Invalid::NotPrimary);
        }
        self.check_signed(header)
    }

    fn check_batch_size(&self, batch: &Batch) -> Result<(), Invalid> {
        let limits = &self.genesis.limits;
        if batch.requests().len() as u64 > limits.batch_requests_max {
            return Err(Invalid::Limit("batch_requests_max"));
        }
        if batch.body().len() as u64 > batch_body_bytes_max(limits.batch_bytes_max) {
            return Err(Invalid::Limit("batch_bytes_max"));
        }
        Ok(())
    }

    fn check_batch(&self, batch: &Batch) -> Result<(), Invalid> {
        self.check_batch_size(batch)?;
        let mut seen = BTreeSet::new();
        if !batch.requests().iter().all(|request| seen.insert(request.id)) {
            return Err(Invalid::DuplicateRequest);
        }
        batch.requests().iter().try_for_each(|request| self.check_request(request))
    }

    fn check_prepare(&self, prepare: &Signed<Prepare>) -> Result<(), Invalid> {
        check_seq(prepare.payload.seq)?;
        if prepare.signer == self.genesis.committee.primary(prepare.payload.view) {
            return Err(Invalid::PrimaryPrepare);
        }
        self.check_signed(prepare)
    }

    fn check_prepared_certificate(&self, certificate: &PreparedCertificate) -> Result<(), Invalid> {
        self.check_pre_prepare(&certificate.pre_prepare)?;
        let primary = certificate.pre_prepare.signer;
        if certificate.prepares.iter().any(|vote| vote.signer == primary) {
            return Err(Invalid::PrimaryPrepare);
        }
        self.check_quorum(&certificate.prepares, self.genesis.committee.quorum() - 1)?;
        self.check_votes(&certificate.prepare(), &certificate.prepares)
    }

    fn check_commit_certificate(&self, certificate: &CommitCertificate) -> Result<(), Invalid> {
        check_seq(certificate.seq())?;
        self.check_quorum(&certificate.commits, self.genesis.committee.quorum())?;
        self.check_votes(&certificate.commit, &certificate.commits)
    }

    /// Conditions on VIEW-CHANGE: every certificate is valid, at most one per slot, slots in (h, h+L] of its own
    /// stable checkpoint, views below the target.
    fn check_view_change(&self, signed: &Signed<ViewChange>) -> Result<(), Invalid> {
        let view_change = &signed.payload;
        self.check_signed(signed)?;
        if let Some(stable) = view_change.stable.as_ref().filter(|_| !Mutant::UnprovenStable.lives()) {
            self.check_checkpoint_certificate(stable)?;
        }
        let low = view_change.stable_seq();
        let high = low.plus(self.genesis.limits.window());
        check_ascending(view_change.prepared.iter().map(PreparedCertificate::seq), low)?;
        if view_change.prepared.last().is_some_and(|last| last.seq() > high) {
            return Err(Invalid::Slots);
        }
        if view_change.prepared.iter().any(|certificate| certificate.view() >= view_change.target) {
            return Err(Invalid::View);
        }
        let mut unproven = view_change.prepared.iter().filter(|_| !Mutant::ViewChangeUnverified.lives());
        unproven.try_for_each(|certificate| self.check_prepared_certificate(certificate))
    }

    /// Conditions on NEW-VIEW that need no ViewChange: those are fetched by digest and the assignments recomputed by
    /// the core.
    fn check_new_view(&self, signed: &Signed<NewView>) -> Result<(), Invalid> {
        let new_view = &signed.payload;
        if signed.signer != self.genesis.committee.primary(new_view.target) {
            return Err(Invalid::NotPrimary);
        }
        self.check_signed(signed)?;
        self.check_members(new_view.view_changes.iter().map(|(signer, _)| *signer), self.genesis.committee.quorum())?;
        if new_view.pre_prepares.len() as u64 > self.genesis.limits.window() {
            return Err(Invalid::Limit("assignments of a new view"));
        }
        check_ascending(new_view.pre_prepares.iter().map(|header| header.payload.seq), SeqNum::GENESIS)?;
        for header in &new_view.pre_prepares {
            if header.payload.view != new_view.target {
                return Err(Invalid::View);
            }
            self.check_pre_prepare(header)?;
        }
        Ok(())
    }

    fn check_status(&self, status: &Status) -> Result<(), Invalid> {
        let fits = status.slots.len() as u64 <= self.genesis.limits.window();
        if fits { Ok(()) } else { Err(Invalid::Limit("slots of a status")) }
    }

    fn check_committed(&self, slots: &[CommittedSlot]) -> Result<(), Invalid> {
        if slots.len() > COMMITTED_SLOTS_MAX {
            return Err(Invalid::Limit("slots of an answer"));
        }
        let mut expected = slots.first().map(|slot| slot.certificate.seq());
        for slot in slots {
            let seq = slot.certificate.seq();
            if expected != Some(seq) {
                return Err(Invalid::Slots);
            }
            expected = Some(seq.next());
            let digest = slot.batch.as_ref().map_or_else(|| null_digest(seq), |batch| batch.digest(seq));
            if digest != slot.certificate.digest() {
                return Err(Invalid::Digest);
            }
            self.check_commit_certificate(&slot.certificate)?;
        }
        Ok(())
    }

    fn check_chain(&self, chain: &ChainDigests) -> Result<(), Invalid> {
        let fits = chain.digests.len() as u64 <= self.genesis.limits.window();
        if fits { Ok(()) } else { Err(Invalid::Limit("chain hashes of an answer")) }
    }

    fn check_checkpoint_seq(&self, checkpoint: &Checkpoint) -> Result<(), Invalid> {
        check_seq(checkpoint.seq)?;
        if self.genesis.limits.is_checkpoint(checkpoint.seq) { Ok(()) } else { Err(Invalid::NotACheckpoint) }
    }

    /// Exactly `count` votes of distinct members. Exactly, because more would make a certificate's size the sender's
    /// choice.
    fn check_quorum(&self, votes: &[VoteSignature], count: usize) -> Result<(), Invalid> {
        self.check_members(votes.iter().map(|vote| vote.signer), count)
    }

    fn check_members(&self, signers: impl Iterator<Item = ReplicaId>, count: usize) -> Result<(), Invalid> {
        let signers: Vec<_> = signers.take(count + 1).collect();
        let ascending = signers
            .iter()
            .zip(signers.iter().skip(1))
            .all(|(a, b)| a < b || (a == b && Mutant::DuplicateSignerCounts.lives()));
        match signers.iter().find(|signer| !self.genesis.committee.contains(**signer)) {
            Some(stranger) => Err(Invalid::NotAMember(*stranger)),
            None if signers.len() == count && ascending => Ok(()),
            None => Err(Invalid::NotAQuorum),
        }
    }

    fn check_votes<P: Payload>(&self, payload: &P, votes: &[VoteSignature]) -> Result<(), Invalid> {
        votes.iter().try_for_each(|vote| {
            let key = self.member_key(vote.signer)?;
            self.check_signature(key, &self.context.replica_bytes(vote.signer, payload), &vote.signature)
        })
    }

    fn check_signature(&self, key: &PublicKey, bytes: &[u8], signature: &Signature) -> Result<(), Invalid> {
        let memo_key: Digest = memo_key(key, bytes, signature);
        if self.memo.contains(&memo_key) {
            return Ok(());
        }
        self.context.verify(key, bytes, signature).map_err(|_| Invalid::Signature)?;
        self.memo.insert(memo_key);
        Ok(())
    }

    fn member_key(&self, replica: ReplicaId) -> Result<&PublicKey, Invalid> {
        self.genesis.committee.key(replica).ok_or(Invalid::NotAMember(replica))
    }
}

/// The body of a batch counts its requests in front of them.
#[must_use]
pub fn batch_body_bytes_max(batch_bytes_max: u64) -> u64 {
    batch_bytes_max.saturating_add(8)
}

fn within(exceeded: Option<&'static str>) -> Result<(), Invalid> {
    exceeded.map_or(Ok(()), |limit| Err(Invalid::Limit(limit)))
}

fn check_seq(seq: SeqNum) -> Result<(), Invalid> {
    if seq == SeqNum::GENESIS { Err(Invalid::Slots) } else { Ok(()) }
}

fn check_ascending(slots: impl Iterator<Item = SeqNum>, after: SeqNum) -> Result<(), Invalid> {
    let mut last = after;
    for seq in slots {
        if seq <= last {
            return Err(Invalid::Slots);
        }
        last = seq;
    }
    Ok(())
}
