//! The second pass of a recovery: what was committed, streamed to the executor.

use std::collections::VecDeque;
use std::sync::Arc;

use super::History;
use super::error::StorageError;
use crate::batch::CommittedBatch;
use crate::messages::CommittedSlot;
use crate::types::SeqNum;

/// How much is read at a time.
const CHUNK_BYTES: usize = 4 << 20;

/// The committed batches behind a snapshot up to the newest committed slot, in order. A slot that is missing is an
/// error, after which nothing follows.
pub struct Replay {
    history: Arc<dyn History>,
    after: SeqNum,
    through: SeqNum,
    chunk: VecDeque<CommittedSlot>,
}

impl Replay {
    /// Replays what was committed after `after`, the slot of the snapshot that was restored.
    #[must_use]
    pub fn after(history: Arc<dyn History>, after: SeqNum) -> Self {
        let through = history.newest();
        Replay { history, after, through, chunk: VecDeque::new() }
    }

    fn fill(&mut self) -> Result<(), StorageError> {
        self.chunk = self.history.committed(self.after, self.through, CHUNK_BYTES)?.into();
        if self.chunk.is_empty() {
            return Err(StorageError::HistoryGap { needed: self.after.next(), oldest: self.history.oldest() });
        }
        Ok(())
    }
}

impl Iterator for Replay {
    type Item = Result<CommittedBatch, StorageError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.after >= self.through {
            return None;
        }
        if self.chunk.is_empty()
            && let Err(error) = self.fill()
        {
            self.through = self.after;
            return Some(Err(error));
        }
        let CommittedSlot { certificate, batch } = self.chunk.pop_front()?;
        self.after = certificate.seq();
        Some(Ok(CommittedBatch { seq: certificate.seq(), digest: certificate.digest(), batch }))
    }
}
