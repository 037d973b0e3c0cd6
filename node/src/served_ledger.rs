//! The ledger as a node runs it: executed as `quorate-ledger` says, and readable page by page for HTTP.
//!
//! Queries are answered by one replica from its own state and decide nothing, so they may differ between releases:
//! their words are JSON, unlike those of operations.

use quorate::execution::state::{State, StateView};
use quorate::execution::{Context, Refusal, StateMachine};
use quorate::outcome::Outcome;
use quorate_ledger::{AccountName, Balance, Ledger};
use serde::{Deserialize, Serialize};

/// The most accounts of one page.
pub const PAGE_ACCOUNTS_MAX: usize = 1000;

/// A question about the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LedgerQuery {
    /// One account.
    Account(String),
    /// Accounts in the order of their names.
    Accounts {
        /// With names that begin so.
        prefix: Option<String>,
        /// After this name.
        after: Option<String>,
        /// So many, at most [`PAGE_ACCOUNTS_MAX`].
        limit: usize,
    },
    /// The whole ledger in a few numbers.
    Summary,
}

/// What a replica answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LedgerAnswer {
    /// One account; `None` when no transfer has named it.
    Account(Option<Account>),
    /// A page of accounts.
    Accounts(Page),
    /// The whole ledger.
    Summary(Summary),
}

/// An account and what it has given and received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its name.
    pub account: String,
    /// What it has given.
    pub debits: u64,
    /// What it has received.
    pub credits: u64,
    /// Credits minus debits.
    pub balance: i128,
}

/// A page of accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The accounts.
    pub accounts: Vec<Account>,
    /// Where the next page begins: its `after`. `None` on the last page.
    pub next: Option<String>,
}

/// The whole ledger in a few numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// How many accounts there are.
    pub accounts: u64,
    /// How many transfers are posted.
    pub transfers: u64,
    /// The debits of all accounts.
    pub debits: u128,
    /// The credits of all accounts: as many as debits.
    pub credits: u128,
}

/// The ledger of a node.
#[derive(Clone, Copy, Debug, Default)]
pub struct ServedLedger;

impl StateMachine for ServedLedger {
    fn execute(&self, context: &Context, operation: &[u8], state: &mut State) -> Outcome {
        Ledger.execute(context, operation, state)
    }

    fn query(&self, query: &[u8], view: &StateView) -> Outcome {
        let answer = serde_json::from_slice(query).map_err(|error| error.to_string());
        let encoded = answer
            .and_then(|query| read(&query, view))
            .and_then(|answer| serde_json::to_vec(&answer).map_err(|error| error.to_string()));
        encoded.map_or_else(|reason| Outcome::Refused(reason.into()), |bytes| Outcome::Done(bytes.into()))
    }

    fn admit(&self, operation: &[u8]) -> Result<(), Refusal> {
        Ledger.admit(operation)
    }
}

fn read(query: &LedgerQuery, view: &StateView) -> Result<LedgerAnswer, String> {
    Ok(match query {
        LedgerQuery::Account(name) => {
            let name = parse(name)?;
            LedgerAnswer::Account(Ledger::balance(view, &name).map(|balance| account(&name, balance)))
        }
        LedgerQuery::Accounts { prefix, after, limit } => {
            let prefix = prefix.as_deref().filter(|prefix| !prefix.is_empty()).map(parse).transpose()?;
            let after = after.as_deref().map(parse).transpose()?;
            LedgerAnswer::Accounts(page(view, prefix.as_ref(), after.as_ref(), (*limit).clamp(1, PAGE_ACCOUNTS_MAX)))
        }
        LedgerQuery::Summary => {
            let totals = Ledger::totals(view);
            let (debits, credits) = (totals.debits, totals.credits);
            LedgerAnswer::Summary(Summary { accounts: totals.accounts, transfers: totals.transfers, debits, credits })
        }
    })
}

fn page(view: &StateView, prefix: Option<&AccountName>, after: Option<&AccountName>, limit: usize) -> Page {
    // Names below the prefix are skipped by starting at it: `after` may lie before it.
    let start = prefix.filter(|prefix| after.is_none_or(|after| after < *prefix));
    let first = start.and_then(|name| Ledger::balance(view, name).map(|balance| (name.clone(), balance)));
    let matches = |name: &AccountName| prefix.is_none_or(|prefix| name.as_str().starts_with(prefix.as_str()));
    let mut found = first
        .into_iter()
        .chain(Ledger::accounts(view, start.or(after)))
        .take_while(|(name, _)| matches(name))
        .map(|(name, balance)| account(&name, balance));
    let accounts: Vec<_> = found.by_ref().take(limit).collect();
    let has_more = found.next().is_some();
    let next = accounts.last().filter(|_| has_more).map(|last| last.account.clone());
    Page { accounts, next }
}

