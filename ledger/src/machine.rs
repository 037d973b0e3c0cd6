//! The ledger as a state machine, and what can be read from its state.

use quorate::execution::state::{State, StateView};
use quorate::execution::{Context, Refusal, StateMachine};
use quorate::outcome::Outcome;

use crate::answer::{Answer, LedgerRefusal};
use crate::operation::{AccountNames, Operation};
use crate::record::{ACCOUNTS, Balance, PostedTransfer, account_key, transfer_key};
use crate::text::AccountName;
use crate::transfer::{Transfer, TransferId};

/// The ledger. It has no state of its own: everything stands in the replicated state.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ledger;

/// The whole ledger in four numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// The debits of all accounts.
    pub debits: u128,
    /// The credits of all accounts: as many as debits, or money was made or lost.
    pub credits: u128,
    /// How many accounts there are.
    pub accounts: u64,
    /// How many transfers are posted.
    pub transfers: u64,
}

impl StateMachine for Ledger {
    fn execute(&self, context: &Context, operation: &[u8], state: &mut State) -> Outcome {
        let answer = match Operation::decode(operation) {
            Ok(Operation::Transfer(transfer)) => post(context, transfer, state),
            Ok(Operation::Balance(account)) => Ok(Answer::Balance(read_balance(state.get(&account_key(&account))))),
            Ok(Operation::Open(accounts)) => open(&accounts, state),
            Err(refusal) => Err(refusal.into()),
        };
        answer.map_or_else(|outcome| outcome, |answer| Outcome::Done(answer.encode()))
    }

    fn query(&self, query: &[u8], view: &StateView) -> Outcome {
        match Operation::decode(query) {
            Ok(Operation::Balance(account)) => Outcome::Done(Answer::Balance(Ledger::balance(view, &account)).encode()),
            Ok(Operation::Transfer(_) | Operation::Open(_)) => LedgerRefusal::NotARead.into(),
            Err(refusal) => refusal.into(),
        }
    }

    fn admit(&self, operation: &[u8]) -> Result<(), Refusal> {
        Operation::decode(operation).map(drop).map_err(Refusal::from)
    }
}

impl Ledger {
    /// The balance of an account; `None` when no operation has named it.
    #[must_use]
    pub fn balance(view: &StateView, account: &AccountName) -> Option<Balance> {
        read_balance(view.get(&account_key(account)))
    }

    /// A posted transfer.
    #[must_use]
    pub fn transfer(view: &StateView, id: TransferId) -> Option<PostedTransfer> {
        read_transfer(view.get(&transfer_key(id)))
    }

    /// All accounts in the order of their names, from the one after `after`.
    pub fn accounts<'a>(
        view: &'a StateView,
        after: Option<&AccountName>,
    ) -> impl Iterator<Item = (AccountName, Balance)> + use<'a> {
        let entries = match after {
            Some(account) => view.range_from(ACCOUNTS, &account_key(account)),
            None => view.range(ACCOUNTS),
        };
        entries.map(|(key, value)| {
            let name = key.strip_prefix(ACCOUNTS).map(AccountName::parse);
            let name = name.and_then(Result::ok).expect("only the ledger writes keys, and only valid names");
            (name, read_balance(Some(value)).unwrap_or_default())
        })
    }

    /// The sums over all accounts. Takes time in proportion to the number of accounts.
    #[must_use]
    pub fn totals(view: &StateView) -> Totals {
        let mut totals = Totals::default();
        for (_, balance) in Self::accounts(view, None) {
            totals.debits += u128::from(balance.debits);
            totals.credits += u128::from(balance.credits);
            totals.accounts += 1;
        }
        // Everything in the state is either an account or a transfer.
        totals.transfers = view.len() - totals.accounts;
        totals
    }
}

/// Posts a transfer unless its identifier is used: both sides or neither.
fn post(context: &Context, transfer: Transfer, state: &mut State) -> Result<Answer, Outcome> {
    let key = transfer_key(transfer.id());
    if let Some(posted) = read_transfer(state.get(&key)) {
        let seq = posted.seq;
        let is_same = posted.transfer == transfer;
        return Err(if is_same { LedgerRefusal::AlreadyPosted { seq } } else { LedgerRefusal::IdTaken { seq } }.into());
    }
    let (debit, credit) = (account_key(transfer.debit()), account_key(transfer.credit()));
    let amount = transfer.amount().get();
    let debited = read_balance(state.get(&debit)).unwrap_or_default().debited(amount)?;
    let credited = read_balance(state.get(&credit)).unwrap_or_default().credited(amount)?;
    // A limit that is exceeded here ends the operation, and the engine discards what was written before.
    state.insert(&debit, &debited.encode())?;
    state.insert(&credit, &credited.encode())?;
    state.insert(&key, &PostedTransfer { transfer, seq: context.seq }.encode())?;
    Ok(Answer::Transferred)
}

/// Opens the accounts that are not open yet. The others stay as they are, so that opening again is harmless.
fn open(accounts: &AccountNames, state: &mut State) -> Result<Answer, Outcome> {
    let (nothing, mut new) = (Balance::default().encode(), 0);
    for key in accounts.iter().map(account_key) {
        if state.get(&key).is_none() {
            state.insert(&key, &nothing)?;
            new += 1;
        }
    }
    Ok(Answer::Opened { new })
}

fn read_balance(value: Option<&[u8]>) -> Option<Balance> {
    value.map(|value| Balance::decode(value).expect("only the ledger writes under the prefix of accounts"))
}

fn read_transfer(value: Option<&[u8]>) -> Option<PostedTransfer> {
    value.map(|value| PostedTransfer::decode(value).expect("only the ledger writes under the prefix of transfers"))
}
