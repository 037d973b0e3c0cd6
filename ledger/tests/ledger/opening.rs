//! Opening accounts, many at a time.

use quorate::outcome::{LimitExceeded, Outcome};
use quorate_ledger::{Answer, Balance, Ledger, LedgerRefusal, Operation};

use crate::world::{World, answer, name, names, transfer};

fn open<'a>(world: &mut World, accounts: impl IntoIterator<Item = &'a str>) -> Result<Answer, LedgerRefusal> {
    answer(&world.execute(&Operation::Open(names(accounts)).encode()))
}

#[test]
fn opened_accounts_have_neither_debits_nor_credits_and_can_be_paid_to() {
    let mut world = World::new();
    assert_eq!(open(&mut world, ["bob", "alice"]), Ok(Answer::Opened { new: 2 }));
    assert_eq!(Ledger::balance(&world.view(), &name("alice")), Some(Balance::default()));
    assert_eq!(world.transfer(transfer(1, "alice", "bob", 5)), Ok(Answer::Transferred));
    let totals = Ledger::totals(&world.view());
    assert_eq!((totals.accounts, totals.transfers, totals.debits, totals.credits), (2, 1, 5, 5));
}

#[test]
fn opening_again_changes_no_balance() {
    let mut world = World::new();
    world.transfer(transfer(1, "alice", "bob", 5)).unwrap();
    assert_eq!(open(&mut world, ["alice", "bob", "carol"]), Ok(Answer::Opened { new: 1 }));
    let root = world.state.root();
    assert_eq!(open(&mut world, ["alice", "bob", "carol"]), Ok(Answer::Opened { new: 0 }));
    assert_eq!(world.state.root(), root);
    assert_eq!(Ledger::balance(&world.view(), &name("bob")), Some(Balance { debits: 0, credits: 5 }));
}

#[test]
fn names_that_do_not_ascend_or_are_missing_are_refused() {
    let raw = |names: &[&[u8]]| {
        let texts = names.iter().flat_map(|name| [&(name.len() as u64).to_le_bytes(), *name].concat());
        [&[1, 2, 0, 0, 0][..], &(names.len() as u64).to_le_bytes()]
            .concat()
            .into_iter()
            .chain(texts)
            .collect::<Vec<_>>()
    };
    let mut world = World::new();
    let mut refused = |names: &[&[u8]]| answer(&world.execute(&raw(names))).unwrap_err();
    assert_eq!(refused(&[]), LedgerRefusal::NoAccounts);
    assert_eq!(refused(&[b"b", b"a"]), LedgerRefusal::AccountsNotAscending);
    assert_eq!(refused(&[b"a", b"a"]), LedgerRefusal::AccountsNotAscending);
    assert_eq!(refused(&[b"a", b""]), LedgerRefusal::NameLength { bytes: 0 });
    assert_eq!(refused(&[b"a", b"\n"]), LedgerRefusal::NameNotPrintable);
    assert_eq!(answer(&world.execute(&raw(&[b"a", b"b"]))), Ok(Answer::Opened { new: 2 }));
    // A length that is not there is not believed.
    let endless = [&[1, 2, 0, 0, 0][..], &u64::MAX.to_le_bytes()].concat();
    assert_eq!(answer(&world.execute(&endless)), Err(LedgerRefusal::Malformed));
}

#[test]
fn all_accounts_of_an_operation_are_opened_or_none() {
    let mut world = World::with_weight_max(200);
    let accounts: Vec<String> = (0..100).map(|number| format!("account {number}")).collect();
    let outcome = world.execute(&Operation::Open(names(&accounts)).encode());
    assert_eq!(outcome, Outcome::OverLimit(LimitExceeded::State));
    assert_eq!(Ledger::totals(&world.view()).accounts, 0);
}
