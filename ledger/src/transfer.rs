//! Transfers: the only thing that changes the ledger.

use std::fmt;
use std::num::NonZeroU64;

use bytes::Bytes;
use quorate::codec;
use serde::{Deserialize, Serialize};

use crate::answer::LedgerRefusal;
use crate::text::{AccountName, Reference};

/// Names a transfer for ever: no other ever has the same. Wide enough for a UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TransferId(pub u128);

impl fmt::Display for TransferId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An amount that moves between two different accounts. One that exists is well formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    id: TransferId,
    debit: AccountName,
    credit: AccountName,
    amount: NonZeroU64,
    reference: Reference,
}

impl Transfer {
    /// Moves `amount`, in the smallest unit of the currency, from `debit` to `credit`.
    ///
    /// # Errors
    /// [`LedgerRefusal`] when the amount is zero or both accounts are the same.
    pub fn new(
        id: TransferId,
        debit: AccountName,
        credit: AccountName,
        amount: u64,
        reference: Reference,
    ) -> Result<Self, LedgerRefusal> {
        let amount = NonZeroU64::new(amount).ok_or(LedgerRefusal::AmountZero)?;
        if debit == credit {
            return Err(LedgerRefusal::SameAccount);
        }
        Ok(Transfer { id, debit, credit, amount, reference })
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> TransferId {
        self.id
    }

    /// The account that gives.
    #[must_use]
    pub fn debit(&self) -> &AccountName {
        &self.debit
    }

    /// The account that receives.
    #[must_use]
    pub fn credit(&self) -> &AccountName {
        &self.credit
    }

    /// How much, in the smallest unit of the currency.
    #[must_use]
    pub fn amount(&self) -> NonZeroU64 {
        self.amount
    }

    /// What for.
    #[must_use]
    pub fn reference(&self) -> &Reference {
        &self.reference
    }
}

/// A transfer as it is encoded, before anybody has looked whether it is well formed.
#[derive(Serialize, Deserialize)]
pub(crate) struct RawTransfer {
    id: TransferId,
    #[serde(with = "codec::blob")]
    debit: Bytes,
    #[serde(with = "codec::blob")]
    credit: Bytes,
    amount: u64,
    #[serde(with = "codec::blob")]
    reference: Bytes,
}

impl From<&Transfer> for RawTransfer {
    fn from(transfer: &Transfer) -> Self {
        RawTransfer {
            id: transfer.id,
            debit: transfer.debit.to_bytes(),
            credit: transfer.credit.to_bytes(),
            amount: transfer.amount.get(),
            reference: transfer.reference.to_bytes(),
        }
    }
}

impl TryFrom<RawTransfer> for Transfer {
    type Error = LedgerRefusal;

    fn try_from(raw: RawTransfer) -> Result<Self, LedgerRefusal> {
        let (debit, credit) = (AccountName::parse(&raw.debit)?, AccountName::parse(&raw.credit)?);
        Transfer::new(raw.id, debit, credit, raw.amount, Reference::parse(&raw.reference)?)
    }
}
