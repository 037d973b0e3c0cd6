//! [`Drive`]: clients that pay without end, at a pace that can be changed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use quorate_node::LedgerClient;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::load::Paid;
use crate::payments::between;

/// How often an open loop looks whether payments are due.
const TICK: Duration = Duration::from_millis(2);
/// Payments under way at most. In an open loop those that are due beyond it wait, and their latency grows meanwhile.
const UNDER_WAY_MAX: usize = 65_536;
/// Results that wait to be counted.
const RESULTS_MAX: usize = 65_536;

/// How fast payments are offered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Pace {
    /// None.
    Pause,
    /// As fast as they are answered, with so many under way: a closed loop.
    Closed { in_flight: usize },
    /// So many each second, answered or not: an open loop.
    Open { per_second: f64 },
}

/// Clients that pay without end, each payment between other accounts. Dropping it stops them.
#[derive(Debug)]
pub(super) struct Drive {
    pace: watch::Sender<Pace>,
    paid: mpsc::Receiver<Paid>,
    offered: Arc<AtomicU64>,
    _driver: JoinSet<()>,
}

impl Drive {
    /// Makes ready; the pace is [`Pace::Pause`]. Payments go from and to so many accounts.
    pub(super) fn start(clients: Vec<LedgerClient>, accounts: u64) -> Drive {
        let (pace, paces) = watch::channel(Pace::Pause);
        let (sender, paid) = mpsc::channel(RESULTS_MAX);
        let offered = Arc::default();
        let driver = Driver {
            clients,
            accounts,
            pace: paces,
            sender,
            offered: Arc::clone(&offered),
            under_way: JoinSet::new(),
            schedule: Schedule::begin(Instant::now()),
        };
        let mut task = JoinSet::new();
        task.spawn(driver.run());
        Drive { pace, paid, offered, _driver: task }
    }

    /// Changes the pace. What is under way goes on.
    pub(super) fn set(&self, pace: Pace) {
        self.pace.send_replace(pace);
    }

    /// How many payments were offered so far.
    pub(super) fn offered(&self) -> u64 {
        self.offered.load(Ordering::Relaxed)
    }

    /// The next payment that has a result.
    pub(super) async fn next(&mut self) -> Option<Paid> {
        self.paid.recv().await
    }
}

struct Driver {
    clients: Vec<LedgerClient>,
    accounts: u64,
    pace: watch::Receiver<Pace>,
    sender: mpsc::Sender<Paid>,
    offered: Arc<AtomicU64>,
    under_way: JoinSet<Paid>,
    schedule: Schedule,
}

impl Driver {
    async fn run(mut self) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                changed = self.pace.changed() => match changed {
                    Ok(()) => self.schedule = Schedule::begin(Instant::now()),
                    Err(_) => return,
                },
                Some(Ok(paid)) = self.under_way.join_next() => {
                    if self.sender.send(paid).await.is_err() {
                        return;
                    }
                }
                _ = ticks.tick() => {}
            }
            self.offer_due(Instant::now());
        }
    }

    fn offer_due(&mut self, now: Instant) {
        let pace = *self.pace.borrow();
        match pace {
            Pace::Pause => {}
            Pace::Closed { in_flight } => {
                while self.under_way.len() < in_flight {
                    self.offer(now);
                }
            }
            Pace::Open { per_second } => {
                while self.under_way.len() < UNDER_WAY_MAX
                    && let Some(due) = self.schedule.take_due(per_second, now)
                {
                    self.offer(due);
                }
            }
        }
    }

    /// Sends a payment that should have been sent at this moment.
    fn offer(&mut self, submitted: Instant) {
        let number = self.offered.fetch_add(1, Ordering::Relaxed);
        let payment = usize::try_from(number).expect("there are fewer payments than addresses");
        let Some(client) = self.clients.get(payment % self.clients.len().max(1)).cloned() else { return };
        let transfer = between(self.accounts, number);
        self.under_way.spawn(async move {
            let result = client.transfer(transfer).await;
            Paid { payment, submitted, answered: Instant::now(), result }
        });
    }
}

/// When the payments of an open loop are due: evenly spread.
struct Schedule {
    began: Instant,
    taken: u64,
}

impl Schedule {
    fn begin(now: Instant) -> Schedule {
        Schedule { began: now, taken: 0 }
    }

    /// When the next payment was due, if it is by now.
    fn take_due(&mut self, per_second: f64, now: Instant) -> Option<Instant> {
        let due = self.began + Duration::from_secs_f64(self.taken as f64 / per_second);
        (due <= now).then(|| {
            self.taken += 1;
            due
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payments_are_due_at_even_intervals_however_late_somebody_looks() {
        let began = Instant::now();
        let mut schedule = Schedule::begin(began);
        let mut due_by = |millis| {
            let now = began + Duration::from_millis(millis);
            let due: Vec<_> = std::iter::from_fn(|| schedule.take_due(100.0, now)).collect();
            due.iter().map(|due| due.duration_since(began).as_millis()).collect::<Vec<_>>()
        };
        assert_eq!(due_by(5), [0]);
        assert_eq!(due_by(25), [10, 20]);
        assert_eq!(due_by(29), [0; 0]);
        assert_eq!(due_by(60), [30, 40, 50, 60]);
    }
}
