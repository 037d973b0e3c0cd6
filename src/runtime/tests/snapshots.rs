//! Which states become durable, and in which order.

use std::sync::Arc;
use std::sync::Mutex;

use bytes::Bytes;
use quorate_crypto::Digest;

use super::executor::{K, certified, committed, thread};
use crate::core::Order;
use crate::execution::ReplicatedState;
use crate::execution::state_fetch::Fetched;
use crate::messages::CheckpointCertificate;
use crate::runtime::executor_thread::ExecutorInput;
use crate::runtime::queue::Queue;
use crate::runtime::snapshotter::{Certified, SnapshotOrder, Snapshotter};
use crate::storage::page_store::{Committed, Loaded};
use crate::storage::{PageStore, StorageError};
use crate::types::SeqNum;

/// Has no room for the state of one slot, and knows what it was given else.
#[derive(Debug)]
struct NoRoomFor {
    seq: SeqNum,
    written: Mutex<Vec<SeqNum>>,
}

impl PageStore for NoRoomFor {
    fn load(&self) -> Result<Loaded, StorageError> {
        Ok(Loaded::Empty)
    }

    fn commit(&self, state: &ReplicatedState, _: Option<&CheckpointCertificate>) -> Result<Committed, StorageError> {
        let seq = state.position.seq;
        if seq == self.seq {
            return Err(StorageError::DiskFull { path: "store".into() });
        }
        self.written.lock().unwrap().push(seq);
        Ok(Committed::default())
    }

    fn stage(&self, _: &[(Digest, Bytes)]) -> Result<(), StorageError> {
        Ok(())
    }

    fn staged(&self, _: &Digest) -> Result<Option<Bytes>, StorageError> {
        Ok(None)
    }

    fn clear_staging(&self) -> Result<(), StorageError> {
        Ok(())
    }
}

fn of(fetched: Fetched) -> Certified {
    let Fetched { state, certificate } = fetched;
    Certified { state, certificate }
}

#[test]
fn a_clean_stop_does_not_leave_a_state_without_its_certificate() {
    let mut thread = thread();
    (1..=K + 1).for_each(|seq| thread.handle(ExecutorInput::Order(Order::Apply(committed(seq)))));
    thread.handle(ExecutorInput::Order(Order::Stable(certified(K).certificate)));
    (K + 2..=2 * K + 1).for_each(|seq| thread.handle(ExecutorInput::Order(Order::Apply(committed(seq)))));
    let snapshots = thread.snapshots.clone();
    thread.input.close();
    thread.run();
    let mut orders = snapshots.take(9, None).unwrap();
    let Some(SnapshotOrder::Checkpoint(last)) = orders.pop() else { panic!("no state is left") };
    assert_eq!((last.state.position.seq, last.certificate), (SeqNum(K), certified(K).certificate));
}

#[test]
fn a_state_that_found_no_room_does_not_take_the_place_of_a_later_one() {
    let store = Arc::new(NoRoomFor { seq: SeqNum(K), written: Mutex::default() });
    let orders = Queue::new(1);
    orders.push(SnapshotOrder::Install(of(certified(K))));
    orders.push(SnapshotOrder::Checkpoint(of(certified(2 * K))));
    orders.close();
    let executor = Queue::new(1);
    let snapshotter = Snapshotter {
        store: Arc::clone(&store) as Arc<dyn PageStore>,
        orders,
        persister: Queue::new(1),
        executor: executor.clone(),
        events: Queue::new(1),
        failure: Arc::default(),
    };
    snapshotter.run();
    assert_eq!(*store.written.lock().unwrap(), [SeqNum(2 * K)]);
    executor.close();
    assert!(executor.take(1, None).is_none(), "what is not durable is not said to be");
}
