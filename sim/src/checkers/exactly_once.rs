//! `exactly-once`: every request is executed at the first place of the history at which it may be, and at no other: over
//! retries, view changes, restarts, checkpoints and transfers.

use std::collections::{BTreeMap, BTreeSet};

use quorate::core::ExecutedBatch;
use quorate::{ClientId, ReplicaId, RequestId, Session};

use super::history::Slot;

/// What the clients have executed, as plain sets.
#[derive(Clone, Debug)]
pub(super) struct Executions {
    clients: BTreeMap<ClientId, Table>,
    window: u64,
}

#[derive(Clone, Debug, Default)]
struct Table {
    session: Session,
    executed: BTreeSet<u64>,
}

impl Executions {
    /// Nothing yet. `window` is C.
    pub(super) fn new(window: u64) -> Self {
        Executions { clients: BTreeMap::new(), window }
    }

    /// Whether the next request of the history is executed.
    pub(super) fn execute(&mut self, id: &RequestId) -> bool {
        let table = self.clients.entry(id.client).or_default();
        if id.session < table.session {
            return false;
        }
        let fresh = BTreeSet::new();
        let executed = if id.session > table.session { &fresh } else { &table.executed };
        let floor = (1..).find(|number| !executed.contains(number)).unwrap_or(1) - 1;
        let number = id.number.0;
        if number == 0 || number > floor + self.window || executed.contains(&number) {
            return false;
        }
        if id.session > table.session {
            *table = Table { session: id.session, executed: BTreeSet::new() };
        }
        table.executed.insert(number)
    }
}

/// A replica has executed and skipped what it should.
pub(super) fn check_executed(id: ReplicaId, slot: &Slot, report: &ExecutedBatch) -> Result<(), String> {
    let expected = slot.results.iter().map(|(id, outcome)| (*id, outcome.is_some()));
    if expected.eq(report.requests.iter().map(|request| (request.id, request.executed))) {
        return Ok(());
    }
    Err(format!("{id} executes other requests of {} than it should: {:?}", report.seq, report.requests))
}

#[cfg(test)]
mod tests {
    use quorate::core::ExecutedRequest;
    use quorate::outcome::Outcome;

    use super::super::samples::{ID, digest, executed, request_id};
    use super::*;

    #[test]
    fn a_request_is_executed_once_within_its_window_and_session() {
        let mut executions = Executions::new(2);
        let mut execute = |session, number| executions.execute(&request_id(session, number));
        assert!(execute(1, 2));
        assert!(!execute(1, 2), "a second time");
        assert!(!execute(1, 3), "beyond the window while 1 is missing");
        assert!(execute(1, 1));
        assert!(execute(1, 3));
        assert!(!execute(1, 0));
        assert!(execute(2, 1), "a later session begins anew");
        assert!(!execute(1, 4), "and closes the earlier one");
    }

    #[test]
    fn a_replica_that_executes_again_or_skips_is_noticed() {
        let first = request_id(1, 1);
        let results = vec![(first, Some(Outcome::Panicked)), (first, None)];
        let slot = Slot { digest: digest(1), chain: digest(1), root: None, results };
        let report = |flags: [bool; 2]| ExecutedBatch {
            requests: flags.map(|executed| ExecutedRequest { id: first, executed }).to_vec(),
            ..executed(1)
        };
        assert_eq!(check_executed(ID, &slot, &report([true, false])), Ok(()));
        assert!(check_executed(ID, &slot, &report([true, true])).is_err());
        assert!(check_executed(ID, &slot, &report([false, false])).is_err());
    }
}
