//! A ledger and its state.

use bytes::Bytes;
use quorate::execution::state::{State, StateLimits, StateView};
use quorate::execution::{Context, StateMachine};
use quorate::outcome::Outcome;
use quorate::{ClientId, RequestId, RequestNumber, SeqNum, Session, WallTime};
use quorate_crypto::PublicKey;
use quorate_ledger::{AccountName, AccountNames, Answer, Ledger, LedgerRefusal, Operation, Transfer, TransferId};

/// Executes operations, one a slot, and discards what an operation wrote that is not done, as the engine does.
pub(crate) struct World {
    pub(crate) state: State,
    seq: SeqNum,
}

impl World {
    pub(crate) fn new() -> Self {
        World { state: State::new(), seq: SeqNum::GENESIS }
    }

    pub(crate) fn with_weight_max(weight_max: u64) -> Self {
        World { state: State::with_limits(StateLimits { weight_max, ..StateLimits::default() }), seq: SeqNum::GENESIS }
    }

    pub(crate) fn execute(&mut self, operation: &[u8]) -> Outcome {
        self.seq = self.seq.next();
        let client = ClientId(PublicKey::from_bytes([7; 32]));
        let id = RequestId { client, session: Session(1), number: RequestNumber(self.seq.0) };
        let context = Context { seq: self.seq, index: 0, time: WallTime(0), id };
        let mut overlay = self.state.clone();
        let outcome = Ledger.execute(&context, operation, &mut overlay);
        if matches!(outcome, Outcome::Done(_)) {
            self.state = overlay;
        }
        outcome
    }

    pub(crate) fn transfer(&mut self, transfer: Transfer) -> Result<Answer, LedgerRefusal> {
        answer(&self.execute(&Operation::Transfer(transfer).encode()))
    }

    pub(crate) fn view(&self) -> StateView {
        self.state.view()
    }
}

/// What the ledger says in an outcome.
pub(crate) fn answer(outcome: &Outcome) -> Result<Answer, LedgerRefusal> {
    match outcome {
        Outcome::Done(bytes) => Ok(Answer::decode(bytes).expect("an answer of the ledger")),
        Outcome::Refused(bytes) => Err(LedgerRefusal::decode(bytes).expect("a refusal of the ledger")),
        Outcome::OverLimit(_) | Outcome::Panicked | Outcome::Skipped(_) => unreachable!("{outcome:?} is the engine's"),
    }
}

pub(crate) fn name(text: &str) -> AccountName {
    text.parse().expect("the tests choose valid names")
}

pub(crate) fn names<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> AccountNames {
    AccountNames::new(texts.into_iter().map(|text| name(text.as_ref())).collect()).expect("the tests name some")
}

pub(crate) fn transfer(id: u128, debit: &str, credit: &str, amount: u64) -> Transfer {
    let reference = "for tests".parse().expect("a valid reference");
    Transfer::new(TransferId(id), name(debit), name(credit), amount, reference).expect("a valid transfer")
}

/// The bytes of a transfer, well formed or not.
pub(crate) fn raw_transfer(debit: &[u8], credit: &[u8], amount: u64, reference: &[u8]) -> Vec<u8> {
    let text = |bytes: &[u8]| [&(bytes.len() as u64).to_le_bytes(), bytes].concat();
    let id = 1u128.to_le_bytes();
    [&[1, 0, 0, 0, 0], &id[..], &text(debit), &text(credit), &amount.to_le_bytes(), &text(reference)].concat()
}

pub(crate) fn encoded(transfer: Transfer) -> Bytes {
    Operation::Transfer(transfer).encode()
}
