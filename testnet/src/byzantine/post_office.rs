//! What a liar holds back until its time has come, and its clock.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How often a liar may speak by itself.
const TICKS: Duration = Duration::from_millis(50);

/// Does things later, and something again and again, on a thread of its own.
pub(super) struct PostOffice<T> {
    letters: Sender<(Instant, T)>,
}

impl<T: Send + 'static> PostOffice<T> {
    /// Calls `deliver` with what has waited long enough, and `tick` from time to time.
    pub(super) fn open(deliver: impl Fn(T) + Send + 'static, tick: impl Fn() + Send + 'static) -> Self {
        let (letters, received) = channel();
        thread::spawn(move || run(&received, &deliver, &tick));
        PostOffice { letters }
    }

    pub(super) fn post(&self, delay: Duration, letter: T) {
        // The thread ends with the process only.
        let _ = self.letters.send((Instant::now() + delay, letter));
    }
}

fn run<T>(received: &Receiver<(Instant, T)>, deliver: &impl Fn(T), tick: &impl Fn()) {
    // By when they are due, and by their order.
    let mut waiting: BTreeMap<(Instant, u64), T> = BTreeMap::new();
    let mut number = 0;
    let mut next_tick = Instant::now() + TICKS;
    loop {
        let now = Instant::now();
        while let Some(entry) = waiting.first_entry().filter(|entry| entry.key().0 <= now) {
            deliver(entry.remove());
        }
        if next_tick <= now {
            tick();
            next_tick = now + TICKS;
        }
        let next = waiting.first_key_value().map_or(next_tick, |((due, _), _)| next_tick.min(*due));
        match received.recv_timeout(next.saturating_duration_since(now)) {
            Ok((due, letter)) => {
                number += 1;
                waiting.insert((due, number), letter);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
