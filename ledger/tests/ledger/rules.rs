//! What the ledger accepts, refuses and answers.

use quorate::SeqNum;
use quorate::execution::StateMachine;
use quorate::outcome::{LimitExceeded, Outcome};
use quorate_ledger::{Answer, Balance, Ledger, LedgerRefusal, Operation, PostedTransfer, TransferId};
use quorate_ledger::{account_key, transfer_key};

use crate::world::{World, answer, encoded, name, raw_transfer, transfer};

#[test]
fn a_transfer_debits_one_account_and_credits_the_other() {
    let mut world = World::new();
    assert_eq!(world.transfer(transfer(1, "alice", "bob", 30)), Ok(Answer::Transferred));
    assert_eq!(world.transfer(transfer(2, "bob", "carol", 10)), Ok(Answer::Transferred));
    let view = world.view();
    assert_eq!(Ledger::balance(&view, &name("alice")), Some(Balance { debits: 30, credits: 0 }));
    assert_eq!(Ledger::balance(&view, &name("bob")), Some(Balance { debits: 10, credits: 30 }));
    assert_eq!(Ledger::balance(&view, &name("bob")).unwrap().net(), 20);
    assert_eq!(Ledger::balance(&view, &name("alice")).unwrap().net(), -30, "there is no overdraft limit");
    assert_eq!(Ledger::balance(&view, &name("dave")), None);
    let posted = PostedTransfer { transfer: transfer(2, "bob", "carol", 10), seq: SeqNum(2) };
    assert_eq!(Ledger::transfer(&view, TransferId(2)), Some(posted));
}

#[test]
fn an_ordered_read_and_a_query_give_the_balance_and_change_nothing() {
    let mut world = World::new();
    world.transfer(transfer(1, "alice", "bob", 30)).unwrap();
    let root = world.state.root();
    for (account, balance) in [("bob", Some(Balance { debits: 0, credits: 30 })), ("nobody", None)] {
        let read = Operation::Balance(name(account)).encode();
        assert_eq!(answer(&world.execute(&read)), Ok(Answer::Balance(balance)));
        assert_eq!(answer(&Ledger.query(&read, &world.view())), Ok(Answer::Balance(balance)));
    }
    let write = Ledger.query(&encoded(transfer(2, "a", "b", 1)), &world.view());
    assert_eq!(answer(&write), Err(LedgerRefusal::NotARead));
    assert_eq!(world.state.root(), root);
}

#[test]
fn an_identifier_is_used_once_and_never_again() {
    let mut world = World::new();
    world.transfer(transfer(9, "alice", "bob", 30)).unwrap();
    let root = world.state.root();
    let seq = SeqNum(1);
    assert_eq!(world.transfer(transfer(9, "alice", "bob", 30)), Err(LedgerRefusal::AlreadyPosted { seq }));
    for other in [transfer(9, "alice", "bob", 31), transfer(9, "bob", "alice", 30), transfer(9, "alice", "carol", 30)] {
        assert_eq!(world.transfer(other), Err(LedgerRefusal::IdTaken { seq }));
    }
    assert_eq!(world.state.root(), root);
    assert_eq!(world.transfer(transfer(u128::MAX, "alice", "bob", 30)), Ok(Answer::Transferred));
}

#[test]
fn sums_stop_at_the_largest_number_and_change_neither_side() {
    let mut world = World::new();
    world.transfer(transfer(1, "a", "b", u64::MAX - 1)).unwrap();
    world.transfer(transfer(2, "a", "b", 1)).unwrap();
    let root = world.state.root();
    assert_eq!(world.transfer(transfer(3, "a", "c", 1)), Err(LedgerRefusal::DebitsOverflow));
    assert_eq!(world.transfer(transfer(3, "c", "b", 1)), Err(LedgerRefusal::CreditsOverflow));
    assert_eq!(world.state.root(), root);
    assert_eq!(world.transfer(transfer(3, "b", "a", u64::MAX)), Ok(Answer::Transferred));
    let totals = Ledger::totals(&world.view());
    assert_eq!((totals.debits, totals.credits), (u128::from(u64::MAX) * 2, u128::from(u64::MAX) * 2));
}

