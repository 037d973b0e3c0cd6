//! Whatever a replica writes, wherever segments end and processes stop: what is recovered is the fold of what was
//! written.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::records::{TestHome, batch, digest, entered, fold, pre_prepare, prepared, slot, stable, taken, view_change};
use crate::core::{JournalRecord, Recovered};
use crate::storage::Storage;
use crate::types::SeqNum;

#[derive(Clone, Debug)]
enum Step {
    /// The next slot is committed.
    Commit {
        operation_bytes: usize,
    },
    /// A slot ahead of it gets a batch and a vote in some view.
    Vote {
        ahead: u64,
        view: u64,
    },
    /// A higher view.
    View {
        skips: u64,
    },
    /// Everything committed so far becomes stable.
    Stabilise,
    /// A snapshot of it becomes durable.
    Snapshot,
    Sync,
    /// The process is killed and starts again.
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0usize..400).prop_map(|operation_bytes| Step::Commit { operation_bytes }),
        4 => (1u64..8, 1u64..5).prop_map(|(ahead, view)| Step::Vote { ahead, view }),
        1 => (1u64..9).prop_map(|skips| Step::View { skips }),
        2 => Just(Step::Stabilise),
        1 => Just(Step::Snapshot),
        4 => Just(Step::Sync),
        1 => Just(Step::Restart),
    ]
}

/// What was written, and the naive account of it.
#[derive(Default)]
struct Account {
    written: Vec<JournalRecord>,
    committed: u64,
    stable: u64,
    view: u64,
    sizes: BTreeMap<u64, usize>,
}

impl Account {
    fn records(&mut self, step: &Step) -> Vec<JournalRecord> {
        let records = match step {
            Step::Commit { operation_bytes } => {
                self.committed += 1;
                let size = *self.sizes.entry(self.committed).or_insert(*operation_bytes);
                slot(self.committed, size)
            }
            Step::Vote { ahead, view } => {
                let seq = self.committed + ahead;
                let size = *self.sizes.entry(seq).or_insert(50);
                let digest = digest(seq, size);
                vec![
                    JournalRecord::Batch { seq: SeqNum(seq), batch: batch(seq, size) },
                    JournalRecord::PrePrepared(pre_prepare(*view, seq, digest)),
                    prepared(*view, seq, digest),
                ]
            }
            Step::View { skips } => {
                self.view += skips;
                vec![JournalRecord::ViewChangeSent(view_change(self.view)), entered(self.view)]
            }
            Step::Stabilise if self.committed > self.stable => {
                self.stable = self.committed;
                vec![taken(self.stable), stable(self.stable)]
            }
            Step::Stabilise | Step::Snapshot | Step::Sync | Step::Restart => Vec::new(),
        };
        self.written.extend(records.iter().cloned());
        records
    }

    fn recovered(&self) -> Recovered {
        let promises = fold(&self.written);
        let low = promises.low_watermark();
        let mut batches = BTreeMap::new();
        for record in &self.written {
            if let JournalRecord::Batch { seq, batch } = record
                && *seq > low
            {
                batches.insert((*seq, batch.digest(*seq)), batch.clone());
            }
        }
        Recovered { promises, batches }
    }
}

fn assert_same(recovered: &Recovered, account: &Account) {
    let expected = account.recovered();
    assert_eq!(recovered.promises, expected.promises);
    assert_eq!(recovered.batches, expected.batches);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_recovered_is_the_fold_of_what_was_written(
        steps in proptest::collection::vec(step(), 1..150),
        segment_bytes in 1u64..20_000,
        history_bytes in 0u64..20_000,
    ) {
        let home = TestHome::new(segment_bytes, history_bytes);
        let mut journal = home.open().journal;
        let mut account = Account::default();
        for step in steps.iter().chain([&Step::Restart]) {
            let records = account.records(step);
            journal.append(&records).unwrap();
            match step {
                Step::Snapshot => journal.snapshot_durable(SeqNum(account.stable)).unwrap(),
                Step::Sync => journal.sync().unwrap(),
                Step::Restart => {
                    drop(journal);
                    let opened = home.open();
                    prop_assert_eq!(opened.torn_tail, None);
                    assert_same(&opened.recovered, &account);
                    journal = opened.journal;
                }
                Step::Commit { .. } | Step::Vote { .. } | Step::View { .. } | Step::Stabilise => {}
            }
            let history = journal.history();
            prop_assert_eq!(history.newest(), SeqNum(account.committed));
            prop_assert!(history.oldest() <= SeqNum(account.stable + 1));
            let slots = history.committed(history.oldest().previous(), SeqNum(u64::MAX), usize::MAX).unwrap();
            prop_assert_eq!(slots.len() as u64, history.newest().since(history.oldest().previous()));
        }
    }
}
