//! Whether every replica holds the ledger that it must hold.

use futures::future::join_all;
use quorate_ledger::Balance;
use serde::{Deserialize, Serialize};

use crate::balances::Balances;
use crate::byzantine::Liars;
use crate::http::Http;

/// Accounts that are asked for at a time.
const PAGE_ACCOUNTS: usize = 1_000;
/// Differing accounts that are shown for each replica.
const DIFFERENCES_MAX: usize = 5;

/// How a ledger must be.
#[derive(Clone, Debug)]
pub struct Expected {
    /// Where it says so, for people.
    pub source: String,
    /// All accounts.
    pub balances: Balances,
}

/// The ledger of one replica in a few numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerSummary {
    /// The last executed slot.
    pub seq: u64,
    /// The root of the whole state there.
    pub root: String,
    /// How many accounts there are.
    pub accounts: u64,
    /// How many transfers are posted.
    pub transfers: u64,
    /// The debits of all accounts.
    pub debits: u128,
    /// The credits of all accounts.
    pub credits: u128,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// The ledger of each replica that answered, in the order of the committee.
    pub ledgers: Vec<Option<LedgerSummary>>,
    /// What is not as it must be.
    pub problems: Vec<String>,
}

#[derive(Deserialize)]
struct Page {
    seq: u64,
    accounts: Vec<Account>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Account {
    account: String,
    debits: u64,
    credits: u64,
}

/// Reads the whole ledger of every replica and compares: the replicas with one another, the number of transfers with the
/// payments, the sums, and every account with each expectation. What liars hold does not count.
pub async fn audit(http: &Http, liars: &Liars, payments: u64, expected: &[Expected]) -> Audit {
    let is_liar = |replica: &usize| liars.keys().any(|liar| liar.index() == *replica);
    let found =
        join_all((0..http.replicas()).map(
            async |replica| {
                if is_liar(&replica) { None } else { Some(read(http, replica).await) }
            },
        ))
        .await;
    let mut audit = Audit::default();
    for (replica, found) in found.into_iter().enumerate() {
        let Some(found) = found else {
            audit.ledgers.push(None);
            continue;
        };
        match found {
            Ok((ledger, balances)) => {
                audit.problems.extend(wrong_sums(replica, &ledger, payments));
                audit.problems.extend(wrong_accounts(replica, &balances, expected));
                audit.ledgers.push(Some(ledger));
            }
            Err(problem) => audit.add_unreadable(replica, &problem),
        }
    }
    let problems = different_roots(&audit.ledgers);
    audit.problems.extend(problems);
    audit
}

/// As [`audit`], without looking at every account: the root stands for all of them. At least so many accounts must exist.
pub async fn compare(http: &Http, payments: u64, accounts_min: u64) -> Audit {
    let found = join_all((0..http.replicas()).map(|replica| read_summary(http, replica))).await;
    let mut audit = Audit::default();
    for (replica, found) in found.into_iter().enumerate() {
        match found {
            Ok(ledger) => {
                audit.problems.extend(wrong_sums(replica, &ledger, payments));
                if ledger.accounts < accounts_min {
                    audit.problems.push(format!("replica {replica}: {} accounts, not {accounts_min}", ledger.accounts));
                }
                audit.ledgers.push(Some(ledger));
            }
            Err(problem) => audit.add_unreadable(replica, &problem),
        }
    }
    let problems = different_roots(&audit.ledgers);
    audit.problems.extend(problems);
    audit
}

async fn read_summary(http: &Http, replica: usize) -> Result<LedgerSummary, String> {
    http.get(replica, "/ledger/summary", Vec::new()).await
}

impl Audit {
    fn add_unreadable(&mut self, replica: usize, problem: &str) {
        self.problems.push(format!("replica {replica}: its ledger cannot be read: {problem}"));
        self.ledgers.push(None);
    }
}

async fn read(http: &Http, replica: usize) -> Result<(LedgerSummary, Balances), String> {
    let ledger = read_summary(http, replica).await?;
    let mut balances = Balances::default();
    let mut after = None;
    loop {
        let query = [("limit", PAGE_ACCOUNTS.to_string())].into_iter().chain(after.map(|after| ("after", after)));
        let page: Page = http.get(replica, "/ledger/accounts", query.collect()).await?;
        if page.seq != ledger.seq {
            return Err(format!("it went on from slot {} to {} meanwhile", ledger.seq, page.seq));
        }
        for Account { account, debits, credits } in page.accounts {
            balances.insert(account, Balance { debits, credits });
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok((ledger, balances)),
        }
    }
}

fn wrong_sums(replica: usize, ledger: &LedgerSummary, payments: u64) -> Vec<String> {
    let mut problems = Vec::new();
    if ledger.transfers != payments {
        problems.push(format!("replica {replica}: {} transfers are posted instead of {payments}", ledger.transfers));
    }
    if ledger.debits != ledger.credits {
        problems.push(format!("replica {replica}: debits {} are not credits {}", ledger.debits, ledger.credits));
    }
    problems
}

fn wrong_accounts(replica: usize, balances: &Balances, expected: &[Expected]) -> Vec<String> {
    let mut problems = Vec::new();
    for Expected { source, balances: wanted } in expected {
        let differences = wanted.differences(balances);
        let shown = differences.iter().take(DIFFERENCES_MAX);
        problems.extend(shown.map(|difference| format!("replica {replica}: {difference} ({source})")));
        let more = differences.len().saturating_sub(DIFFERENCES_MAX);
        if more > 0 {
            problems.push(format!("replica {replica}: and {more} more accounts differ ({source})"));
        }
    }
    problems
}

fn different_roots(ledgers: &[Option<LedgerSummary>]) -> Vec<String> {
    let mut found = ledgers.iter().enumerate().filter_map(|(replica, ledger)| Some((replica, ledger.as_ref()?)));
    let Some((first, ledger)) = found.next() else { return Vec::new() };
    let differing = found.filter(|(_, other)| (other.seq, &other.root) != (ledger.seq, &ledger.root));
    let problem = |(replica, other): (usize, &LedgerSummary)| {
        format!(
            "replica {replica} has root {} at slot {}, replica {first} has {} at slot {}",
            other.root, other.seq, ledger.root, ledger.seq
        )
    };
    differing.map(problem).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(root: &str) -> LedgerSummary {
        LedgerSummary { seq: 9, root: root.into(), accounts: 2, transfers: 7, debits: 5, credits: 5 }
    }

    #[test]
    fn a_replica_with_another_root_is_named() {
        assert!(different_roots(&[Some(ledger("ab")), None, Some(ledger("ab"))]).is_empty());
        let problems = different_roots(&[Some(ledger("ab")), Some(ledger("cd"))]);
        assert_eq!(problems, ["replica 1 has root cd at slot 9, replica 0 has ab at slot 9"]);
    }

    #[test]
    fn transfers_that_are_missing_or_doubled_and_lost_money_are_named() {
        assert!(wrong_sums(0, &ledger("ab"), 7).is_empty());
        let lost = LedgerSummary { credits: 4, ..ledger("ab") };
        let problems = wrong_sums(3, &lost, 8);
        assert_eq!(
            problems,
            ["replica 3: 7 transfers are posted instead of 8", "replica 3: debits 5 are not credits 4"]
        );
    }

    #[test]
    fn only_the_first_differing_accounts_are_shown() {
        let mut balances = Balances::default();
        for number in 0..8 {
            balances.insert(format!("a{number}"), Balance { debits: 1, credits: 0 });
        }
        let expected = Expected { source: "table.csv".into(), balances: Balances::default() };
        let problems = wrong_accounts(2, &balances, &[expected]);
        assert_eq!(problems.len(), DIFFERENCES_MAX + 1);
        let first = "replica 2: account a0: found debits 1 and credits 0, expected no such account (table.csv)";
        assert_eq!(problems[0], first);
        assert_eq!(problems[DIFFERENCES_MAX], "replica 2: and 3 more accounts differ (table.csv)");
    }
}
