//! [`Balances`]: where every account must end, computed or read without asking any replica.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use quorate_ledger::{Balance, Transfer};
use serde::Deserialize;

use crate::error::TestnetError;

/// What every account has given and received in the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Balances(BTreeMap<String, Balance>);

/// An account that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The account.
    pub account: String,
    /// What it must be; `None` for an account that must not exist.
    pub expected: Option<Balance>,
    /// What it is; `None` for an account that does not exist.
    pub found: Option<Balance>,
}

/// A line of a table of balances.
#[derive(Deserialize)]
struct Row {
    account: String,
    debits: u64,
    credits: u64,
}

impl Balances {
    /// The balances after these transfers. The order of transfers makes no difference.
    #[must_use]
    pub fn after(transfers: &[Transfer]) -> Self {
        let mut balances = Balances::default();
        for transfer in transfers {
            let amount = transfer.amount().get();
            // The ledger refuses what would overflow, and that is reported as a payment that failed.
            let (debits, credits) = (Balance { debits: amount, credits: 0 }, Balance { debits: 0, credits: amount });
            balances.add(transfer.debit().as_str(), debits);
            balances.add(transfer.credit().as_str(), credits);
        }
        balances
    }

    /// Reads a CSV file with the columns account, debits, credits.
    ///
    /// # Errors
    /// [`TestnetError`] with the line that is wrong.
    pub fn read(path: &Path) -> Result<Self, TestnetError> {
        let file = File::open(path);
        let file = file.map_err(|source| TestnetError::File { path: path.into(), doing: "read", source })?;
        let bad = |error: csv::Error| match error.is_io_error() {
            true => TestnetError::File { path: path.into(), doing: "read", source: error.into() },
            false => TestnetError::BadFile { path: path.into(), problem: error.to_string() },
        };
        let (mut table, mut balances) = (csv::Reader::from_reader(file), BTreeMap::new());
        // The rows would say nothing of a heading that cannot be read.
        table.headers().map_err(bad)?;
        for row in table.deserialize() {
            let Row { account, debits, credits } = row.map_err(bad)?;
            if balances.insert(account.clone(), Balance { debits, credits }).is_some() {
                let problem = format!("account {account} stands there twice");
                return Err(TestnetError::BadFile { path: path.into(), problem });
            }
        }
        Ok(Balances(balances))
    }

    fn add(&mut self, account: &str, change: Balance) {
        let balance = self.0.entry(account.to_owned()).or_default();
        balance.debits = balance.debits.saturating_add(change.debits);
        balance.credits = balance.credits.saturating_add(change.credits);
    }

    /// Adds an account that a replica has shown.
    pub(crate) fn insert(&mut self, account: String, balance: Balance) {
        self.0.insert(account, balance);
    }

    /// How many accounts there are.
    #[must_use]
    pub fn accounts(&self) -> usize {
        self.0.len()
    }

    /// The debits of all accounts.
    #[must_use]
    pub fn debits(&self) -> u128 {
        self.0.values().map(|balance| u128::from(balance.debits)).sum()
    }

    /// The accounts in which `found` differs.
    #[must_use]
    pub fn differences(&self, found: &Balances) -> Vec<Difference> {
        let names = self.0.keys().chain(found.0.keys().filter(|name| !self.0.contains_key(*name)));
        let pairs = names.map(|name| Difference {
            account: name.clone(),
            expected: self.0.get(name).copied(),
            found: found.0.get(name).copied(),
        });
        pairs.filter(|pair| pair.expected != pair.found).collect()
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let said = |balance: &Option<Balance>| match balance {
            Some(Balance { debits, credits }) => format!("debits {debits} and credits {credits}"),
            None => "no such account".to_owned(),
        };
        write!(f, "account {}: found {}, expected {}", self.account, said(&self.found), said(&self.expected))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use quorate_ledger::TransferId;

    use super::*;

    fn transfer(id: u128, debit: &str, credit: &str, amount: u64) -> Transfer {
        let (debit, credit) = (debit.parse().unwrap(), credit.parse().unwrap());
        Transfer::new(TransferId(id), debit, credit, amount, "".parse().unwrap()).unwrap()
    }

    fn table(lines: &str) -> Result<Balances, TestnetError> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        write!(file, "account,debits,credits\n{lines}").unwrap();
        Balances::read(file.path())
    }

    #[test]
    fn computed_and_read_balances_are_the_same() {
        let computed = Balances::after(&[transfer(1, "a", "b", 5), transfer(2, "b", "c", 3)]);
        assert_eq!(computed, table("a,5,0\nb,3,5\nc,0,3\n").unwrap());
        assert_eq!((computed.accounts(), computed.debits()), (3, 8));
    }

    #[test]
    fn every_difference_is_named() {
        let expected = table("a,5,0\nb,0,5\n").unwrap();
        let found = table("a,5,1\nc,0,5\n").unwrap();
        let said: Vec<_> = expected.differences(&found).iter().map(ToString::to_string).collect();
        let lines = [
            "account a: found debits 5 and credits 1, expected debits 5 and credits 0",
            "account b: found no such account, expected debits 0 and credits 5",
            "account c: found debits 0 and credits 5, expected no such account",
        ];
        assert_eq!(said, lines);
        assert!(expected.differences(&expected).is_empty());
    }

    #[test]
    fn a_table_that_is_none_says_where() {
        assert!(table("a,5\n").unwrap_err().to_string().contains("line: 2"));
        assert!(table("a,x,0\n").unwrap_err().to_string().contains("line: 2"));
        assert!(table("a,1,0\na,1,0\n").unwrap_err().to_string().contains("account a stands there twice"));
    }
}
