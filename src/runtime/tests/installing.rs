//! When the core hears of a fetched state: once it is durable, or when the core has come as far by itself.

use super::executor::{K, TestThread, certified, committed, reports, thread};
use crate::core::Order;
use crate::runtime::executor_thread::ExecutorInput;
use crate::types::SeqNum;

fn apply(thread: &mut TestThread, slots: impl IntoIterator<Item = u64>) -> Vec<String> {
    slots.into_iter().for_each(|seq| thread.handle(ExecutorInput::Order(Order::Apply(committed(seq)))));
    reports(thread)
}

/// The core went on from the state at K when the order for that at 2K, which had crossed the report, was carried out.
fn crossed() -> TestThread {
    let mut thread = thread();
    thread.install(Some(certified(K)));
    thread.handle(ExecutorInput::StateDurable(SeqNum(K)));
    assert_eq!(reports(&thread), [format!("installed {K}")]);
    thread.install(Some(certified(2 * K)));
    thread
}

#[test]
fn no_slot_is_reported_behind_a_fetched_state_that_the_core_has_not_heard_of() {
    let mut thread = crossed();
    assert_eq!(apply(&mut thread, K + 1..2 * K), [""; 0], "they are in the state already");
    let reported = apply(&mut thread, 2 * K..=2 * K + 2);
    let (installed, executed) = (format!("installed {}", 2 * K), |seq| format!("executed {seq}"));
    assert_eq!(reported, [installed, executed(2 * K + 1), executed(2 * K + 2)]);
    thread.handle(ExecutorInput::StateDurable(SeqNum(2 * K)));
    assert_eq!(reports(&thread), [""; 0], "once is enough");
    assert_eq!(apply(&mut thread, [2 * K + 3]), [executed(2 * K + 3)]);
}

#[test]
fn no_state_that_the_core_waits_for_is_reported_before_it_is_durable() {
    let mut thread = crossed();
    assert_eq!(apply(&mut thread, [K + 1]), [""; 0], "the journal does not lead to it yet");
    thread.handle(ExecutorInput::StateDurable(SeqNum(K)));
    assert_eq!(reports(&thread), [""; 0], "that is another one");
    thread.handle(ExecutorInput::StateDurable(SeqNum(2 * K)));
    assert_eq!(reports(&thread), [format!("installed {}", 2 * K)]);
    assert_eq!(apply(&mut thread, [2 * K, 2 * K + 1]), [format!("executed {}", 2 * K + 1)]);
}
