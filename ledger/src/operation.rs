//! What clients send.

use bytes::Bytes;
use quorate::codec;
use serde::{Deserialize, Serialize};

use crate::answer::LedgerRefusal;
use crate::encoding;
use crate::text::AccountName;
use crate::transfer::{RawTransfer, Transfer};

/// An operation of the ledger. One that exists is well formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Post this transfer.
    Transfer(Transfer),
    /// What is the balance of this account now? Ordered like everything else, so the answer is the current one.
    Balance(AccountName),
}

#[derive(Serialize, Deserialize)]
enum RawOperation {
    Transfer(RawTransfer),
    Balance {
        #[serde(with = "codec::blob")]
        account: Bytes,
    },
}

impl Operation {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        encoding::encode(&match self {
            Operation::Transfer(transfer) => RawOperation::Transfer(transfer.into()),
            Operation::Balance(account) => RawOperation::Balance { account: account.to_bytes() },
        })
    }

    /// Reads an operation.
    ///
    /// # Errors
    /// [`LedgerRefusal`] for bytes that are no well-formed operation.
    pub fn decode(bytes: &[u8]) -> Result<Self, LedgerRefusal> {
        match encoding::decode(bytes)? {
            RawOperation::Transfer(raw) => Transfer::try_from(raw).map(Operation::Transfer),
            RawOperation::Balance { account } => AccountName::parse(&account).map(Operation::Balance),
        }
    }
}
