//! [`Client`]: the handle that an application holds.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::driver::{Command, Driver};
use super::error::ClientError;
use super::inbox::{ClientInbox, Mailbox};
use super::query::ProvenValue;
use super::session::{Identity, Retry};
use crate::clock::Clock;
use crate::execution::Receipt;
use crate::messages::RequestResult;
use crate::types::{ClientId, ReplicaId};

/// Commands that wait for the client's task before callers have to wait.
const COMMANDS_MAX: usize = 256;

/// Carries frames to the members. Never blocks; a frame may get lost, because the client repeats itself.
pub trait ClientTransport: Send + Sync + 'static {
    /// Sends a frame to a member.
    fn send(&self, to: ReplicaId, frame: Bytes);
}

/// How patient a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientOptions {
    /// When a request without an answer is sent again.
    pub retry: Retry,
    /// How long a call waits for its result.
    pub timeout: Duration,
}

impl Default for ClientOptions {
    fn default() -> Self {
        ClientOptions { retry: Retry::default(), timeout: Duration::from_secs(30) }
    }
}

/// A client of a network: clones share one session and may call at the same time. Its task ends when the last clone is
/// gone.
#[derive(Clone, Debug)]
pub struct Client {
    id: ClientId,
    commands: mpsc::Sender<Command>,
}

impl Client {
    /// Starts the client's task in the current tokio runtime. Its session is numbered by the wall clock; when the clock
    /// was ahead in an earlier run, the replicas say so and the session moves on by itself.
    ///
    /// Two processes must not use one key at the same time: each would close the other's session.
    pub fn start(
        identity: Identity,
        options: ClientOptions,
        transport: Arc<dyn ClientTransport>,
        clock: Arc<dyn Clock>,
    ) -> (Client, ClientInbox) {
        let id = ClientId(identity.key.public());
        let mailbox = Arc::new(Mailbox::new(identity.genesis.committee.size()));
        let (commands, receiver) = mpsc::channel(COMMANDS_MAX);
        let driver = Driver::new(identity, options, transport, clock);
        tokio::spawn(driver.run(receiver, Arc::clone(&mailbox)));
        (Client { id, commands }, ClientInbox::new(mailbox))
    }

    /// Who this client is.
    #[must_use]
    pub fn id(&self) -> ClientId {
        self.id
    }

    /// Has an operation executed, and gives what became of it: W replicas say so. Waits while the window is full.
    ///
    /// An operation whose call is dropped or timed out goes on being sent, because its number must not stay empty.
    ///
    /// # Errors
    /// [`ClientError`]; it says whether the operation may have been executed.
    pub async fn submit(&self, operation: Bytes) -> Result<RequestResult, ClientError> {
        self.call(|reply| Command::Submit { operation, reply }).await
    }

    /// What stands under a key of the application's state, proven against the newest certified checkpoint that one of W
    /// replicas knows. It is as old as that checkpoint: for the current state submit an operation that reads.
    ///
    /// # Errors
    /// [`ClientError`] when too few replicas answer, or nothing is certified yet.
    pub async fn query_proven(&self, key: Bytes) -> Result<ProvenValue, ClientError> {
        self.call(|reply| Command::Query { key, reply }).await
    }

    /// The receipt of a result of this client: attestations of W replicas, which convince anyone who knows the genesis.
    ///
    /// # Errors
    /// [`ClientError`] when too few replicas answer, or the result is too old.
    pub async fn receipt(&self, result: RequestResult) -> Result<Receipt, ClientError> {
        self.call(|reply| Command::Receipt { result, reply }).await
    }

    async fn call<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, ClientError>>) -> Command,
    ) -> Result<T, ClientError> {
        let (reply, result) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| ClientError::Stopped)?;
        result.await.map_err(|_| ClientError::Stopped)?
    }
}
