//! What stands in the replicated state: `a/<account>` is an account's balance, `t/<identifier>` a posted transfer. Both
//! can be proven to a third party.

use quorate::SeqNum;
use serde::{Deserialize, Serialize};

use crate::answer::LedgerRefusal;
use crate::encoding;
use crate::text::AccountName;
use crate::transfer::{RawTransfer, Transfer, TransferId};

pub(crate) const ACCOUNTS: &[u8] = b"a/";
const TRANSFERS: &[u8] = b"t/";

/// The key of an account's balance in the state.
#[must_use]
pub fn account_key(account: &AccountName) -> Vec<u8> {
    [ACCOUNTS, account.as_str().as_bytes()].concat()
}

/// The key of a transfer in the state. Keys are ordered as identifiers are.
#[must_use]
pub fn transfer_key(id: TransferId) -> Vec<u8> {
    [TRANSFERS, &id.0.to_be_bytes()].concat()
}

/// What an account has given and received, in the smallest unit of the currency. 64 bits hold more than there is money;
/// what would go beyond them is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// The sum of all transfers that debit it.
    pub debits: u64,
    /// The sum of all transfers that credit it.
    pub credits: u64,
}

impl Balance {
    /// Credits minus debits.
    #[must_use]
    pub fn net(&self) -> i128 {
        i128::from(self.credits) - i128::from(self.debits)
    }

    /// Reads a value of the state under [`account_key`].
    ///
    /// # Errors
    /// [`LedgerRefusal`] when this ledger did not write it.
    pub fn decode(value: &[u8]) -> Result<Self, LedgerRefusal> {
        encoding::decode(value)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        encoding::encode(self).into()
    }

    pub(crate) fn debited(self, amount: u64) -> Result<Self, LedgerRefusal> {
        let debits = self.debits.checked_add(amount).ok_or(LedgerRefusal::DebitsOverflow)?;
        Ok(Balance { debits, ..self })
    }

    pub(crate) fn credited(self, amount: u64) -> Result<Self, LedgerRefusal> {
        let credits = self.credits.checked_add(amount).ok_or(LedgerRefusal::CreditsOverflow)?;
        Ok(Balance { credits, ..self })
    }
}

/// A transfer that is posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostedTransfer {
    /// The transfer.
    pub transfer: Transfer,
    /// The slot in which it was posted.
    pub seq: SeqNum,
}

impl PostedTransfer {
    /// Reads a value of the state under [`transfer_key`].
    ///
    /// # Errors
    /// [`LedgerRefusal`] when this ledger did not write it.
    pub fn decode(value: &[u8]) -> Result<Self, LedgerRefusal> {
        let (raw, seq): (RawTransfer, SeqNum) = encoding::decode(value)?;
        Ok(PostedTransfer { transfer: raw.try_into()?, seq })
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        encoding::encode(&(RawTransfer::from(&self.transfer), self.seq)).into()
    }
}
