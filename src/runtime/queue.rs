//! A queue between threads with two entrances: a bounded one, which says when it is full, and one that always takes.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The state of a queue.
#[derive(Debug)]
struct Inner<T> {
    items: VecDeque<T>,
    is_closed: bool,
}

/// First in, first out; many writers, one reader.
#[derive(Debug)]
pub(super) struct Queue<T> {
    inner: Arc<(Mutex<Inner<T>>, Condvar, Condvar)>,
    capacity: usize,
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Queue { inner: Arc::clone(&self.inner), capacity: self.capacity }
    }
}

impl<T> Queue<T> {
    /// An empty queue whose bounded entrance takes items while fewer than `capacity` wait.
    pub(super) fn new(capacity: usize) -> Self {
        let inner = Inner { items: VecDeque::new(), is_closed: false };
        Queue { inner: Arc::new((Mutex::new(inner), Condvar::new(), Condvar::new())), capacity }
    }

    /// Takes an item, or gives it back when the queue is full or closed.
    pub(super) fn offer(&self, item: T) -> Result<(), T> {
        let mut inner = self.lock();
        if inner.is_closed || inner.items.len() >= self.capacity {
            return Err(item);
        }
        inner.items.push_back(item);
        self.inner.1.notify_one();
        Ok(())
    }

    /// Takes an item, after waiting for room. A closed queue drops it.
    pub(super) fn push_when_room(&self, item: T) {
        let mut inner = self.lock();
        while inner.items.len() >= self.capacity && !inner.is_closed {
            inner = self.inner.2.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
        if !inner.is_closed {
            inner.items.push_back(item);
            self.inner.1.notify_one();
        }
    }

    /// Takes an item in any case. A closed queue drops it.
    pub(super) fn push(&self, item: T) {
        let mut inner = self.lock();
        if !inner.is_closed {
            inner.items.push_back(item);
            self.inner.1.notify_one();
        }
    }

    /// Takes an item in place of those that wait and may go. A closed queue drops it.
    pub(super) fn replace(&self, may_go: impl Fn(&T) -> bool, item: T) {
        let mut inner = self.lock();
        if !inner.is_closed {
            inner.items.retain(|waiting| !may_go(waiting));
            inner.items.push_back(item);
            self.inner.1.notify_one();
        }
    }

    /// All that waits, up to `max` items, after waiting for the first until `timeout`. `None` when the queue is closed and
    /// empty.
    pub(super) fn take(&self, max: usize, timeout: Option<Duration>) -> Option<Vec<T>> {
        let mut inner = self.lock();
        if inner.items.is_empty() && !inner.is_closed {
            inner = match timeout {
                Some(timeout) => {
                    let waited = self.inner.1.wait_timeout(inner, timeout);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => {
                    let empty = |inner: &mut Inner<T>| inner.items.is_empty() && !inner.is_closed;
                    self.inner.1.wait_while(inner, empty).unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
        if inner.items.is_empty() && inner.is_closed {
            return None;
        }
        let count = inner.items.len().min(max);
        let taken = inner.items.drain(..count).collect();
        self.inner.2.notify_all();
        Some(taken)
    }

    /// Takes nothing more; what waits is still read.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.inner.1.notify_all();
        self.inner.2.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounded_entrance_refuses_what_the_other_takes() {
        let queue = Queue::new(1);
        assert_eq!(queue.offer(1), Ok(()));
        assert_eq!(queue.offer(2), Err(2));
        queue.push(3);
        assert_eq!(queue.take(9, None), Some(vec![1, 3]));
    }

    #[test]
    fn a_closed_queue_gives_what_waits_and_then_ends() {
        let queue = Queue::new(9);
        queue.push(1);
        queue.push(2);
        queue.close();
        queue.push(3);
        assert_eq!(queue.take(1, None), Some(vec![1]));
        assert_eq!(queue.take(1, None), Some(vec![2]));
        assert_eq!(queue.take(1, None), None);
    }

    #[test]
    fn a_time_out_gives_nothing_but_goes_on() {
        let queue: Queue<u8> = Queue::new(1);
        assert_eq!(queue.take(1, Some(Duration::from_millis(1))), Some(Vec::new()));
    }

    #[test]
    fn a_writer_that_waits_for_room_is_woken() {
        let queue = Queue::new(1);
        queue.push(1);
        let writer = std::thread::spawn({
            let queue = queue.clone();
            move || queue.push_when_room(2)
        });
        let mut got = queue.take(1, None).unwrap();
        while got.len() < 2 {
            got.extend(queue.take(1, None).unwrap());
        }
        writer.join().unwrap();
        assert_eq!(got, [1, 2]);
    }
}
