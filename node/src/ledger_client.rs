//! [`LedgerClient`]: the ledger over the network, for the command line, load generators and other programs.

use std::fs::File;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use quorate::client::{Client, ClientError, ClientInbox, ClientOptions, ClientTransport, Identity};
use quorate::clock::SystemClock;
use quorate::messages::{RequestResult, SigningContext};
use quorate::outcome::{LimitExceeded, Outcome};
use quorate::{ReplicaId, SeqNum, WallTime};
use quorate_crypto::Ed25519;
use quorate_ledger::{AccountName, AccountNames, Answer, Balance, LedgerRefusal, Operation, Transfer, account_key};
use quorate_net::{ClientNet, ClientNetConfig, Limits, Member, NetError, ReplicaHandler};
use tokio::sync::watch;

use crate::exit::Exit;
use crate::home::{ClientHome, HomeError};

/// How long [`LedgerClient::connect`] waits for connections before it goes on with those that there are.
const CONNECT_PATIENCE: Duration = Duration::from_secs(3);

/// A client of the ledger. Clones share one session and its connections, and may call at the same time.
#[derive(Clone)]
pub struct LedgerClient {
    client: Client,
    _lock: Arc<File>,
}

/// A transfer that the network has posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// The slot.
    pub seq: SeqNum,
    /// The place in its batch.
    pub index: u32,
}

/// A balance and the moment in the history at which it was that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BalanceAt {
    /// Everything up to this slot is contained.
    pub seq: SeqNum,
    /// The balance; `None` when no transfer had named the account.
    pub balance: Option<Balance>,
}

/// A balance that is proven against a certified checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProvenBalance {
    /// The checkpoint, and the balance there.
    pub at: BalanceAt,
    /// The agreed time of the checkpoint.
    pub time: WallTime,
}

/// Why a client cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Its home cannot be used.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The transport cannot be started.
    #[error("cannot start the client's network: {0}")]
    Net(#[from] NetError),
}

impl ConnectError {
    /// The exit code of a process that ends for this reason.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            ConnectError::Home(error) => error.exit(),
            ConnectError::Net(_) => Exit::Configuration,
        }
    }
}

/// Why a call has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// The network gave none.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The ledger refused; nothing was changed.
    #[error("the ledger refused: {0}")]
    Refused(LedgerRefusal),
    /// It went beyond a limit of the network; nothing was changed.
    #[error("beyond a limit of the network: {0}")]
    OverLimit(&'static str),
    /// The answer is none that this release knows.
    #[error("the network's answer is not one of this release's ledger: {0}")]
    Unexpected(String),
}

impl LedgerClient {
    /// Starts a client, and waits until it is connected to as many replicas as answer when f are down, but not for
    /// ever: calls say who is missing. Runs on the tokio runtime of the caller.
    ///
    /// # Errors
    /// [`ConnectError`] when another process uses the client or its network cannot be started.
    pub async fn connect(home: &ClientHome, options: ClientOptions) -> Result<LedgerClient, ConnectError> {
        let lock = Arc::new(home.lock()?);
        let genesis = Arc::clone(home.genesis());
        let context = SigningContext::new(Arc::new(Ed25519), genesis.chain_id(), genesis.epoch());
        let identity = Identity { genesis: Arc::clone(&genesis), context, key: home.key().clone() };
        let wire = Arc::new(Wire::default());
        let (client, inbox) = Client::start(
            identity,
            options,
            Arc::clone(&wire) as Arc<dyn ClientTransport>,
            Arc::new(SystemClock::new()),
        );
        let (links, mut connected) = watch::channel(0_usize);
        let net = ClientNet::start(net_config(home), Arc::new(Inbound { inbox, links })).await?;
        wire.net.get_or_init(|| net);
        let wanted = genesis.committee.size() - genesis.committee.faulty_max();
        // Out of patience: the calls will say who is missing.
        let _ = tokio::time::timeout(CONNECT_PATIENCE, connected.wait_for(|links| *links >= wanted)).await;
        Ok(LedgerClient { client, _lock: lock })
    }

    /// The engine's client, for operations that are not the ledger's and for receipts.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Posts a transfer.
    ///
    /// # Errors
    /// [`LedgerError`]; a transfer that the ledger refused was not posted, and one whose call timed out may be posted
    /// later. Sending the same transfer again is harmless.
    pub async fn transfer(&self, transfer: Transfer) -> Result<Posted, LedgerError> {
        let (result, answer) = self.execute(&Operation::Transfer(transfer)).await?;
        match answer {
            Answer::Transferred => Ok(Posted { seq: result.seq, index: result.index }),
            Answer::Balance(_) | Answer::Opened { .. } => {
                Err(LedgerError::Unexpected(format!("{answer:?} for a transfer")))
            }
        }
    }

