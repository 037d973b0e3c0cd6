//! The one history: the first correct replica to execute a slot writes it, all others must execute the same.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use quorate::batch::{Batch, CommittedBatch};
use quorate::core::ExecutedBatch;
use quorate::messages::RequestResult;
use quorate::messages::request::operation_digest;
use quorate::outcome::Outcome;
use quorate::{ClientId, ReplicaId, RequestId, SeqNum, Session};
use quorate_crypto::Digest;

use crate::tally::Reference;

/// The slots that were executed by at least one correct replica, and a reference that executes them too.
#[derive(Debug)]
pub(super) struct History {
    slots: BTreeMap<SeqNum, Slot>,
    /// How far each replica has executed.
    positions: BTreeMap<ReplicaId, SeqNum>,
    submitted: BTreeMap<RequestId, Bytes>,
    clients: BTreeMap<ClientId, Table>,
    client_window: u64,
    reference: Reference,
}

#[derive(Debug)]
struct Slot {
    digest: Digest,
    chain: Digest,
    root: Option<Digest>,
    /// What must become of each request; `None` for one that is skipped.
    results: Vec<(RequestId, Option<Outcome>)>,
}

/// What a client has executed, as a plain set.
#[derive(Debug, Default)]
struct Table {
    session: Session,
    executed: BTreeSet<u64>,
}

impl Table {
    /// Whether a request is executed now for the first and only time.
    fn execute(&mut self, id: &RequestId, window: u64) -> bool {
        let fresh = BTreeSet::new();
        let executed = if id.session > self.session { &fresh } else { &self.executed };
        let floor = (1..).find(|number| !executed.contains(number)).unwrap_or(1) - 1;
        let number = id.number.0;
        if id.session < self.session || number == 0 || number > floor + window || executed.contains(&number) {
            return false;
        }
        if id.session > self.session {
            *self = Table { session: id.session, executed: BTreeSet::new() };
        }
        self.executed.insert(number)
    }
}

impl History {
    pub(super) fn new(client_window: u64) -> Self {
        History {
            slots: BTreeMap::new(),
            positions: BTreeMap::new(),
            submitted: BTreeMap::new(),
            clients: BTreeMap::new(),
            client_window,
            reference: Reference::default(),
        }
    }

    pub(super) fn len(&self) -> u64 {
        self.slots.len() as u64
    }

    pub(super) fn on_submit(&mut self, id: RequestId, operation: Bytes) {
        self.submitted.insert(id, operation);
    }

    pub(super) fn on_installed(&mut self, id: ReplicaId, seq: SeqNum, chain: Digest) -> Result<(), String> {
        self.positions.insert(id, seq);
        match self.slots.get(&seq) {
            Some(slot) if slot.chain != chain => Err(format!("{id} loads another history up to {seq}")),
            None if seq != SeqNum::GENESIS => Err(format!("{id} loads a state up to {seq}, which nobody executed")),
            Some(_) | None => Ok(()),
        }
    }

    pub(super) fn on_executed(
        &mut self,
        id: ReplicaId,
        batch: &CommittedBatch,
        report: &ExecutedBatch,
    ) -> Result<(), String> {
        let seq = batch.seq;
        let position = self.positions.insert(id, seq).unwrap_or_default();
        if seq != position.next() || report.seq != seq {
            return Err(format!("{id} executes {seq} (reported as {}) after {position}", report.seq));
        }
        if !self.slots.contains_key(&seq) {
            let slot = self.execute(batch, report)?;
            self.slots.insert(seq, slot);
        }
        let Some(slot) = self.slots.get(&seq) else { return Ok(()) };
        if slot.digest != batch.digest {
            return Err(format!("{id} executes {:?} at {seq}, another replica {:?}", batch.digest, slot.digest));
        }
        if slot.chain != report.chain || slot.root != report.root {
            return Err(format!("{id} has another chain or root than another replica after {seq}"));
        }
        let executed = slot.results.iter().map(|(id, outcome)| (*id, outcome.is_some()));
        if !executed.eq(report.requests.iter().map(|request| (request.id, request.executed))) {
            return Err(format!("{id} executes other requests of {seq} than the reference: {:?}", report.requests));
        }
        Ok(())
    }

    /// What a correct replica answers must be what the reference says.
    pub(super) fn check_result(&self, client: ClientId, result: &RequestResult) -> Result<(), String> {
        let id = RequestId { client, session: result.session, number: result.number };
        let place = usize::try_from(result.index).unwrap_or(usize::MAX);
        let expected = self.slots.get(&result.seq).and_then(|slot| slot.results.get(place));
        let operation = self.submitted.get(&id).map(|operation| operation_digest(operation));
        match expected {
            Some((known, Some(outcome))) if *known == id && *outcome == result.outcome => {}
            other => return Err(format!("the answer {result:?} should be {other:?}")),
        }
        if operation == Some(result.operation) { Ok(()) } else { Err(format!("{id:?} was another operation")) }
    }

    pub(super) fn check_root(&self, seq: SeqNum, root: Digest) -> Result<(), String> {
        match self.slots.get(&seq) {
            Some(slot) if slot.root == Some(root) => Ok(()),
            Some(_) | None => Err(format!("a root that no executor has at {seq} is claimed")),
        }
    }

    fn execute(&mut self, batch: &CommittedBatch, report: &ExecutedBatch) -> Result<Slot, String> {
        let mut results = Vec::new();
        for request in batch.batch.as_ref().map_or(&[][..], Batch::requests) {
            if self.submitted.get(&request.id) != Some(&request.operation) {
                return Err(format!("{:?} is executed at {} and was never asked for", request.id, batch.seq));
            }
            let table = self.clients.entry(request.id.client).or_default();
            let is_new = table.execute(&request.id, self.client_window);
            results.push((request.id, is_new.then(|| self.reference.execute(&request.operation))));
        }
        Ok(Slot { digest: batch.digest, chain: report.chain, root: report.root, results })
    }
}
