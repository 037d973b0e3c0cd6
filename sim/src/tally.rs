//! The state machine of the simulated clusters, and the same rules once more for the checkers.
//!
//! | Operation | Bytes | Answer |
//! | --- | --- | --- |
//! | add an amount to a counter | 0, key, amount, salt | the new sum; odd sums above 200 are refused |
//! | move money between accounts | 1, from, to, amount, salt | both balances; refused for lack of funds |
//! | read a counter, in the order of all operations | 2, key, salt | the sum |
//!
//! Refusals depend on history, so that two histories seldom have the same answers. A note under a longer key makes the
//! state large enough to be transferred in parts. What is in all accounts together never changes.

use std::collections::BTreeMap;

use bytes::Bytes;
use quorate::execution::state::{State, StateError, StateView};
use quorate::execution::{Context, Refusal, StateMachine};
use quorate::outcome::Outcome;

use crate::choices::Choices;

/// How many accounts there are, and what is in each before anything happens.
const ACCOUNTS: u8 = 8;
const OPENING: u64 = 100;
/// What is in all accounts together.
pub const MONEY: u64 = OPENING * ACCOUNTS as u64;

const ADD: u8 = 0;
const TRANSFER: u8 = 1;
const READ: u8 = 2;
const NOTE_BYTES: usize = 150;

/// What a client may ask for. Salts make operations differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Adds to a counter.
    Add {
        /// The counter.
        key: u8,
        /// How much.
        amount: u8,
        /// Anything.
        salt: u32,
    },
    /// Moves money.
    Transfer {
        /// Whose money.
        from: u8,
        /// To whom.
        to: u8,
        /// How much.
        amount: u8,
        /// Anything.
        salt: u32,
    },
    /// Reads a counter.
    Read {
        /// The counter.
        key: u8,
        /// Anything.
        salt: u32,
    },
}

impl Operation {
    /// Any operation on one of so many counters, or on the accounts.
    pub fn draw(choices: &mut Choices, keys: u64) -> Self {
        let kind = choices.below(10);
        let salt = choices.below(1 << 32) as u32;
        let (key, amount) = (choices.below(keys) as u8, choices.below(100) as u8);
        match kind {
            0..=5 => Operation::Add { key, amount, salt },
            6..=8 => {
                let (from, to) = (choices.below(u64::from(ACCOUNTS)) as u8, choices.below(u64::from(ACCOUNTS)) as u8);
                Operation::Transfer { from, to, amount, salt }
            }
            _ => Operation::Read { key, salt },
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let (mut bytes, salt) = match *self {
            Operation::Add { key, amount, salt } => (vec![ADD, key, amount], salt),
            Operation::Transfer { from, to, amount, salt } => (vec![TRANSFER, from, to, amount], salt),
            Operation::Read { key, salt } => (vec![READ, key], salt),
        };
        bytes.extend(salt.to_le_bytes());
        bytes.into()
    }
}

/// The operation that adds `amount` under `key`.
#[must_use]
pub fn operation(key: u8, amount: u8, salt: u32) -> Bytes {
    Operation::Add { key, amount, salt }.encode()
}

/// Where an account's balance stands.
#[must_use]
pub fn account_key(account: u8) -> [u8; 3] {
    [b'$', b'$', account]
}

/// What is in all accounts of a state together.
#[must_use]
pub fn money_in(state: &State) -> u64 {
    (0..ACCOUNTS).map(|account| number(state, &account_key(account)).unwrap_or(OPENING)).sum()
}

/// The state machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally;

impl Tally {
    /// Written before the decision: the engine must undo it.
    fn add(state: &mut State, (key, amount): (u8, u8), salt: u8) -> Result<Outcome, StateError> {
        let sum = number(state, &[key]).unwrap_or(0) + u64::from(amount);
        state.insert(&[key], &sum.to_le_bytes())?;
        state.insert(&[key, salt % 16], &[amount; NOTE_BYTES])?;
        Ok(if sum > 200 && sum % 2 == 1 { refused("odd") } else { done(&[sum]) })
    }

