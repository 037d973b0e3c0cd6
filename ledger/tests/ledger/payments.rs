//! Payments of a real bank, where the data lie beside the workspace; generated ones everywhere.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use quorate_ledger::{Answer, Balance, Ledger, Transfer, TransferId};

use crate::world::{World, name};

/// `id,date,debit,credit,amount,reference`; nothing is quoted.
struct Payment {
    id: u128,
    debit: String,
    credit: String,
    amount: u64,
    reference: String,
}

/// What the accounts must end with: `account → (debits, credits)`.
type Balances = BTreeMap<String, (u64, u64)>;

#[test]
fn real_payments_end_with_the_balances_that_were_summed_independently() {
    let Some((payments, balances)) = real_payments() else { return };
    assert_eq!(payments.len(), 30_000);
    check(&payments, &balances);
}

#[test]
fn generated_payments_end_with_the_sums_of_their_amounts() {
    let payments = generated_payments(3_000);
    let mut balances = Balances::new();
    for payment in &payments {
        balances.entry(payment.debit.clone()).or_default().0 += payment.amount;
        balances.entry(payment.credit.clone()).or_default().1 += payment.amount;
    }
    check(&payments, &balances);
}

/// Executes all payments, all again in the opposite order, which changes nothing, and compares every account.
fn check(payments: &[Payment], expected: &Balances) {
    let mut world = World::new();
    for payment in payments {
        assert_eq!(world.transfer(payment.transfer()), Ok(Answer::Transferred), "payment {}", payment.id);
    }
    let root = world.state.root();
    for payment in payments.iter().rev() {
        assert!(world.transfer(payment.transfer()).is_err(), "payment {} was executed twice", payment.id);
    }
    assert_eq!(world.state.root(), root);
    let view = world.view();
    let balances: Vec<_> = Ledger::accounts(&view, None).collect();
    let expected = expected.iter().map(|(account, &(debits, credits))| (name(account), Balance { debits, credits }));
    assert_eq!(balances, expected.collect::<Vec<_>>());
    let totals = Ledger::totals(&view);
    assert_eq!(totals.debits, totals.credits);
    assert_eq!(totals.debits, payments.iter().map(|payment| u128::from(payment.amount)).sum());
    assert_eq!(totals.transfers, payments.len() as u64);
}

impl Payment {
    fn transfer(&self) -> Transfer {
        let reference = self.reference.parse().expect("a valid reference");
        Transfer::new(TransferId(self.id), name(&self.debit), name(&self.credit), self.amount, reference)
            .expect("a valid transfer")
    }

    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split(',');
        let id = fields.next()?.parse().ok()?;
        let (_date, debit, credit) = (fields.next()?, fields.next()?.to_owned(), fields.next()?.to_owned());
        let (amount, reference) = (fields.next()?.parse().ok()?, fields.next()?.to_owned());
        fields.next().is_none().then_some(Payment { id, debit, credit, amount, reference })
    }
}

/// The data of the folder `shared/data` beside the workspace or beside a folder above it.
fn real_payments() -> Option<(Vec<Payment>, Balances)> {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let folder = manifest
        .ancestors()
        .skip(2)
        .map(|above| above.join("shared/data"))
        .find(|folder| folder.join("payments.csv").is_file())?;
    let payments = fs::read_to_string(folder.join("payments.csv")).expect("a readable file");
    let balances = fs::read_to_string(folder.join("payments_balances.csv")).expect("a readable file");
    let payments = payments.lines().skip(1).map(|line| Payment::parse(line).expect("six fields")).collect();
    let balance = |line: &str| {
        let mut fields = line.split(',');
        let account = fields.next()?.to_owned();
        Some((account, (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?)))
    };
    let balances = balances.lines().skip(1).map(|line| balance(line).expect("three fields")).collect();
    Some((payments, balances))
}

/// Payments between a bank's counterparties and its customers, always the same ones.
fn generated_payments(count: u64) -> Vec<Payment> {
    // Knuth's MMIX generator: any sequence without short cycles would do.
    let mut seed = 42u64;
    let mut draw = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let counterparties = ["till", "taxes", "wages", "abroad"];
    (0..count)
        .map(|id| {
            let counterparty = counterparties[draw(counterparties.len() as u64) as usize].to_owned();
            let customer = format!("customer {}", draw(500));
            let is_deposit = draw(2) == 0;
            let (debit, credit) = if is_deposit { (counterparty, customer) } else { (customer, counterparty) };
            Payment { id: u128::from(id) * 7, debit, credit, amount: 1 + draw(1_000_000), reference: "rent".to_owned() }
        })
        .collect()
}
