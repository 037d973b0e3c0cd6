//! What is paid: the payments of a file, or generated ones.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use quorate_ledger::{AccountName, LedgerRefusal, Transfer, TransferId};
use quorate_node::transfers_file::TransfersFile;

use crate::error::TestnetError;

/// Customers in generated payments.
pub(crate) const CUSTOMERS: u64 = 1_000;
/// The largest generated amount.
const AMOUNT_MAX: u64 = 1_000_000;

/// The payments of a CSV file.
///
/// # Errors
/// [`TestnetError`] with the first line that is no payment, or whose identifier stands there twice.
pub fn read(path: &Path) -> Result<Vec<Transfer>, TestnetError> {
    let file = File::open(path);
    let file = file.map_err(|source| TestnetError::File { path: path.into(), doing: "read", source })?;
    let bad = |problem| TestnetError::BadFile { path: path.into(), problem };
    let (mut payments, mut known) = (Vec::new(), BTreeSet::new());
    for line in TransfersFile::new(BufReader::new(file)) {
        let line = line.map_err(|line| {
            if line.is_unreadable() {
                let source = io::Error::other(line.to_string());
                TestnetError::File { path: path.into(), doing: "read", source }
            } else {
                bad(line.to_string())
            }
        })?;
        if !known.insert(line.transfer.id()) {
            return Err(bad(format!("line {}: identifier {} stands there twice", line.number, line.transfer.id().0)));
        }
        payments.push(line.transfer);
    }
    if payments.is_empty() { Err(bad("there are no payments in it".into())) } else { Ok(payments) }
}

/// So many payments, the same ones every time: between customers, and between customers and `cash`.
///
/// # Errors
/// None that can happen: the names are valid and the accounts different.
pub fn generate(count: u64) -> Result<Vec<Transfer>, LedgerRefusal> {
    (1..=count).map(generated).collect()
}

fn generated(id: u64) -> Result<Transfer, LedgerRefusal> {
    let random = mixed(id);
    let payer = random % CUSTOMERS;
    let payee = (payer + 1 + (random >> 16) % (CUSTOMERS - 1)) % CUSTOMERS;
    let amount = 1 + (random >> 32) % AMOUNT_MAX;
    let customer = |number: u64| format!("cust-{number}").parse::<AccountName>();
    let cash = || "cash".parse::<AccountName>();
    let (debit, credit) = match id % 4 {
        0 => (cash()?, customer(payee)?),
        1 => (customer(payer)?, cash()?),
        _ => (customer(payer)?, customer(payee)?),
    };
    Transfer::new(TransferId(id.into()), debit, credit, amount, "generated".parse()?)
}

/// The name of an account, from its number.
pub(crate) fn account(number: u64) -> AccountName {
    format!("cust-{number:07}").parse().expect("a short name without control characters")
}

/// The payment with this number between so many accounts, which must be two or more: the same one every time.
pub(crate) fn between(accounts: u64, number: u64) -> Transfer {
    let random = mixed(number);
    let payer = random % accounts;
    let payee = (payer + 1 + (random >> 32) % (accounts - 1)) % accounts;
    let (id, amount) = (TransferId(number.into()), 1 + (random >> 16) % AMOUNT_MAX);
    let reference = "absence".parse().expect("a short reference without control characters");
    Transfer::new(id, account(payer), account(payee), amount, reference).expect("the accounts are different")
}

/// Numbers that look random (the mixing step of `SplitMix64`).
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn generated_payments_are_valid_and_different() {
        let payments = generate(10_000).unwrap();
        let ids: BTreeSet<_> = payments.iter().map(Transfer::id).collect();
        assert_eq!((payments.len(), ids.len()), (10_000, 10_000));
        assert_eq!(generate(100).unwrap(), payments[..100]);
    }

    #[test]
    fn payments_between_any_number_of_accounts_name_two_of_them() {
        for accounts in [2, 3, 1_000_000] {
            let names: BTreeSet<_> = (0..1_000).map(|number| between(accounts, number).debit().clone()).collect();
            assert!(names.len() as u64 >= accounts.min(900), "{}", names.len());
        }
        assert_eq!(between(1_000, 7), between(1_000, 7));
        assert!((0..1_000).all(|number| between(2, number).id() == TransferId(number.into())));
    }

    #[test]
    fn an_identifier_that_stands_twice_in_a_file_is_refused() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        write!(file, "id,date,debit,credit,amount,reference\n1,1993-01-01,a,b,5,\n1,1993-01-01,a,b,6,\n").unwrap();
        assert!(read(file.path()).unwrap_err().to_string().ends_with("line 3: identifier 1 stands there twice"));
        assert!(read(Path::new("/nowhere")).is_err());
    }
}
