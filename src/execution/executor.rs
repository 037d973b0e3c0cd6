//! The executor: applies committed batches in their order, each operation at most once (PBFT, sections 4.1 and 4.3).
//! Sans-I/O: whoever drives it hands in orders and carries reports, replies and snapshots away.

use std::sync::Arc;

use quorate_crypto::Digest;
use quorate_crypto::merkle::MerkleTree;

use super::application::{Admission, Application, Operation, lawful};
use super::attestations::{Attestations, Signer};
use super::chain::{Link, genesis_chain};
use super::checkpoints::{Checkpoints, Stability};
use super::client_table::{Admitted, ClientTable};
use super::receipt::leaf_of;
use super::replicated_state::{InstallError, Position, ReplicatedState};
use super::replies::replies_of;
use super::snapshot::Snapshot;
use super::state::State;
use super::state_machine::Context;
use crate::batch::{Batch, CommittedBatch};
use crate::core::event::{ExecutedBatch, ExecutedRequest, Report};
use crate::genesis::{Genesis, Limits};
use crate::messages::client::{Reply, RequestResult};
use crate::messages::{CheckpointCertificate, ReplicaMessage, Request};
use crate::mutants::Mutant;
use crate::outcome::Outcome;
use crate::types::{ClientId, RequestId, SeqNum, WallTime};

/// Owns the application and the client table, and everything that follows from executing a batch: results, replies, the
/// chain hash, checkpoints, attestations and proven reads.
#[derive(Clone, Debug)]
pub struct Executor<A> {
    limits: Limits,
    application: A,
    clients: ClientTable,
    position: Position,
    attestations: Attestations,
    checkpoints: Checkpoints,
}

/// Whether the clients get the results of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replies {
    /// They do.
    Send,
    /// The batch is replayed: they got them before.
    Withhold,
}

/// What executing a batch gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// For agreement.
    pub report: ExecutedBatch,
    /// For the clients: one reply for each client with executed requests in the batch.
    pub replies: Vec<(ClientId, ReplicaMessage)>,
}

impl<A: Application> Executor<A> {
    /// An executor at the genesis. The application is in its initial state.
    #[must_use]
    pub fn new(genesis: &Genesis, application: A, signer: Signer) -> Self {
        let chain_id = genesis.chain_id();
        let chain = genesis_chain(&chain_id);
        Executor {
            limits: genesis.limits,
            application,
            clients: ClientTable::new(genesis.limits.client_window),
            position: Position { chain_id, seq: SeqNum::GENESIS, chain, time: genesis.time },
            attestations: Attestations::new(signer),
            checkpoints: Checkpoints::default(),
        }
    }

    /// Goes on from another state, whatever the own one is: that of a durable snapshot, or one that was fetched from others.
    /// With its certificate, reads are proven against it at once. Without, it waits for its certificate like a checkpoint
    /// that was executed here; whoever has it hands it to [`stable`](Executor::stable).
    ///
    /// # Errors
    /// [`InstallError`] when it is no state of this network or not the certified one. Nothing has changed then.
    pub fn install(
        &mut self,
        state: ReplicatedState,
        certificate: Option<CheckpointCertificate>,
    ) -> Result<(), InstallError> {
        let ReplicatedState { position, .. } = state;
        if position.chain_id != self.position.chain_id {
            return Err(InstallError::OtherNetwork(position.chain_id));
        }
        if let Some(certificate) = &certificate {
            let (certified, expected, found) = (certificate.seq(), certificate.root(), state.root());
            if certified != position.seq || expected != found {
                return Err(InstallError::Root { seq: position.seq, certified, expected, found });
            }
        }
        let clients = if Mutant::ClientTableLostAtTransfer.lives() { State::new() } else { state.clients };
        let clients = ClientTable::from_state(self.limits.client_window, clients);
        self.clients = clients.ok_or(InstallError::ClientTable(position.seq))?;
        self.application.restore(state.application);
        self.position = position;
        self.attestations.clear();
        self.checkpoints = Checkpoints::default();
        self.checkpoints.push(self.snapshot());
        if let Some(certificate) = certificate {
            self.checkpoints.certify(certificate);
        }
        Ok(())
    }

    /// Executes the batch of the next slot. Each of its requests is executed unless the client table says that it was
    /// executed before, belongs to an older session or lies outside the window.
    ///
    /// # Panics
    /// When the batch is not that of the next slot, or not the one that was committed: our own fault.
    pub fn apply(&mut self, committed: &CommittedBatch, replies: Replies) -> Applied {
        let seq = committed.seq;
        assert_eq!(seq, self.position.seq.next(), "batches are executed in the order of their slots");
        assert!(committed.is_consistent(), "the batch of slot {seq} is not the committed one");
        let requests = committed.batch.as_ref().map_or(&[][..], Batch::requests);
        let admitted = self.clients.admit(requests.iter().map(|request| &request.id));
        let report = requests.iter().zip(&admitted.decisions);
        let report =
            report.map(|(request, decision)| ExecutedRequest { id: request.id, executed: decision.is_ok() }).collect();

        self.position.seq = seq;
        // A null batch has no time of its own, and no batch turns the clock back.
        self.position.time = self.position.time.max(committed.batch.as_ref().map_or(WallTime(0), Batch::time));
        if Mutant::NondeterministicExecution.lives() && replies == Replies::Withhold {
            self.position.time.0 += 1;
        }
        let results = self.execute(requests, &admitted);
        self.extend_chain(committed.digest, &results);
        let executed = executed_only(results);
        self.clients.record(admitted, &executed);
        let root = self.take_checkpoint();
        let replies = match replies {
            Replies::Send => replies_of(executed),
            Replies::Withhold => Vec::new(),
        };
        Applied { report: ExecutedBatch { seq, chain: self.position.chain, requests: report, root }, replies }
    }

