//! What clients send.

use std::collections::BTreeSet;

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
    /// Open these accounts.
    Open(AccountNames),
}

/// Names of accounts: at least one, none twice. How many there can be follows from the network's largest operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountNames(BTreeSet<AccountName>);

impl AccountNames {
    /// These names.
    ///
    /// # Errors
    /// [`LedgerRefusal::NoAccounts`] when there is none.
    pub fn new(names: BTreeSet<AccountName>) -> Result<Self, LedgerRefusal> {
        if names.is_empty() { Err(LedgerRefusal::NoAccounts) } else { Ok(AccountNames(names)) }
    }

    /// The names in their order.
    pub fn iter(&self) -> impl Iterator<Item = &AccountName> {
        self.0.iter()
    }
}

/// New operations are added at the end: their order is part of their bytes.
#[derive(Serialize, Deserialize)]
enum RawOperation {
    Transfer(RawTransfer),
    Balance {
        #[serde(with = "codec::blob")]
        account: Bytes,
    },
    Open {
        #[serde(with = "codec::list")]
        accounts: Vec<RawName>,
    },
}

#[derive(Serialize, Deserialize)]
struct RawName(#[serde(with = "codec::blob")] Bytes);

impl TryFrom<Vec<RawName>> for AccountNames {
    type Error = LedgerRefusal;

    /// The names have to ascend, so that one operation has one encoding.
    fn try_from(raw: Vec<RawName>) -> Result<Self, LedgerRefusal> {
        let names = raw.iter().map(|RawName(name)| AccountName::parse(name)).collect::<Result<Vec<_>, _>>()?;
        if names.is_sorted_by(|a, b| a < b) {
            AccountNames::new(names.into_iter().collect())
        } else {
            Err(LedgerRefusal::AccountsNotAscending)
        }
    }
}

impl Operation {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        encoding::encode(&match self {
            Operation::Transfer(transfer) => RawOperation::Transfer(transfer.into()),
            Operation::Balance(account) => RawOperation::Balance { account: account.to_bytes() },
            Operation::Open(accounts) => {
                RawOperation::Open { accounts: accounts.iter().map(|name| RawName(name.to_bytes())).collect() }
            }
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
            RawOperation::Open { accounts } => AccountNames::try_from(accounts).map(Operation::Open),
        }
    }
}
