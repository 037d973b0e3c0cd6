//! What becomes of an operation, in the ledger's words.

use bytes::Bytes;
use quorate::SeqNum;
use quorate::execution::Refusal;
use quorate::outcome::Outcome;
use serde::{Deserialize, Serialize};

use crate::encoding;
use crate::record::Balance;

/// The answer to an operation that was executed. New answers are added at the end: their order is part of their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// The transfer is posted.
    Transferred,
    /// The balance; `None` for an account that no operation has named yet.
    Balance(Option<Balance>),
    /// The accounts are open.
    Opened {
        /// How many of them were not before.
        new: u64,
    },
}

/// Why an operation changed nothing. New reasons are added at the end: their order is part of their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum LedgerRefusal {
    /// Written by another version of the ledger.
    #[error("version {0} of the ledger is not known")]
    UnknownVersion(u8),
    /// The bytes are no operation.
    #[error("the bytes are no operation")]
    Malformed,
    /// An account's name is empty or too long.
    #[error("the name of an account has 1 to 64 bytes, not {bytes}")]
    NameLength {
        /// Its length.
        bytes: u64,
    },
    /// An account's name is not UTF-8 or has control characters.
    #[error("the name of an account is not printable")]
    NameNotPrintable,
    /// The reference is too long.
    #[error("a reference has at most 64 bytes, not {bytes}")]
    ReferenceLength {
        /// Its length.
        bytes: u64,
    },
    /// The reference is not UTF-8 or has control characters.
    #[error("the reference is not printable")]
    ReferenceNotPrintable,
    /// Nothing would be moved.
    #[error("the amount is zero")]
    AmountZero,
    /// Debit and credit are one account.
    #[error("debit and credit are the same account")]
    SameAccount,
    /// This very transfer is posted already.
    #[error("posted already, in slot {seq}")]
    AlreadyPosted {
        /// The slot in which it was posted.
        seq: SeqNum,
    },
    /// The identifier belongs to another transfer.
    #[error("another transfer has this identifier, posted in slot {seq}")]
    IdTaken {
        /// The slot in which that one was posted.
        seq: SeqNum,
    },
    /// The debits of the account that gives would go beyond the largest number.
    #[error("the debits of the account that gives would overflow")]
    DebitsOverflow,
    /// The credits of the account that receives would go beyond the largest number.
    #[error("the credits of the account that receives would overflow")]
    CreditsOverflow,
    /// A query that would change something.
    #[error("a query cannot change anything: send it as an operation")]
    NotARead,
    /// Nothing would be opened.
    #[error("no account is named")]
    NoAccounts,
    /// The names of the accounts to open do not ascend, or one stands there twice.
    #[error("the names of accounts to open have to ascend, each once")]
    AccountsNotAscending,
}

macro_rules! bytes_of {
    ($name:ident) => {
        impl $name {
            /// Its bytes in an [`Outcome`].
            #[must_use]
            pub fn encode(&self) -> Bytes {
                encoding::encode(self)
            }

            /// Reads the bytes of an [`Outcome`].
            ///
            /// # Errors
            /// [`LedgerRefusal`] for bytes of another version, or that this ledger does not write.
            pub fn decode(bytes: &[u8]) -> Result<Self, LedgerRefusal> {
                encoding::decode(bytes)
            }
        }
    };
}

bytes_of!(Answer);
bytes_of!(LedgerRefusal);

impl From<LedgerRefusal> for Outcome {
    fn from(refusal: LedgerRefusal) -> Self {
        Outcome::Refused(refusal.encode())
    }
}

impl From<LedgerRefusal> for Refusal {
    fn from(refusal: LedgerRefusal) -> Self {
        Refusal(refusal.encode())
    }
}
