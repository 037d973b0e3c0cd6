//! How long the nodes of a fetch stay on the disk.

use super::executor::{K, TestThread, certified, committed, thread};
use crate::core::Order;
use crate::runtime::executor_thread::ExecutorInput;
use crate::runtime::snapshotter::SnapshotOrder;

/// Whether it was ordered to delete them since the last call.
fn deletes(thread: &TestThread) -> bool {
    thread.snapshots.push(SnapshotOrder::Stage(Vec::new())); // The queue would wait if it were empty.
    let orders = thread.snapshots.take(9, None).unwrap();
    orders.iter().any(|order| matches!(order, SnapshotOrder::ClearStaging))
}

#[test]
fn nodes_of_an_abandoned_fetch_do_not_stay() {
    let mut thread = thread();
    thread.handle(ExecutorInput::Order(Order::CatchUpTo(certified(K).certificate)));
    assert!(!deletes(&thread), "what an earlier start has fetched is of use");
    thread.handle(ExecutorInput::Order(Order::Apply(committed(1))));
    assert!(deletes(&thread));
}

#[test]
fn nodes_of_a_fetch_before_the_start_do_not_stay_when_none_is_needed() {
    let mut thread = thread();
    (1..=K).for_each(|seq| thread.handle(ExecutorInput::Order(Order::Apply(committed(seq)))));
    assert!(!deletes(&thread), "it may still turn out to be far behind, and fetch a state");
    thread.handle(ExecutorInput::Order(Order::Stable(certified(K).certificate)));
    assert!(deletes(&thread));
}
