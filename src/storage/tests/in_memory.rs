//! The journal in memory crashes as the one on disk does.

use super::records::{fold, slot, stable, taken};
use crate::storage::{MemoryStorage, Replay, Storage, StorageError};
use crate::types::SeqNum;

#[test]
fn a_crash_keeps_what_was_synced_and_as_many_groups_behind_it_as_it_says() {
    let mut before = MemoryStorage::new(0);
    for seq in 1..=6 {
        before.append(&slot(seq, 10)).unwrap();
        if seq == 2 {
            before.sync().unwrap();
        }
    }
    assert_eq!(before.unsynced_groups(), 4);
    for keep in 0..6 {
        let mut storage = before.clone();
        storage.crash(keep).unwrap();
        let kept = 2 + keep.min(4) as u64;
        let expected = fold(&(1..=kept).flat_map(|seq| slot(seq, 10)).collect::<Vec<_>>());
        assert_eq!(storage.recover().unwrap().promises, expected);
        assert_eq!(storage.history().newest(), SeqNum(kept));
        assert_eq!(storage.unsynced_groups(), 0);
        storage.crash(0).unwrap();
        assert_eq!(storage.recover().unwrap().promises, expected, "what survived one crash survives the next");
    }
    assert_eq!(before.history().newest(), SeqNum(6), "a clone is a journal of its own");
}

#[test]
fn history_is_deleted_and_replayed_as_on_disk() {
    let mut storage = MemoryStorage::new(0);
    let mut written = Vec::new();
    for seq in 1..=20 {
        written.extend(slot(seq, 10));
        storage.append(&slot(seq, 10)).unwrap();
    }
    storage.append(&[taken(10), stable(10)]).unwrap();
    written.extend([taken(10), stable(10)]);
    storage.sync().unwrap();
    let before = storage.bytes_on_disk();
    storage.snapshot_durable(SeqNum(8)).unwrap();
    assert!(storage.bytes_on_disk() < before);
    assert_eq!(storage.history().oldest(), SeqNum(9));
    assert_eq!(Replay::after(storage.history(), SeqNum(8)).map(Result::unwrap).count(), 12);
    let gap = Replay::after(storage.history(), SeqNum(7)).next();
    assert!(matches!(gap, Some(Err(StorageError::HistoryGap { .. }))));
    storage.crash(0).unwrap();
    assert_eq!(storage.recover().unwrap().promises, fold(&written));
    assert_eq!(storage.history().oldest(), SeqNum(9));
}
