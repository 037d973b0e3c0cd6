//! The thread that makes promises durable, and lets go of what waited for that.
//!
//! It appends all that is queued, syncs once, then releases in order: group commit. Nothing is sent or executed before
//! every record that must be synced, of the same and of all earlier actions, is durable.

use std::sync::Arc;
use std::time::Duration;

use super::executor_thread::ExecutorInput;
use super::failure::{Failure, FailureCell};
use super::metrics::Metrics;
use super::queue::Queue;
use super::transport::Transport;
use crate::clock::Clock;
use crate::core::{Actions, Event, Outgoing, Recipients, Space};
use crate::messages::Message;
use crate::storage::{History, Storage, StorageError};
use crate::types::{Instant, ReplicaId, SeqNum};

/// Actions that one sync covers at most.
const ACTIONS_AT_ONCE: usize = 256;
/// Bytes of committed slots in one answer from the journal.
const HISTORY_BYTES: usize = 1 << 20;
/// How often the room on the disk is measured.
const SPACE_PERIOD: Duration = Duration::from_secs(1);

/// What comes to the persister.
pub(super) enum PersisterInput {
    /// From the core.
    Actions(Actions),
    /// From the snapshotter: history up to there may be deleted.
    SnapshotDurable(SeqNum),
    /// From the thread that serves states: the oldest of them.
    StateServed(SeqNum),
}

/// A question that the journal answers.
#[derive(Debug)]
pub(super) struct HistoryQuestion {
    to: ReplicaId,
    after: SeqNum,
    through: SeqNum,
}

/// What the thread owns.
pub(super) struct Persister {
    pub(super) id: ReplicaId,
    pub(super) members: Vec<ReplicaId>,
    pub(super) storage: Box<dyn Storage>,
    pub(super) input: Queue<PersisterInput>,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) executor: Queue<ExecutorInput>,
    pub(super) events: Queue<Event>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) questions: Queue<HistoryQuestion>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) failure: Arc<FailureCell>,
}

impl Persister {
    /// Runs until its queue is closed, or storage fails.
    pub(super) fn run(mut self) {
        let mut watch = SpaceWatch { space: Space::Enough, next: self.clock.now().monotonic };
        while let Some(inputs) = self.input.take(ACTIONS_AT_ONCE, Some(SPACE_PERIOD)) {
            let persisted = self.persist(&inputs).and_then(|()| self.watch_space(&mut watch));
            if let Err(error) = persisted {
                // The first error is final: whatever waited for the disk must never leave.
                self.input.close();
                self.failure.set(Failure::Storage(error));
                return;
            }
            for input in inputs {
                if let PersisterInput::Actions(actions) = input {
                    self.release(actions);
                }
            }
        }
        // The snapshot of a clean stop must not be ahead of what is durable here.
        if let Err(error) = self.storage.sync() {
            self.failure.set(Failure::Storage(error));
        }
    }

    fn persist(&mut self, inputs: &[PersisterInput]) -> Result<(), StorageError> {
        let mut must_sync = false;
        for input in inputs {
            match input {
                PersisterInput::Actions(actions) => {
                    must_sync |= actions.must_sync();
                    if !actions.persist.is_empty() {
                        self.storage.append(&actions.persist)?;
                    }
                }
                PersisterInput::SnapshotDurable(seq) => self.storage.snapshot_durable(*seq)?,
                PersisterInput::StateServed(oldest) => self.storage.state_served(*oldest),
            }
        }
        if must_sync {
            self.storage.sync()?;
            self.metrics.journal_syncs.inc();
        }
        self.metrics.journal_bytes.set(i64::try_from(self.storage.bytes_on_disk()).unwrap_or(i64::MAX));
        Ok(())
    }

    /// Tells the core when the disk gets full, and when it has room again.
    fn watch_space(&mut self, watch: &mut SpaceWatch) -> Result<(), StorageError> {
        let now = self.clock.now().monotonic;
        if now < watch.next {
            return Ok(());
        }
        watch.next = now.plus(SPACE_PERIOD);
        let space = self.storage.space()?;
        if space != watch.space {
            watch.space = space;
            self.events.push(Event::Disk(space));
        }
        Ok(())
    }

    fn release(&self, actions: Actions) {
        for outgoing in actions.send {
            match outgoing {
                Outgoing::Replica { to, message } => self.send(to, &message),
                Outgoing::Client { to, message } => self.transport.to_client(to, message.encode()),
                Outgoing::History { to, after, through } => {
                    // Whoever asks too much asks again.
                    let question = HistoryQuestion { to, after, through };
                    drop(self.questions.offer(question));
                }
            }
        }
        for order in actions.execute {
            self.executor.push(ExecutorInput::Order(order));
        }
    }

    fn send(&self, to: Recipients, message: &Message) {
        let (bulk, frame) = (message.is_bulk(), message.encode());
        match to {
            Recipients::One(member) => self.transport.to_replica(member, bulk, frame),
            Recipients::Others => {
                for member in self.members.iter().filter(|member| **member != self.id) {
                    self.transport.to_replica(*member, bulk, frame.clone());
                }
            }
        }
    }
}

/// What the core knows of the room on the disk, and when it is measured again.
struct SpaceWatch {
    space: Space,
    next: Instant,
}

