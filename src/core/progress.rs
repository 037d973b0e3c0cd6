//! What the core knows of execution: how far it is, the chain, and which requests are done.

use std::collections::BTreeMap;

use quorate_crypto::Digest;

use crate::client_window::{Admission, ClientWindow};
use crate::types::{ClientId, RequestId, SeqNum};

/// Whether a slot was handed over before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ordered {
    /// It was not: the journal does not hold it yet.
    New,
    /// It was, to a state that has been discarded.
    Again,
}

/// Invariant: `executed` ≤ `ordered`; `windows` is what the executor's client table was at `executed`.
#[derive(Clone, Debug)]
pub struct Progress {
    /// The last slot handed to the executor.
    ordered: SeqNum,
    /// The last slot that was ever handed over: up to there the journal holds what was.
    journalled: SeqNum,
    executed: SeqNum,
    chain: Digest,
    /// The chain hashes after the latest slots.
    chains: BTreeMap<SeqNum, Digest>,
    windows: BTreeMap<ClientId, ClientWindow>,
    new_requests: u64,
}

impl Progress {
    /// Nothing reported yet; the committed prefix goes up to `ordered`.
    #[must_use]
    pub fn new(ordered: SeqNum) -> Self {
        Progress {
            ordered,
            journalled: ordered,
            executed: SeqNum::GENESIS,
            chain: Digest::ZERO,
            chains: BTreeMap::new(),
            windows: BTreeMap::new(),
            new_requests: 0,
        }
    }

    /// The last slot handed to the executor.
    #[must_use]
    pub fn ordered(&self) -> SeqNum {
        self.ordered
    }

    /// The last slot that the executor has reported.
    #[must_use]
    pub fn executed(&self) -> SeqNum {
        self.executed
    }

    /// The chain hash after `executed`.
    #[must_use]
    pub fn chain(&self) -> Digest {
        self.chain
    }

    /// The chain hash after a slot, if it is one of the latest.
    #[must_use]
    pub fn chain_at(&self, seq: SeqNum) -> Option<Digest> {
        self.chains.get(&seq).copied()
    }

    /// How many requests were executed for the first time since the start.
    #[must_use]
    pub fn new_requests(&self) -> u64 {
        self.new_requests
    }

    /// How many chain hashes and how many clients' windows are kept.
    #[must_use]
    pub fn footprint(&self) -> (usize, usize) {
        (self.chains.len(), self.windows.len())
    }

    /// The next slot goes to the executor.
    pub fn set_ordered(&mut self, seq: SeqNum) -> Ordered {
        assert_eq!(seq, self.ordered.next(), "slots are handed over in order");
        self.ordered = seq;
        let is_new = seq > self.journalled;
        self.journalled = self.journalled.max(seq);
        if is_new { Ordered::New } else { Ordered::Again }
    }

    /// A fetched state goes up to `seq`, which may be less or more than what was handed over.
    pub fn set_back(&mut self, seq: SeqNum) {
        self.ordered = seq;
    }

    /// A slot was executed; its chain hash is kept together with the last `kept` ones.
    pub fn set_executed(&mut self, seq: SeqNum, chain: Digest, kept: u64) {
        assert_eq!(seq, self.executed.next(), "slots are executed in order");
        self.executed = seq;
        self.chain = chain;
        self.chains.insert(seq, chain);
        while self.chains.len() as u64 > kept {
            self.chains.pop_first();
        }
    }

    /// A state was loaded that goes up to `seq`.
    pub fn install(&mut self, seq: SeqNum, chain: Digest, windows: Vec<(ClientId, ClientWindow)>) {
        self.ordered = self.ordered.max(seq);
        self.journalled = self.journalled.max(seq);
        self.executed = seq;
        self.chain = chain;
        self.chains = BTreeMap::from([(seq, chain)]);
        self.windows = windows.into_iter().collect();
    }

    /// Where a request stands.
    #[must_use]
    pub fn admit(&self, id: &RequestId, width: u64) -> Admission {
        match self.windows.get(&id.client) {
            Some(window) => window.admit(id.session, id.number),
            None => ClientWindow::new(width).admit(id.session, id.number),
        }
    }

    /// A request was executed for the first time; gives back the client's window.
    pub fn record(&mut self, id: &RequestId, width: u64) -> &ClientWindow {
        self.new_requests += 1;
        let window = self.windows.entry(id.client).or_insert_with(|| ClientWindow::new(width));
        window.record(id.session, id.number);
        window
    }
}
