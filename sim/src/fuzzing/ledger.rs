//! Operations of the ledger: each byte string is one operation or none, and money is neither made nor lost.

use quorate::SeqNum;
use quorate::execution::state::State;
use quorate::execution::{Context, StateMachine};
use quorate::outcome::Outcome;
use quorate_ledger::{
    AccountName, AccountNames, Answer, Balance, Ledger, LedgerRefusal, Operation, PostedTransfer, Transfer, TransferId,
};

use super::cast::{Cast, FOUNDED};

/// Everything that the ledger decodes.
pub fn ledger_bytes(bytes: &[u8]) {
    if let Ok(operation) = Operation::decode(bytes) {
        assert_eq!(operation.encode(), bytes, "one operation has one encoding: {operation:?}");
    }
    if let Ok(answer) = Answer::decode(bytes) {
        assert_eq!(answer.encode(), bytes, "one answer has one encoding: {answer:?}");
    }
    if let Ok(refusal) = LedgerRefusal::decode(bytes) {
        assert_eq!(refusal.encode(), bytes, "one refusal has one encoding: {refusal:?}");
    }
    if let Ok(balance) = Balance::decode(bytes) {
        assert_eq!(balance.net(), i128::from(balance.credits) - i128::from(balance.debits));
    }
    let _posted = PostedTransfer::decode(bytes);
}

/// Operations one after the other, each behind a byte with its length.
pub fn ledger_operations(bytes: &[u8]) {
    let (mut rest, mut state) = (bytes, State::new());
    while let Some((length, behind)) = rest.split_first() {
        let (operation, behind) = behind.split_at(usize::from(*length).min(behind.len()));
        execute(operation, &mut state);
        rest = behind;
    }
    let totals = Ledger::totals(&state.view());
    assert_eq!(totals.debits, totals.credits, "money was made or lost");
}

/// As the engine does: what is not done leaves no trace.
fn execute(operation: &[u8], state: &mut State) {
    let request = Cast::get().request(0, 1).id;
    let context = Context { seq: SeqNum(1), index: 0, time: FOUNDED, id: request };
    let is_admitted = Ledger.admit(operation).is_ok();
    assert_eq!(is_admitted, Operation::decode(operation).is_ok());
    let mut changed = state.clone();
    let outcome = Ledger.execute(&context, operation, &mut changed);
    if let Outcome::Done(answer) = &outcome {
        assert!(is_admitted && Answer::decode(answer).is_ok(), "what is done is answered: {outcome:?}");
        *state = changed;
    }
    let asked = Ledger.query(operation, &state.view());
    assert!(matches!(asked, Outcome::Done(_) | Outcome::Refused(_)), "{asked:?}");
}

fn operations() -> Vec<(&'static str, Operation)> {
    let name = |text: &str| text.parse::<AccountName>().expect("a valid name");
    let transfer = |id, amount| {
        let reference = "rent".parse().expect("a valid reference");
        let transfer = Transfer::new(TransferId(id), name("a"), name("b"), amount, reference);
        Operation::Transfer(transfer.expect("two accounts and an amount"))
    };
    let accounts = AccountNames::new([name("a"), name("c")].into()).expect("two names");
    vec![
        ("transfer", transfer(1, 70)),
        ("large", transfer(2, u64::MAX)),
        ("balance", Operation::Balance(name("a"))),
        ("open", Operation::Open(accounts)),
    ]
}

/// Each operation alone, and what the ledger says.
pub(super) fn byte_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let mut seeds: Vec<_> =
        operations().into_iter().map(|(name, operation)| (name, operation.encode().to_vec())).collect();
    seeds.push(("answer", Answer::Balance(Some(Balance { debits: 1, credits: 2 })).encode().to_vec()));
    seeds.push(("refusal", LedgerRefusal::IdTaken { seq: SeqNum(3) }.encode().to_vec()));
    seeds
}

/// All operations, one after the other and twice.
pub(super) fn operation_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let framed = |(_, operation): &(_, Operation)| {
        let encoded = operation.encode();
        [&[u8::try_from(encoded.len()).expect("short operations")][..], &encoded].concat()
    };
    let once: Vec<u8> = operations().iter().flat_map(framed).collect();
    vec![("twice", [once.clone(), once].concat())]
}
