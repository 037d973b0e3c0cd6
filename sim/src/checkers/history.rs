//! The one history: the first correct replica to execute a slot writes it, and a reference executes it too. What the
//! others execute is held against it by `agreement`, `exactly-once` and `replies`.

use std::collections::BTreeMap;

use quorate::batch::{Batch, CommittedBatch};
use quorate::core::ExecutedBatch;
use quorate::outcome::Outcome;
use quorate::{RequestId, SeqNum};
use quorate_crypto::Digest;

use super::exactly_once::Executions;
use super::rules::Rules;
use crate::tally::Reference;

/// The slots that were executed by at least one correct replica.
#[derive(Clone, Debug)]
pub(super) struct History {
    slots: BTreeMap<SeqNum, Slot>,
    executions: Executions,
    reference: Reference,
}

/// What happened at one slot.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub digest: Digest,
    pub chain: Digest,
    pub root: Option<Digest>,
    /// What must become of each request; `None` for one that is skipped.
    pub results: Vec<(RequestId, Option<Outcome>)>,
}

impl History {
    pub(super) fn new(rules: &Rules) -> Self {
        History {
            slots: BTreeMap::new(),
            executions: Executions::new(rules.client_window),
            reference: Reference::default(),
        }
    }

    pub(super) fn len(&self) -> u64 {
        self.slots.len() as u64
    }

    pub(super) fn slot(&self, seq: SeqNum) -> Option<&Slot> {
        self.slots.get(&seq)
    }

    /// Somebody comes to a slot. The first one writes it.
    pub(super) fn extend(&mut self, batch: &CommittedBatch, report: &ExecutedBatch) {
        if self.slots.contains_key(&batch.seq) {
            return;
        }
        let requests = batch.batch.as_ref().map_or(&[][..], Batch::requests);
        let results = requests.iter().map(|request| {
            let is_new = self.executions.execute(&request.id);
            (request.id, is_new.then(|| self.reference.execute(&request.operation)))
        });
        let slot = Slot { digest: batch.digest, chain: report.chain, root: report.root, results: results.collect() };
        self.slots.insert(batch.seq, slot);
    }
}