    /// The receiver gets the money before it is known whether there is any: the engine must undo that, too.
    fn transfer(state: &mut State, (from, to): (u8, u8), amount: u64) -> Result<Outcome, StateError> {
        if from == to || from.max(to) >= ACCOUNTS {
            return Ok(refused("no such account"));
        }
        let balance = |account| number(state, &account_key(account)).unwrap_or(OPENING);
        let (payer, receiver) = (balance(from), balance(to) + amount);
        state.insert(&account_key(to), &receiver.to_le_bytes())?;
        let Some(left) = payer.checked_sub(amount) else { return Ok(refused("lack of funds")) };
        state.insert(&account_key(from), &left.to_le_bytes())?;
        Ok(done(&[left, receiver]))
    }
}

impl StateMachine for Tally {
    fn execute(&self, _context: &Context, operation: &[u8], state: &mut State) -> Outcome {
        let outcome = match *operation {
            [ADD, key, amount, salt, ..] => Tally::add(state, (key, amount), salt),
            [TRANSFER, from, to, amount, _, ..] => Tally::transfer(state, (from, to), u64::from(amount)),
            [READ, key, _, ..] => Ok(done(&[number(state, &[key]).unwrap_or(0)])),
            _ => Ok(refused("unknown")),
        };
        outcome.unwrap_or_else(Outcome::from)
    }

    fn query(&self, query: &[u8], view: &StateView) -> Outcome {
        Outcome::Done(view.get(query).map(Bytes::copy_from_slice).unwrap_or_default())
    }

    fn admit(&self, _operation: &[u8]) -> Result<(), Refusal> {
        Ok(())
    }
}

/// What the counters and accounts must be, without the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    sums: BTreeMap<u8, u64>,
    /// What was paid into each account and out of it.
    flows: BTreeMap<u8, (u64, u64)>,
}

/// What an operation reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A counter.
    Counter(u8),
    /// An account.
    Account(u8),
}

impl Reference {
    /// What must become of an operation.
    pub fn execute(&mut self, operation: &[u8]) -> Outcome {
        match *operation {
            [0, key, amount, _, ..] => {
                let sum = self.sums.get(&key).copied().unwrap_or(0) + u64::from(amount);
                if sum > 200 && sum % 2 == 1 {
                    return refused("odd");
                }
                self.sums.insert(key, sum);
                done(&[sum])
            }
            [1, from, to, amount, _, ..] => self.transfer(from, to, u64::from(amount)),
            [2, key, _, ..] => done(&[self.sums.get(&key).copied().unwrap_or(0)]),
            _ => refused("unknown"),
        }
    }

    /// What an operation reads or writes.
    #[must_use]
    pub fn places(operation: &[u8]) -> Vec<Place> {
        match *operation {
            [0, key, _, _, ..] | [2, key, _, ..] => vec![Place::Counter(key)],
            [1, from, to, _, _, ..] => vec![Place::Account(from), Place::Account(to)],
            _ => Vec::new(),
        }
    }

    fn transfer(&mut self, from: u8, to: u8, amount: u64) -> Outcome {
        if from == to || from >= 8 || to >= 8 {
            return refused("no such account");
        }
        if self.balance(from) < amount {
            return refused("lack of funds");
        }
        self.flows.entry(from).or_default().1 += amount;
        self.flows.entry(to).or_default().0 += amount;
        done(&[self.balance(from), self.balance(to)])
    }

    fn balance(&self, account: u8) -> u64 {
        let (paid_in, paid_out) = self.flows.get(&account).copied().unwrap_or_default();
        100 + paid_in - paid_out
    }
}

fn number(state: &State, key: &[u8]) -> Option<u64> {
    state.get(key).and_then(|value| value.try_into().ok()).map(u64::from_le_bytes)
}

fn done(numbers: &[u64]) -> Outcome {
    Outcome::Done(numbers.iter().flat_map(|number| number.to_le_bytes()).collect())
}

fn refused(reason: &'static str) -> Outcome {
    Outcome::Refused(Bytes::from_static(reason.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_that_is_not_there_cannot_be_paid_and_none_is_made() {
        let mut reference = Reference::default();
        let pay = |from, to, amount| Operation::Transfer { from, to, amount, salt: 0 }.encode();
        assert_eq!(reference.execute(&pay(0, 1, 60)), done(&[40, 160]));
        assert_eq!(reference.execute(&pay(0, 1, 60)), refused("lack of funds"));
        assert_eq!(reference.execute(&pay(1, 1, 1)), refused("no such account"));
        assert_eq!(reference.execute(&pay(1, 8, 1)), refused("no such account"));
        assert_eq!((0..8).map(|account| reference.balance(account)).sum::<u64>(), MONEY);
    }

    #[test]
    fn bytes_that_are_no_operation_are_refused() {
        for operation in [&[][..], &[0], &[0, 1, 2], &[1, 2, 3, 4], &[9, 9, 9, 9, 9]] {
            assert_eq!(Reference::default().execute(operation), refused("unknown"), "{operation:?}");
            assert_eq!(Reference::places(operation), []);
        }
    }
}
