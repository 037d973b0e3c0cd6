//! How a ledger with a million accounts comes about: they are opened through the log, as everything else is done, some
//! thousands in each operation.

use std::ops::Range;
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt};
use quorate_ledger::AccountNames;
use quorate_node::LedgerClient;

use crate::error::TestnetError;
use crate::payments::account;

/// Operations of each client that are under way at the same time.
const IN_FLIGHT: usize = 2;
/// Larger operations are not sent, even where the network takes them: a slot with many of them would take so long that
/// a busy machine looks like a primary that does nothing.
const OPERATION_BYTES_MAX: u64 = 16 << 10;
/// What an operation takes beside the names.
const OPERATION_OVERHEAD: u64 = 64;
/// What a name takes beside its text: its length.
const NAME_OVERHEAD: u64 = 8;

/// Opens so many accounts; an operation may have so many bytes. Gives how long it took.
pub(super) async fn open_accounts(
    clients: &[LedgerClient],
    accounts: u64,
    operation_bytes_max: u64,
) -> Result<Duration, TestnetError> {
    let started = Instant::now();
    let ranges = ranges(accounts, operation_bytes_max.min(OPERATION_BYTES_MAX));
    let operations = ranges.iter().zip(clients.iter().cycle()).map(|(range, client)| {
        let names = AccountNames::new(range.clone().map(account).collect()).expect("no range is empty");
        async move { client.open(names).await }
    });
    let mut results = stream::iter(operations).buffer_unordered(IN_FLIGHT * clients.len().max(1));
    let mut opened = 0;
    while let Some(result) = results.next().await {
        opened += result.map_err(|error| TestnetError::Failed(format!("accounts cannot be opened: {error}")))?;
    }
    if opened == accounts {
        Ok(started.elapsed())
    } else {
        Err(TestnetError::Failed(format!("{opened} accounts were opened instead of {accounts}")))
    }
}

/// The accounts of each operation.
fn ranges(accounts: u64, operation_bytes_max: u64) -> Vec<Range<u64>> {
    let name = account(accounts).as_str().len() as u64;
    let each = (operation_bytes_max.saturating_sub(OPERATION_OVERHEAD) / (name + NAME_OVERHEAD)).max(1);
    let starts = (0..accounts).step_by(usize::try_from(each).unwrap_or(usize::MAX));
    starts.map(|start| start..accounts.min(start + each)).collect()
}

#[cfg(test)]
mod tests {
    use quorate_ledger::Operation;

    use super::*;

    #[test]
    fn every_account_is_in_one_operation_and_none_is_too_large() {
        let ranges = ranges(100_000, 64 << 10);
        assert_eq!(ranges.iter().cloned().flatten().count(), 100_000);
        assert!(ranges.windows(2).all(|pair| pair[0].end == pair[1].start));
        for range in ranges {
            let names = AccountNames::new(range.map(account).collect()).unwrap();
            assert!(Operation::Open(names).encode().len() <= 64 << 10);
        }
    }
}
