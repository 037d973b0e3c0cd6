//! `quorate balance`.

use quorate::client::ClientOptions;
use quorate_ledger::AccountName;

use super::arguments::BalanceArguments;
use crate::exit::Exit;
use crate::home::ClientHome;
use crate::ledger_client::{BalanceAt, ConnectError, LedgerClient, LedgerError};

/// Why there is no balance.
#[derive(Debug, thiserror::Error)]
enum BalanceError {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("cannot start threads: {0}")]
    System(#[from] std::io::Error),
}

pub(super) fn run(arguments: &BalanceArguments) -> Exit {
    match ask(arguments) {
        Ok(text) => {
            println!("{text}");
            Exit::Success
        }
        Err(error) => {
            eprintln!("error: {error}");
            match error {
                BalanceError::Connect(error) => error.exit(),
                BalanceError::Ledger(_) => Exit::Incomplete,
                BalanceError::System(_) => Exit::Io,
            }
        }
    }
}

fn ask(arguments: &BalanceArguments) -> Result<String, BalanceError> {
    let home = ClientHome::load(&arguments.client).map_err(ConnectError::Home)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = LedgerClient::connect(&home, ClientOptions::default()).await?;
        let account = &arguments.account;
        Ok(if arguments.proven {
            let proven = client.balance_proven(account).await?;
            in_words(account, proven.at, "proven at checkpoint")
        } else {
            in_words(account, client.balance(account).await?, "in slot")
        })
    })
}

fn in_words(account: &AccountName, at: BalanceAt, place: &str) -> String {
    let seq = at.seq;
    match at.balance {
        Some(balance) => {
            let (debits, credits, net) = (balance.debits, balance.credits, balance.net());
            format!("{account}: balance {net}, debits {debits}, credits {credits} ({place} {seq})")
        }
        None => format!("{account}: no transfer has named this account ({place} {seq})"),
    }
}

#[cfg(test)]
mod tests {
    use quorate::SeqNum;
    use quorate_ledger::Balance;

    use super::*;

    #[test]
    fn a_balance_says_when_it_was_that() {
        let account = "cash".parse().unwrap();
        let balance = Some(Balance { debits: 7, credits: 3 });
        let text = in_words(&account, BalanceAt { seq: SeqNum(9), balance }, "in slot");
        assert_eq!(text, "cash: balance -4, debits 7, credits 3 (in slot 9)");
        let text = in_words(&account, BalanceAt { seq: SeqNum(9), balance: None }, "proven at checkpoint");
        assert_eq!(text, "cash: no transfer has named this account (proven at checkpoint 9)");
    }
}
