//! Bytes that must never change, and bytes that nobody should send.

use proptest::prelude::*;
use quorate::execution::StateMachine;
use quorate_crypto::digest::encode_hex;
use quorate_ledger::{Answer, Balance, Ledger, LedgerRefusal, Operation, PostedTransfer, Transfer, TransferId};
use quorate_ledger::{account_key, transfer_key};

use crate::world::{World, encoded, name, names, transfer};

#[test]
fn the_bytes_of_operations_are_those_of_version_1() {
    let bytes = encoded(transfer(0x0102, "alice", "bob", 0x0304));
    let expected = concat!(
        "01",
        "00000000",
        "02010000000000000000000000000000",
        "0500000000000000616c696365",
        "0300000000000000626f62",
        "0403000000000000",
        "0900000000000000666f72207465737473"
    );
    assert_eq!(encode_hex(&bytes), expected);
    let bytes = Operation::Balance(name("bob")).encode();
    assert_eq!(encode_hex(&bytes), "01010000000300000000000000626f62");
    let bytes = Operation::Open(names(["c", "bob"])).encode();
    let expected = concat!("01", "02000000", "0200000000000000", "0300000000000000626f62", "010000000000000063");
    assert_eq!(encode_hex(&bytes), expected);
}

#[test]
fn the_bytes_of_outcomes_are_those_of_version_1() {
    let balance = Balance { debits: 1, credits: 2 };
    assert_eq!(encode_hex(&Answer::Transferred.encode()), "0100000000");
    assert_eq!(encode_hex(&Answer::Balance(None).encode()), "010100000000");
    let bytes = Answer::Balance(Some(balance)).encode();
    assert_eq!(encode_hex(&bytes), "01010000000101000000000000000200000000000000");
    assert_eq!(encode_hex(&Answer::Opened { new: 3 }.encode()), "01020000000300000000000000");
    let refusals = [
        (LedgerRefusal::UnknownVersion(7), "010000000007"),
        (LedgerRefusal::Malformed, "0101000000"),
        (LedgerRefusal::NameLength { bytes: 65 }, "01020000004100000000000000"),
        (LedgerRefusal::NameNotPrintable, "0103000000"),
        (LedgerRefusal::ReferenceLength { bytes: 65 }, "01040000004100000000000000"),
        (LedgerRefusal::ReferenceNotPrintable, "0105000000"),
        (LedgerRefusal::AmountZero, "0106000000"),
        (LedgerRefusal::SameAccount, "0107000000"),
        (LedgerRefusal::AlreadyPosted { seq: quorate::SeqNum(9) }, "01080000000900000000000000"),
        (LedgerRefusal::IdTaken { seq: quorate::SeqNum(9) }, "01090000000900000000000000"),
        (LedgerRefusal::DebitsOverflow, "010a000000"),
        (LedgerRefusal::CreditsOverflow, "010b000000"),
        (LedgerRefusal::NotARead, "010c000000"),
        (LedgerRefusal::NoAccounts, "010d000000"),
        (LedgerRefusal::AccountsNotAscending, "010e000000"),
    ];
    for (refusal, hex) in refusals {
        assert_eq!(encode_hex(&refusal.encode()), hex, "{refusal}");
        assert_eq!(LedgerRefusal::decode(&refusal.encode()), Ok(refusal));
    }
}

#[test]
fn keys_and_values_in_the_state_are_those_of_version_1() {
    let mut world = World::new();
    world.transfer(transfer(0x0102, "alice", "bob", 5)).unwrap();
    assert_eq!(account_key(&name("alice")), b"a/alice");
    assert_eq!(encode_hex(&transfer_key(TransferId(0x0102))), "742f00000000000000000000000000000102");
    assert_eq!(encode_hex(world.state.get(b"a/alice").unwrap()), "0105000000000000000000000000000000");
    let posted = world.state.get(&transfer_key(TransferId(0x0102))).unwrap();
    let expected = concat!(
        "01",
        "02010000000000000000000000000000",
        "0500000000000000616c696365",
        "0300000000000000626f62",
        "0500000000000000",
        "0900000000000000666f72207465737473",
        "0100000000000000"
    );
    assert_eq!(encode_hex(posted), expected);
    let posted = PostedTransfer::decode(posted).unwrap();
    assert_eq!((posted.transfer, posted.seq.0), (transfer(0x0102, "alice", "bob", 5), 1));
}

/// Any operation that can be made.
fn operation() -> impl Strategy<Value = Operation> {
    let text = "[a-zäß0-9 ]{1,20}";
    let transfer = (any::<u128>(), text, text, 1..=u64::MAX, "[ -~]{0,64}").prop_filter_map(
        "the accounts differ",
        |(id, debit, credit, amount, reference)| {
            let (debit, credit) = (debit.parse().ok()?, credit.parse().ok()?);
            Transfer::new(TransferId(id), debit, credit, amount, reference.parse().ok()?).ok()
        },
    );
    let accounts = prop::collection::vec(text, 1..20);
    prop_oneof![
        transfer.prop_map(Operation::Transfer),
        text.prop_map(|text| Operation::Balance(name(&text))),
        accounts.prop_map(|accounts| Operation::Open(names(accounts))),
    ]
}

proptest! {
    #[test]
    fn every_operation_survives_its_bytes_and_no_part_of_them_is_one(operation in operation(), cut in any::<prop::sample::Index>()) {
        let bytes = operation.encode();
        prop_assert_eq!(Operation::decode(&bytes), Ok(operation));
        prop_assert_eq!(Operation::decode(&bytes[..cut.index(bytes.len())]), Err(LedgerRefusal::Malformed));
    }

    #[test]
    fn malformed_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200), version in 0u8..3, tag in 0u8..4) {
        for start in [&[version][..], &[version, tag, 0, 0, 0]] {
            let shared = start.len().min(bytes.len());
            bytes[..shared].copy_from_slice(&start[..shared]);
            let outcome = World::new().execute(&bytes);
            let is_admitted = Ledger.admit(&bytes).is_ok();
            prop_assert_eq!(matches!(outcome, quorate::outcome::Outcome::Done(_)), is_admitted);
        }
    }

    #[test]
    fn a_changed_byte_makes_another_operation_or_none(operation in operation(), at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let mut bytes = operation.encode().to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(other) = Operation::decode(&bytes) {
            prop_assert_ne!(&other, &operation);
            prop_assert_eq!(other.encode(), bytes);
        }
    }
}
