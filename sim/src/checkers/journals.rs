//! What the journal of a replica says up to now, in its present life: a fold of their own for the checkers, which look at
//! every record before it is added.

use std::collections::{BTreeMap, BTreeSet};

use quorate::core::{JournalRecord, Recovered};
use quorate::{SeqNum, View};
use quorate_crypto::Digest;

/// One journal.
#[derive(Clone, Debug, Default)]
pub(super) struct Journal {
    /// The view that was entered last.
    pub entered: View,
    /// The view that was asked for last.
    pub asked: View,
    /// The low watermark.
    pub low: SeqNum,
    /// The last slot that went to execution, or that a fetched state contains.
    pub committed: SeqNum,
    /// What was accepted last at each slot above the low watermark.
    pub accepted: BTreeMap<SeqNum, (View, Digest)>,
    /// What was prepared last.
    pub prepared: BTreeMap<SeqNum, (View, Digest)>,
    /// The batches that are kept.
    pub batches: BTreeSet<(SeqNum, Digest)>,
}

impl Journal {
    /// A replica starts: what it has found is what binds it.
    pub(super) fn at_start(recovered: &Recovered) -> Self {
        let promises = &recovered.promises;
        let stable = promises.stable.as_ref().map(|stable| stable.checkpoint.seq).unwrap_or_default();
        let entered = promises.entered.as_ref().map(|entered| entered.new_view.payload.target);
        let accepted = promises.pre_prepared.iter();
        let accepted = accepted.map(|(seq, header)| (*seq, (header.payload.view, header.payload.digest)));
        let prepared = promises.prepared.iter().map(|(seq, known)| (*seq, (known.view(), known.digest())));
        Journal {
            entered: entered.unwrap_or_default(),
            asked: promises.view_change.as_ref().map(|asked| asked.payload.target).unwrap_or_default(),
            low: stable,
            committed: promises.committed_through.max(stable),
            accepted: accepted.collect(),
            prepared: prepared.collect(),
            batches: recovered.batches.keys().copied().collect(),
        }
    }

    /// Adds a record.
    pub(super) fn add(&mut self, record: &JournalRecord) {
        match record {
            JournalRecord::Batch { seq, batch } => {
                self.batches.insert((*seq, batch.digest(*seq)));
            }
            JournalRecord::PrePrepared(header) => {
                let vote = header.payload;
                self.accepted.insert(vote.seq, (vote.view, vote.digest));
            }
            JournalRecord::Prepared(known) => {
                self.prepared.insert(known.seq(), (known.view(), known.digest()));
            }
            JournalRecord::ViewChangeSent(asked) => self.asked = asked.payload.target,
            JournalRecord::ViewEntered(entered) => self.entered = entered.new_view.payload.target,
            JournalRecord::Committed(known) => self.committed = known.commit.seq,
            JournalRecord::CheckpointStable(stable) => self.raise(stable.checkpoint.seq),
            JournalRecord::CheckpointTaken(_) | JournalRecord::RecoveryBegun(_) | JournalRecord::RecoveryEnded => {}
        }
    }

    fn raise(&mut self, low: SeqNum) {
        self.low = low;
        self.committed = self.committed.max(low);
        self.accepted = self.accepted.split_off(&low.next());
        self.prepared = self.prepared.split_off(&low.next());
        self.batches = self.batches.split_off(&(low.next(), Digest::ZERO));
    }
}
