//! The ledger against a naive model: maps of integers that cannot overflow.

use std::collections::BTreeMap;

use proptest::prelude::*;
use quorate::SeqNum;
use quorate_ledger::{Answer, Balance, Ledger, LedgerRefusal};

use crate::world::{World, name, transfer};

/// One transfer as the model sees it.
#[derive(Clone, Debug, PartialEq)]
struct Payment {
    id: u128,
    debit: u8,
    credit: u8,
    amount: u64,
}

#[derive(Default)]
struct Model {
    posted: BTreeMap<u128, (Payment, u64)>,
    sums: BTreeMap<u8, (u128, u128)>,
}

impl Model {
    fn post(&mut self, payment: &Payment, seq: u64) -> Result<Answer, LedgerRefusal> {
        if let Some((earlier, posted_at)) = self.posted.get(&payment.id) {
            let seq = SeqNum(*posted_at);
            let is_same = earlier == payment;
            return Err(if is_same { LedgerRefusal::AlreadyPosted { seq } } else { LedgerRefusal::IdTaken { seq } });
        }
        let sum = |account| self.sums.get(account).copied().unwrap_or_default();
        let (debits, credits) = (sum(&payment.debit).0, sum(&payment.credit).1);
        let max = u128::from(u64::MAX) - u128::from(payment.amount);
        if debits > max {
            return Err(LedgerRefusal::DebitsOverflow);
        }
        if credits > max {
            return Err(LedgerRefusal::CreditsOverflow);
        }
        self.sums.entry(payment.debit).or_default().0 += u128::from(payment.amount);
        self.sums.entry(payment.credit).or_default().1 += u128::from(payment.amount);
        self.posted.insert(payment.id, (payment.clone(), seq));
        Ok(Answer::Transferred)
    }
}

fn payment() -> impl Strategy<Value = Payment> {
    let amount = prop_oneof![4 => 1u64..1000, 1 => u64::MAX / 2 - 5..=u64::MAX];
    (0u128..40, 0u8..6, 1u8..6, amount).prop_map(|(id, debit, distance, amount)| {
        let credit = (debit + distance) % 6;
        Payment { id, debit, credit, amount }
    })
}

fn account(number: u8) -> String {
    format!("account {number}")
}

proptest! {
    #[test]
    fn money_is_conserved_and_every_answer_is_that_of_the_model(payments in prop::collection::vec(payment(), 0..150)) {
        let (mut world, mut model) = (World::new(), Model::default());
        for (seq, payment) in (1..).zip(&payments) {
            let transfer = transfer(payment.id, &account(payment.debit), &account(payment.credit), payment.amount);
            prop_assert_eq!(world.transfer(transfer), model.post(payment, seq));
            let totals = Ledger::totals(&world.view());
            prop_assert_eq!(totals.debits, totals.credits);
            prop_assert_eq!(totals.transfers, model.posted.len() as u64);
        }
        let balances: Vec<_> = Ledger::accounts(&world.view(), None).collect();
        let expected = model.sums.iter().map(|(number, (debits, credits))| {
            let balance = Balance { debits: u64::try_from(*debits).unwrap(), credits: u64::try_from(*credits).unwrap() };
            (name(&account(*number)), balance)
        });
        prop_assert_eq!(balances, expected.collect::<Vec<_>>());
        prop_assert_eq!(model.sums.values().map(|(debits, _)| debits).sum::<u128>(), Ledger::totals(&world.view()).debits);
    }
}