    /// Opens accounts, and gives how many of them were not open before. Opening them again is harmless.
    ///
    /// # Errors
    /// [`LedgerError`]; all of them are open or none.
    pub async fn open(&self, accounts: AccountNames) -> Result<u64, LedgerError> {
        match self.execute(&Operation::Open(accounts)).await?.1 {
            Answer::Opened { new } => Ok(new),
            answer @ (Answer::Transferred | Answer::Balance(_)) => {
                Err(LedgerError::Unexpected(format!("{answer:?} for accounts to open")))
            }
        }
    }

    /// The balance of an account now: a read that is ordered like a transfer.
    ///
    /// # Errors
    /// [`LedgerError`] when the network gives no answer.
    pub async fn balance(&self, account: &AccountName) -> Result<BalanceAt, LedgerError> {
        let (result, answer) = self.execute(&Operation::Balance(account.clone())).await?;
        match answer {
            Answer::Balance(balance) => Ok(BalanceAt { seq: result.seq, balance }),
            Answer::Transferred | Answer::Opened { .. } => {
                Err(LedgerError::Unexpected(format!("{answer:?} for a balance")))
            }
        }
    }

    /// The balance of an account at the newest certified checkpoint, with proofs checked: cheaper than
    /// [`LedgerClient::balance`], nothing is ordered for it, and as old as the checkpoint.
    ///
    /// # Errors
    /// [`LedgerError`] when too few replicas answer, or nothing is certified yet.
    pub async fn balance_proven(&self, account: &AccountName) -> Result<ProvenBalance, LedgerError> {
        let proven = self.client.query_proven(account_key(account).into()).await?;
        let balance = proven.value.map(|value| Balance::decode(&value)).transpose();
        let balance = balance.map_err(|error| LedgerError::Unexpected(error.to_string()))?;
        Ok(ProvenBalance { at: BalanceAt { seq: proven.seq, balance }, time: proven.time })
    }

    async fn execute(&self, operation: &Operation) -> Result<(RequestResult, Answer), LedgerError> {
        let result = self.client.submit(operation.encode()).await?;
        let answer = read_outcome(&result.outcome)?;
        Ok((result, answer))
    }
}

fn read_outcome(outcome: &Outcome) -> Result<Answer, LedgerError> {
    let unexpected = |error: LedgerRefusal| LedgerError::Unexpected(error.to_string());
    match outcome {
        Outcome::Done(bytes) => Answer::decode(bytes).map_err(unexpected),
        Outcome::Refused(bytes) => Err(LedgerRefusal::decode(bytes).map_or_else(unexpected, LedgerError::Refused)),
        Outcome::OverLimit(limit) => Err(LedgerError::OverLimit(match limit {
            LimitExceeded::Key => "key_bytes_max",
            LimitExceeded::Value => "value_bytes_max",
            LimitExceeded::State => "state_bytes_max",
            LimitExceeded::Outcome => "outcome_bytes_max",
        })),
        Outcome::Panicked => Err(LedgerError::Unexpected("the operation broke the ledger; nothing was changed".into())),
        Outcome::Skipped(reason) => Err(LedgerError::Unexpected(format!("the operation was skipped: {reason:?}"))),
    }
}

fn net_config(home: &ClientHome) -> ClientNetConfig {
    let genesis = home.genesis();
    let members = genesis.committee.ids().zip(genesis.committee.keys()).zip(&home.settings().replicas);
    ClientNetConfig {
        key_pair: home.key().clone(),
        chain_id: genesis.chain_id(),
        replicas: members.map(|((id, key), contact)| Member { id, key: *key, address: contact.clients }).collect(),
        limits: Limits::clients(),
    }
}

/// From the client to the replicas. The client exists before its network does: what is sent in between gets lost, and
/// the client repeats itself.
#[derive(Default)]
struct Wire {
    net: OnceLock<ClientNet>,
}

impl ClientTransport for Wire {
    fn send(&self, to: ReplicaId, frame: Bytes) {
        if let Some(net) = self.net.get() {
            // What is dropped is sent again.
            let _ = net.send(to, frame);
        }
    }
}

/// From the replicas to the client.
struct Inbound {
    inbox: ClientInbox,
    links: watch::Sender<usize>,
}

impl ReplicaHandler for Inbound {
    fn frame(&self, from: ReplicaId, frame: Bytes) {
        self.inbox.deliver(from, frame);
    }

    fn link(&self, replica: ReplicaId, up: bool) {
        self.inbox.link(replica, up);
        self.links.send_modify(|links| *links = if up { *links + 1 } else { links.saturating_sub(1) });
    }
}
