//! A permissioned double-entry ledger, as a deterministic state machine for Quorate.
//!
//! A transfer moves an amount from the account that it debits to the one that it credits, once: its identifier is never
//! used again. Balances follow from posted debits and credits, so money is neither made nor lost. Accounts exist from
//! their first transfer, or from when they are opened, many at a time, and have no overdraft limit. Whoever is a client
//! in the genesis may order any operation.
//!
//! | Module | What it holds |
//! | --- | --- |
//! | [`text`] | [`AccountName`], [`Reference`]: texts within their limits |
//! | [`transfer`] | [`Transfer`], [`TransferId`]: what moves money |
//! | [`operation`] | [`Operation`], [`AccountNames`]: what clients send, and its bytes |
//! | [`answer`] | [`Answer`], [`LedgerRefusal`]: what becomes of it, and their bytes |
//! | [`record`] | [`Balance`], [`PostedTransfer`]: keys and values in the replicated state |
//! | [`machine`] | [`Ledger`]: the state machine, and what can be read from its state |
//!
//! Invariant: an [`Operation`] that exists is well formed. Everything else is a [`LedgerRefusal`], the same on every
//! replica.

pub mod answer;
mod encoding;
pub mod machine;
pub mod operation;
pub mod record;
pub mod text;
pub mod transfer;

pub use answer::{Answer, LedgerRefusal};
pub use machine::{Ledger, Totals};
pub use operation::{AccountNames, Operation};
pub use record::{Balance, PostedTransfer, account_key, transfer_key};
pub use text::{AccountName, Reference};
pub use transfer::{Transfer, TransferId};