#[test]
fn what_is_not_well_formed_is_refused_at_the_door_and_at_execution_with_the_same_reason() {
    let long = [b'x'; 65];
    let cases: [(Vec<u8>, LedgerRefusal); 12] = [
        (vec![], LedgerRefusal::Malformed),
        (vec![1], LedgerRefusal::Malformed),
        (vec![1, 9, 0, 0, 0], LedgerRefusal::Malformed),
        (vec![2, 0, 0, 0, 0], LedgerRefusal::UnknownVersion(2)),
        ([&encoded(transfer(1, "a", "b", 1))[..], &[0]].concat(), LedgerRefusal::Malformed),
        (raw_transfer(b"", b"b", 1, b""), LedgerRefusal::NameLength { bytes: 0 }),
        (raw_transfer(b"a", &long, 1, b""), LedgerRefusal::NameLength { bytes: 65 }),
        (raw_transfer(b"a\n", b"b", 1, b""), LedgerRefusal::NameNotPrintable),
        (raw_transfer(b"a", b"b", 1, &long), LedgerRefusal::ReferenceLength { bytes: 65 }),
        (raw_transfer(b"a", b"b", 1, b"\xff"), LedgerRefusal::ReferenceNotPrintable),
        (raw_transfer(b"a", b"b", 0, b""), LedgerRefusal::AmountZero),
        (raw_transfer(b"a", b"a", 1, b""), LedgerRefusal::SameAccount),
    ];
    let mut world = World::new();
    for (bytes, refusal) in cases {
        assert_eq!(answer(&world.execute(&bytes)), Err(refusal), "{bytes:?}");
        assert_eq!(Ledger.admit(&bytes), Err(refusal.into()));
        assert!(world.state.is_empty());
    }
}

#[test]
fn limits_of_texts_are_exact() {
    let mut world = World::new();
    let full = [b'x'; 64];
    assert_eq!(answer(&world.execute(&raw_transfer(&full, b"b", 1, &full))), Ok(Answer::Transferred));
    let longest_key = account_key(&name(&"x".repeat(64)));
    assert_eq!(longest_key.len(), 66, "far below the longest key of the engine");
}

#[test]
fn a_full_state_refuses_the_transfer_as_a_whole() {
    let mut world = World::with_weight_max(200);
    world.transfer(transfer(1, "a", "b", 5)).unwrap();
    let root = world.state.root();
    assert_eq!(world.execute(&encoded(transfer(2, "a", "b", 5))), Outcome::OverLimit(LimitExceeded::State));
    assert_eq!(world.state.root(), root);
}

#[test]
fn accounts_come_in_the_order_of_their_names_page_by_page() {
    let mut world = World::new();
    for (id, (debit, credit)) in (1..).zip([("b", "a"), ("c", "bb"), ("z", "ab")]) {
        world.transfer(transfer(id, debit, credit, 1)).unwrap();
    }
    let view = world.view();
    let names = |after: Option<&str>| {
        let accounts = Ledger::accounts(&view, after.map(name).as_ref());
        accounts.map(|(account, _)| account.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(None), ["a", "ab", "b", "bb", "c", "z"]);
    assert_eq!(names(Some("b")), ["bb", "c", "z"]);
    assert_eq!(names(Some("b-which-does-not-exist")), ["bb", "c", "z"]);
    assert_eq!(names(Some("z")), [""; 0]);
    let totals = Ledger::totals(&view);
    assert_eq!((totals.accounts, totals.transfers), (6, 3));
}

#[test]
fn balances_and_transfers_can_be_proven_against_the_root() {
    let mut world = World::new();
    for id in 1..200 {
        world.transfer(transfer(id, "alice", &format!("account {id}"), 1)).unwrap();
    }
    let root = world.state.root();
    let prove = |key: &[u8]| world.state.prove(key).verify(&root, key).unwrap();
    let balance = prove(&account_key(&name("alice"))).unwrap();
    assert_eq!(Balance::decode(&balance), Ok(Balance { debits: 199, credits: 0 }));
    let posted = PostedTransfer::decode(&prove(&transfer_key(TransferId(7))).unwrap()).unwrap();
    assert_eq!(posted.transfer, transfer(7, "alice", "account 7", 1));
    assert_eq!(prove(&transfer_key(TransferId(200))), None);
}