fn account(name: &AccountName, balance: Balance) -> Account {
    let Balance { debits, credits } = balance;
    Account { account: name.as_str().to_owned(), debits, credits, balance: balance.net() }
}

fn parse(name: &str) -> Result<AccountName, String> {
    name.parse().map_err(|refusal: quorate_ledger::LedgerRefusal| refusal.to_string())
}

#[cfg(test)]
mod tests {
    use quorate::{ClientId, RequestId, RequestNumber, SeqNum, Session, WallTime};
    use quorate_crypto::PublicKey;
    use quorate_ledger::{Operation, Transfer, TransferId};

    use super::*;

    fn ledger(accounts: &[&str]) -> StateView {
        let mut state = State::default();
        for (id, name) in (0..).zip(accounts) {
            let (debit, credit) = ("cash".parse().unwrap(), name.parse().unwrap());
            let transfer = Transfer::new(TransferId(id), debit, credit, 5, "".parse().unwrap()).unwrap();
            let client = ClientId(PublicKey::from_bytes([1; 32]));
            let id = RequestId { client, session: Session(1), number: RequestNumber(1) };
            let context = Context { seq: SeqNum(1), index: 0, time: WallTime(0), id };
            let outcome = ServedLedger.execute(&context, &Operation::Transfer(transfer).encode(), &mut state);
            assert!(matches!(outcome, Outcome::Done(_)));
        }
        StateView::from(state)
    }

    fn names(view: &StateView, prefix: &str, after: Option<&str>, limit: usize) -> (Vec<String>, Option<String>) {
        let query = LedgerQuery::Accounts { prefix: Some(prefix.into()), after: after.map(str::to_owned), limit };
        let LedgerAnswer::Accounts(page) = ask(view, &query) else { panic!("a page") };
        (page.accounts.into_iter().map(|account| account.account).collect(), page.next)
    }

    fn ask(view: &StateView, query: &LedgerQuery) -> LedgerAnswer {
        let outcome = ServedLedger.query(&serde_json::to_vec(query).unwrap(), view);
        let Outcome::Done(bytes) = outcome else { panic!("{outcome:?}") };
        serde_json::from_slice(&bytes).unwrap()
    }

    #[test]
    fn pages_of_accounts_cover_each_account_with_the_prefix_once() {
        let view = ledger(&["b", "ca", "cust", "cust-1", "cust-2", "cust-3", "d"]);
        let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let all = ["b", "ca", "cash", "cust", "cust-1", "cust-2", "cust-3", "d"];
        assert_eq!(names(&view, "", None, 100), (texts(&all), None));
        assert_eq!(names(&view, "cust", None, 3), (texts(&["cust", "cust-1", "cust-2"]), Some("cust-2".into())));
        assert_eq!(names(&view, "cust", Some("cust-2"), 3), (texts(&["cust-3"]), None));
        assert_eq!(names(&view, "cust", Some("a"), 1), (texts(&["cust"]), Some("cust".into())));
        assert_eq!(names(&view, "cust", Some("d"), 3), (vec![], None));
        assert_eq!(names(&view, "cust-", None, 4), (texts(&["cust-1", "cust-2", "cust-3"]), None));
        assert_eq!(names(&view, "zz", None, 3), (vec![], None));
    }

    #[test]
    fn a_summary_counts_what_an_account_shows() {
        let view = ledger(&["a", "b"]);
        let account = Account { account: "cash".into(), debits: 10, credits: 0, balance: -10 };
        assert_eq!(ask(&view, &LedgerQuery::Account("cash".into())), LedgerAnswer::Account(Some(account)));
        assert_eq!(ask(&view, &LedgerQuery::Account("nobody".into())), LedgerAnswer::Account(None));
        let summary = Summary { accounts: 3, transfers: 2, debits: 10, credits: 10 };
        assert_eq!(ask(&view, &LedgerQuery::Summary), LedgerAnswer::Summary(summary));
        assert!(matches!(ServedLedger.query(b"{", &view), Outcome::Refused(_)));
    }
}