    /// What agreement must know after a start.
    #[must_use]
    pub fn installed(&self) -> Report {
        let Position { seq, chain, .. } = self.position;
        Report::Installed {
            seq,
            chain,
            root: self.snapshot().root(),
            certificate: self.certified().filter(|(of, _)| of.seq() == seq).map(|(certificate, _)| certificate.clone()),
            windows: self.clients.windows(),
        }
    }

    /// The reply to a request that was executed before; `None` when its result is not kept any more.
    #[must_use]
    pub fn resend(&self, id: &RequestId) -> Option<ReplicaMessage> {
        let result = self.clients.result(id)?;
        Some(ReplicaMessage::Reply(Reply { results: vec![result] }))
    }

    /// Takes the certificate of a checkpoint. From then on queries are answered with it.
    pub fn stable(&mut self, certificate: CheckpointCertificate) -> Stability {
        self.checkpoints.certify(certificate)
    }

    /// This replica's part of a receipt, for a batch since the checkpoint before the last one.
    pub fn attest(&mut self, seq: SeqNum, index: u32) -> ReplicaMessage {
        self.attestations.attest(seq, index)
    }

    /// What stands under a key of the application's state at the last certified checkpoint, with the proof.
    #[must_use]
    pub fn query(&self, tag: u64, key: &[u8]) -> ReplicaMessage {
        ReplicaMessage::Answer(self.checkpoints.answer(tag, key))
    }

    /// What the application answers to a question about the last executed state: unproven, for who trusts this replica.
    #[must_use]
    pub fn read(&self, query: &[u8]) -> (SeqNum, Outcome) {
        (self.position.seq, self.application.snapshot().query(query))
    }

    /// The last executed state.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { position: self.position, clients: self.clients.clone(), application: self.application.snapshot() }
    }

    /// The last certified checkpoint that was executed here.
    #[must_use]
    pub fn certified(&self) -> Option<(&CheckpointCertificate, &Snapshot)> {
        self.checkpoints.certified()
    }

    /// The last executed slot.
    #[must_use]
    pub fn executed(&self) -> SeqNum {
        self.position.seq
    }

    /// The application's check at the door.
    #[must_use]
    pub fn admission(&self) -> Arc<dyn Admission> {
        self.application.admission()
    }

    /// The results of all requests of the batch at the current position, those that are skipped too.
    fn execute(&mut self, requests: &[Request], admitted: &Admitted) -> Vec<(ClientId, RequestResult)> {
        let Position { seq, time, .. } = self.position;
        let indexed = || (0u32..).zip(requests.iter().zip(&admitted.decisions));
        let operations: Vec<_> = indexed()
            .filter(|(_, (_, decision))| decision.is_ok())
            .map(|(index, (request, _))| Operation {
                context: Context { seq, index, time, id: request.id },
                bytes: request.operation.clone(),
            })
            .collect();
        let outcomes = self.application.apply(&operations);
        assert_eq!(outcomes.len(), operations.len(), "the application gives one outcome for each operation");
        let mut outcomes = outcomes.into_iter().map(|outcome| lawful(outcome, self.limits.outcome_bytes_max));
        indexed()
            .map(|(index, (request, decision))| {
                let outcome = match decision {
                    Ok(()) => outcomes.next().expect("counted above"),
                    Err(reason) => Outcome::Skipped(*reason),
                };
                let RequestId { client, session, number } = request.id;
                let operation = request.operation_digest();
                (client, RequestResult { session, number, seq, index, operation, outcome })
            })
            .collect()
    }

    fn extend_chain(&mut self, digest: Digest, results: &[(ClientId, RequestResult)]) {
        let Position { seq, time, .. } = self.position;
        let tree = MerkleTree::new(results.iter().map(|(client, result)| leaf_of(*client, result)).collect());
        let link = Link { seq, digest, time, results_root: tree.root() };
        self.position.chain = link.chain(&self.position.chain);
        self.attestations.push(&self.limits, seq, self.position.chain, tree);
    }

    fn take_checkpoint(&mut self) -> Option<Digest> {
        if !self.limits.is_checkpoint(self.position.seq) {
            return None;
        }
        let snapshot = self.snapshot();
        let root = snapshot.root();
        self.checkpoints.push(snapshot);
        Some(root)
    }
}

fn executed_only(results: Vec<(ClientId, RequestResult)>) -> Vec<(ClientId, RequestResult)> {
    results.into_iter().filter(|(_, result)| !matches!(result.outcome, Outcome::Skipped(_))).collect()
}
