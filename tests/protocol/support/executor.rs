//! An executor without an application: it keeps the chain and the client windows, nothing else.

use std::collections::BTreeMap;

use quorate::batch::CommittedBatch;
use quorate::client_window::{Admission, ClientWindow};
use quorate::core::{ExecutedBatch, ExecutedRequest, Report};
use quorate::genesis::Limits;
use quorate::{ClientId, RequestId, SeqNum};
use quorate_crypto::{Digest, Hasher};

/// Executes at once.
#[derive(Clone, Debug)]
pub(crate) struct Executor {
    limits: Limits,
    executed: SeqNum,
    chain: Digest,
    windows: BTreeMap<ClientId, ClientWindow>,
    /// The requests that were executed, in their order.
    pub(crate) requests: Vec<RequestId>,
    /// The slot from which on its state is wrong.
    pub(crate) wrong_from: Option<SeqNum>,
}

impl Executor {
    pub(crate) fn new(limits: Limits) -> Self {
        Executor {
            limits,
            executed: SeqNum::GENESIS,
            chain: Digest::ZERO,
            windows: BTreeMap::new(),
            requests: Vec::new(),
            wrong_from: None,
        }
    }

    /// The same executor without any state.
    pub(crate) fn emptied(&self) -> Self {
        Executor { wrong_from: self.wrong_from, ..Executor::new(self.limits) }
    }

    /// What it reports first.
    pub(crate) fn installed(&self) -> Report {
        let windows = self.windows.iter().map(|(client, window)| (*client, window.clone())).collect();
        Report::Installed { seq: self.executed, chain: self.chain, root: self.root(), certificate: None, windows }
    }

    pub(crate) fn apply(&mut self, committed: &CommittedBatch) -> Report {
        assert_eq!(committed.seq, self.executed.next(), "slots come to the executor in order, each once");
        assert!(committed.is_consistent(), "slot {}: the batch is not the committed one", committed.seq);
        self.executed = committed.seq;
        let wrong = self.wrong_from.is_some_and(|from| from <= committed.seq);
        self.chain = Hasher::new("test/chain").digest(&self.chain).digest(&committed.digest).u8(wrong.into()).finish();
        let batch = committed.batch.iter().flat_map(|batch| batch.requests());
        let requests = batch.map(|request| self.execute(request.id)).collect();
        let root = self.limits.is_checkpoint(committed.seq).then(|| self.root());
        Report::Executed(ExecutedBatch { seq: committed.seq, chain: self.chain, requests, root })
    }

    /// The root of the state now.
    pub(crate) fn root(&self) -> Digest {
        Hasher::new("test/root").u64(self.executed.0).digest(&self.chain).finish()
    }

    fn execute(&mut self, id: RequestId) -> ExecutedRequest {
        let width = self.limits.client_window;
        let window = self.windows.entry(id.client).or_insert_with(|| ClientWindow::new(width));
        let executed = window.admit(id.session, id.number) == Admission::New;
        if executed {
            window.record(id.session, id.number);
            self.requests.push(id);
        }
        ExecutedRequest { id, executed }
    }
}
