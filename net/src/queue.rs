//! The bounded queues between whoever sends and the task that writes.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

use crate::class::Class;
use crate::limits::{Limits, QueueLimits};

/// The queue has reached one of its bounds; the frame that was to be added is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QueueFull;

/// The queues of one link, one for each class. They end with the link, so that a new link carries nothing old.
pub(crate) struct Outbox {
    votes: Queue,
    bulk: Queue,
}

impl Outbox {
    pub(crate) fn new(limits: &Limits) -> Self {
        Outbox { votes: Queue::new(limits.queue(Class::Vote)), bulk: Queue::new(limits.queue(Class::Bulk)) }
    }

    pub(crate) fn push(&self, class: Class, frame: Bytes) -> Result<(), QueueFull> {
        self.queue(class).push(frame)
    }

    /// Refuses further frames and lets the writers finish.
    pub(crate) fn finish(&self) {
        self.votes.finish();
        self.bulk.finish();
    }

    pub(crate) fn queue(&self, class: Class) -> &Queue {
        match class {
            Class::Vote => &self.votes,
            Class::Bulk => &self.bulk,
        }
    }
}

/// Frames in order, bounded by number and bytes. One task takes; any number may push.
pub(crate) struct Queue {
    limits: QueueLimits,
    waiting: Mutex<Waiting>,
    /// Holds a permit when a frame was pushed since the last look.
    pushed: Notify,
}

#[derive(Default)]
struct Waiting {
    frames: VecDeque<Bytes>,
    bytes: usize,
    /// Whether nothing will be pushed any more.
    finished: bool,
}

impl Queue {
    pub(crate) fn new(limits: QueueLimits) -> Self {
        Queue { limits, waiting: Mutex::default(), pushed: Notify::new() }
    }

    /// Adds a frame at the end. Never blocks beyond the few instructions of another push or take.
    pub(crate) fn push(&self, frame: Bytes) -> Result<(), QueueFull> {
        let was_empty = {
            let mut waiting = self.waiting();
            let bytes = waiting.bytes.saturating_add(frame.len());
            if waiting.finished || waiting.frames.len() >= self.limits.frames_max || bytes > self.limits.bytes_max {
                return Err(QueueFull);
            }
            waiting.bytes = bytes;
            waiting.frames.push_back(frame);
            waiting.frames.len() == 1
        };
        if was_empty {
            self.pushed.notify_one();
        }
        Ok(())
    }

    /// Moves frames to `batch` until it holds `bytes_max` bytes or the queue is empty. False when there was none.
    pub(crate) fn take(&self, batch: &mut Vec<Bytes>, bytes_max: usize) -> bool {
        let mut taken = 0;
        let mut waiting = self.waiting();
        while taken < bytes_max {
            let Some(frame) = waiting.frames.pop_front() else { break };
            waiting.bytes -= frame.len();
            taken += frame.len();
            batch.push(frame);
        }
        !batch.is_empty()
    }

    /// Refuses further frames. The writer finishes its stream after those that wait.
    fn finish(&self) {
        self.waiting().finished = true;
        self.pushed.notify_one();
    }

    /// Whether the last frame was taken and none will follow.
    pub(crate) fn is_finished(&self) -> bool {
        let waiting = self.waiting();
        waiting.finished && waiting.frames.is_empty()
    }

    /// Waits until a frame was pushed to the empty queue.
    pub(crate) async fn pushed(&self) {
        self.pushed.notified().await;
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(frames_max: usize, bytes_max: usize) -> Queue {
        Queue::new(QueueLimits { frames_max, bytes_max })
    }

    fn frame(length: usize) -> Bytes {
        Bytes::from(vec![0; length])
    }

    #[test]
    fn drops_the_newest_at_either_bound_and_takes_again_after_a_drain() {
        let by_frames = queue(2, 100);
        assert_eq!([1, 1, 1].map(|n| by_frames.push(frame(n))), [Ok(()), Ok(()), Err(QueueFull)]);
        let by_bytes = queue(100, 10);
        assert_eq!([6, 5, 4].map(|n| by_bytes.push(frame(n))), [Ok(()), Err(QueueFull), Ok(())]);
        let mut batch = Vec::new();
        assert!(by_bytes.take(&mut batch, usize::MAX));
        assert_eq!(batch.iter().map(Bytes::len).collect::<Vec<_>>(), [6, 4]);
        assert_eq!(by_bytes.push(frame(10)), Ok(()));
    }

    #[test]
    fn a_batch_ends_with_the_frame_that_reaches_its_size() {
        let queue = queue(10, 100);
        assert!([3, 3, 3].into_iter().all(|n| queue.push(frame(n)).is_ok()));
        let mut batch = Vec::new();
        assert!(queue.take(&mut batch, 5));
        assert_eq!(batch.len(), 2);
        batch.clear();
        assert!(queue.take(&mut batch, 5));
        batch.clear();
        assert!(!queue.take(&mut batch, 5));
    }

    #[test]
    fn a_finished_queue_gives_what_it_holds_and_takes_nothing_more() {
        let queue = queue(10, 100);
        queue.push(frame(1)).unwrap();
        queue.finish();
        assert_eq!(queue.push(frame(1)), Err(QueueFull));
        assert!(!queue.is_finished());
        assert!(queue.take(&mut Vec::new(), 5));
        assert!(queue.is_finished());
    }

    #[tokio::test]
    async fn a_push_between_the_look_and_the_wait_is_not_missed() {
        let queue = queue(10, 100);
        assert!(!queue.take(&mut Vec::new(), 5));
        queue.push(frame(1)).unwrap();
        queue.pushed().await;
    }
}