/// The thread that reads the journal for those who fell behind, so that they do not slow down the others.
pub(super) struct Historian {
    pub(super) history: Arc<dyn History>,
    pub(super) questions: Queue<HistoryQuestion>,
    pub(super) transport: Arc<dyn Transport>,
}

impl Historian {
    /// Runs until its queue is closed.
    pub(super) fn run(self) {
        while let Some(questions) = self.questions.take(1, None) {
            for HistoryQuestion { to, after, through } in questions {
                let message = self.answer(to, after, through);
                self.transport.to_replica(to, message.is_bulk(), message.encode());
            }
        }
    }

    /// Serving is no promise: what cannot be read is gone for the peer too, which asks somebody else at once.
    fn answer(&self, to: ReplicaId, after: SeqNum, through: SeqNum) -> Message {
        match self.history.committed(after, through, HISTORY_BYTES) {
            Ok(slots) if slots.is_empty() => {
                tracing::debug!(%to, %after, "asked for history that is not held any more");
                Message::HistoryGone { after }
            }
            Ok(slots) => Message::Committed(slots),
            Err(error) => {
                tracing::warn!(%to, %error, "cannot read history");
                Message::HistoryGone { after }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use bytes::Bytes;

    use super::*;
    use crate::batch::Batch;
    use crate::clock::SystemClock;
    use crate::core::JournalRecord;
    use crate::messages::CommittedSlot;
    use crate::types::{ClientId, WallTime};

    /// Counts the groups that were appended and not synced yet.
    struct Counting(Arc<Mutex<usize>>);

    impl Storage for Counting {
        fn append(&mut self, _: &[JournalRecord]) -> Result<(), StorageError> {
            *self.0.lock().unwrap() += 1;
            Ok(())
        }

        fn sync(&mut self) -> Result<(), StorageError> {
            *self.0.lock().unwrap() = 0;
            Ok(())
        }

        fn snapshot_durable(&mut self, _: SeqNum) -> Result<(), StorageError> {
            Ok(())
        }

        fn state_served(&mut self, _: SeqNum) {}

        fn space(&mut self) -> Result<Space, StorageError> {
            Ok(Space::Enough)
        }

        fn history(&self) -> Arc<dyn History> {
            Arc::new(Empty)
        }

        fn bytes_on_disk(&self) -> u64 {
            0
        }
    }

    struct Empty;

    impl History for Empty {
        fn committed(&self, _: SeqNum, _: SeqNum, _: usize) -> Result<Vec<CommittedSlot>, StorageError> {
            Ok(Vec::new())
        }

        fn oldest(&self) -> SeqNum {
            SeqNum(1)
        }

        fn newest(&self) -> SeqNum {
            SeqNum(0)
        }
    }

    struct Nowhere;

    impl Transport for Nowhere {
        fn to_replica(&self, _: ReplicaId, _: bool, _: Bytes) {}
        fn to_client(&self, _: ClientId, _: Bytes) {}
    }

    struct Damaged;

    impl History for Damaged {
        fn committed(&self, _: SeqNum, _: SeqNum, _: usize) -> Result<Vec<CommittedSlot>, StorageError> {
            Err(StorageError::damaged(std::path::Path::new("segment"), 7, "the checksum is wrong"))
        }

        fn oldest(&self) -> SeqNum {
            SeqNum(1)
        }

        fn newest(&self) -> SeqNum {
            SeqNum(9)
        }
    }

    #[derive(Default)]
    struct Sent(Mutex<Vec<(ReplicaId, Bytes)>>);

    impl Transport for Sent {
        fn to_replica(&self, to: ReplicaId, _: bool, frame: Bytes) {
            self.0.lock().unwrap().push((to, frame));
        }

        fn to_client(&self, _: ClientId, _: Bytes) {}
    }

    #[test]
    fn nobody_is_left_waiting_for_history_that_turns_out_to_be_damaged() {
        let (questions, sent) = (Queue::new(1), Arc::new(Sent::default()));
        questions.push(HistoryQuestion { to: ReplicaId(3), after: SeqNum(4), through: SeqNum(9) });
        questions.close();
        let transport: Arc<dyn Transport> = Arc::<Sent>::clone(&sent);
        Historian { history: Arc::new(Damaged), questions, transport }.run();
        let answer = Message::HistoryGone { after: SeqNum(4) }.encode();
        assert_eq!(*sent.0.lock().unwrap(), [(ReplicaId(3), answer)]);
    }

    #[test]
    fn a_clean_stop_leaves_nothing_unsynced_that_its_snapshot_could_be_ahead_of() {
        let unsynced = Arc::new(Mutex::new(0));
        let input = Queue::new(1);
        let batch = JournalRecord::Batch { seq: SeqNum(1), batch: Batch::new(WallTime(1), Vec::new()) };
        assert!(!batch.must_sync());
        input.push(PersisterInput::Actions(Actions { persist: vec![batch], ..Actions::default() }));
        input.close();
        let persister = Persister {
            id: ReplicaId(0),
            members: vec![ReplicaId(0)],
            storage: Box::new(Counting(Arc::clone(&unsynced))),
            input,
            transport: Arc::new(Nowhere),
            executor: Queue::new(1),
            events: Queue::new(1),
            clock: Arc::new(SystemClock::new()),
            questions: Queue::new(1),
            metrics: Arc::default(),
            failure: Arc::default(),
        };
        persister.run();
        assert_eq!(*unsynced.lock().unwrap(), 0);
    }
}
