//! Clients: how an operation becomes a result that no minority of replicas can forge (PBFT, section 4.1).
//!
//! | Module | What it holds |
//! | --- | --- |
//! | [`session`] | [`ClientSession`]: numbers, windows, retransmission and W equal replies, sans-I/O |
//! | [`claim`] | what single replicas say about one request |
//! | [`query`] | values proven against a certified checkpoint, sans-I/O |
//! | [`receipts`] | the signatures of W members under a result, sans-I/O |
//! | [`handle`] | [`Client`]: the asynchronous handle |
//! | `driver`, [`inquiry`] | its task, and the questions it has asked |
//! | [`inbox`] | where the transport puts what members say |
//! | [`error`] | what can go wrong, in words that say what to do |
//!
//! Invariant: nothing that fewer than W = f+1 members say is ever believed, and a member counts once, by the channel
//! that it spoke over. What is proven by signatures is believed whoever brings it.

pub mod claim;
mod driver;
pub mod error;
pub mod handle;
pub mod inbox;
pub mod inquiry;
pub mod query;
pub mod receipts;
pub mod session;

pub use claim::{Answers, Claim, Refusal};
pub use error::ClientError;
pub use handle::{Client, ClientOptions, ClientTransport};
pub use inbox::ClientInbox;
pub use inquiry::Collector;
pub use query::{ProvenValue, QueryCollector};
pub use receipts::ReceiptCollector;
pub use session::{ClientSession, Failure, Identity, Output, Retry, SubmitError};
