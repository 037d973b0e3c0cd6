//! The clients: each keeps a number of payments under way until all are paid.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use quorate::client::ClientOptions;
use quorate_ledger::Transfer;
use quorate_node::ledger_client::Posted;
use quorate_node::{ClientHome, LedgerClient, LedgerError};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::error::TestnetError;

/// Acknowledgements that wait to be counted before the clients have to wait.
const ACKNOWLEDGEMENTS_MAX: usize = 4_096;

/// The end of one payment's way.
#[derive(Debug)]
pub struct Paid {
    /// Which payment it is.
    pub payment: usize,
    /// When the client submitted it.
    pub submitted: Instant,
    /// When the client knew what became of it.
    pub answered: Instant,
    /// What became of it.
    pub result: Result<Posted, LedgerError>,
}

impl Paid {
    /// How long it took, as the client saw it.
    #[must_use]
    pub fn latency(&self) -> Duration {
        self.answered.duration_since(self.submitted)
    }
}

/// The clients at work. Dropping it stops them.
#[derive(Debug)]
pub struct Load {
    paid: mpsc::Receiver<Paid>,
    _workers: JoinSet<()>,
}

/// Connects a client for each home.
///
/// # Errors
/// [`TestnetError::Connect`] for one that cannot be started.
pub async fn connect(homes: &[ClientHome], options: ClientOptions) -> Result<Vec<LedgerClient>, TestnetError> {
    let mut clients = Vec::new();
    for (client, home) in homes.iter().enumerate() {
        let connected = LedgerClient::connect(home, options).await;
        clients.push(connected.map_err(|source| TestnetError::Connect { client, source })?);
    }
    Ok(clients)
}

impl Load {
    /// Sets the clients to work: each takes the next payment whenever fewer than `in_flight` of its own are under way.
    #[must_use]
    pub fn start(clients: Vec<LedgerClient>, payments: Arc<[Transfer]>, in_flight: usize) -> Load {
        let (sender, paid) = mpsc::channel(ACKNOWLEDGEMENTS_MAX);
        let next = Arc::new(AtomicUsize::new(0));
        let mut workers = JoinSet::new();
        for client in clients {
            for _ in 0..in_flight {
                let (payments, next) = (Arc::clone(&payments), Arc::clone(&next));
                workers.spawn(work(sender.clone(), client.clone(), payments, next));
            }
        }
        Load { paid, _workers: workers }
    }

    /// The next payment that has a result; `None` when all are paid.
    pub async fn next(&mut self) -> Option<Paid> {
        self.paid.recv().await
    }
}

/// The sender is dropped last: who hears that all are paid finds the clients' homes free.
async fn work(sender: mpsc::Sender<Paid>, client: LedgerClient, payments: Arc<[Transfer]>, next: Arc<AtomicUsize>) {
    loop {
        let payment = next.fetch_add(1, Ordering::Relaxed);
        let Some(transfer) = payments.get(payment) else { return };
        let submitted = Instant::now();
        let result = client.transfer(transfer.clone()).await;
        let paid = Paid { payment, submitted, answered: Instant::now(), result };
        if sender.send(paid).await.is_err() {
            return;
        }
    }
}
