//! A snapshot is whole and durable, or it is not there.

use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;

use super::records::{TestHome, put};
use crate::messages::CommittedSlot;
use crate::storage::{FailureClass, History, Latest, SnapshotStore, StorageError};
use crate::types::SeqNum;

/// A history that claims to hold these slots.
struct Held(u64, u64);

impl History for Held {
    fn committed(&self, _: SeqNum, _: SeqNum, _: usize) -> Result<Vec<CommittedSlot>, StorageError> {
        Ok(Vec::new())
    }

    fn oldest(&self) -> SeqNum {
        SeqNum(self.0)
    }

    fn newest(&self) -> SeqNum {
        SeqNum(self.1)
    }
}

const NOTHING: Held = Held(1, 0);

fn store() -> (TestHome, SnapshotStore) {
    let home = TestHome::new(1 << 20, 0);
    let store = SnapshotStore::open(&home.home()).unwrap();
    (home, store)
}

fn write(store: &SnapshotStore, seq: u64, bytes: &[u8]) {
    store.write(SeqNum(seq), |into| into.write_all(bytes)).unwrap();
}

fn read(latest: Latest) -> Option<(u64, Vec<u8>)> {
    latest.snapshot.map(|(seq, mut reader)| {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).unwrap();
        (seq.0, bytes)
    })
}

fn path(home: &TestHome, seq: u64) -> PathBuf {
    home.path().join(format!("snapshots/{seq:020}.snapshot"))
}

fn names(home: &TestHome) -> Vec<String> {
    let entries = fs::read_dir(home.path().join("snapshots")).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn the_newest_snapshot_is_read_back_and_two_are_kept() {
    let (home, store) = store();
    assert!(read(store.latest(&NOTHING).unwrap()).is_none());
    let large: Vec<u8> = (0..3_000_000u32).map(|byte| byte as u8).collect();
    for (seq, bytes) in [(100, &b"old"[..]), (200, b""), (1000, &large)] {
        write(&store, seq, bytes);
        assert_eq!(read(store.latest(&NOTHING).unwrap()), Some((seq, bytes.to_vec())));
    }
    assert_eq!(names(&home).len(), 2);
    assert!(!path(&home, 100).exists());
}

#[test]
fn a_snapshot_that_failed_or_was_interrupted_leaves_the_old_one() {
    let (home, store) = store();
    write(&store, 100, b"old");
    let failed = store.write(SeqNum(200), |into| {
        into.write_all(b"half")?;
        Err(io::ErrorKind::StorageFull.into())
    });
    assert!(matches!(failed, Err(StorageError::DiskFull { .. })));
    assert_eq!(names(&home).len(), 1);
    // Killed between the temporary name and the rename: the whole content is there, under the temporary name.
    let whole = fs::read(path(&home, 100)).unwrap();
    put(path(&home, 200).with_extension("tmp"), whole);
    drop(store);
    let store = SnapshotStore::open(&home.home()).unwrap();
    assert_eq!(names(&home).len(), 1);
    assert_eq!(read(store.latest(&NOTHING).unwrap()), Some((100, b"old".to_vec())));
}

#[test]
fn every_flipped_bit_and_every_truncation_is_noticed() {
    let (home, store) = store();
    write(&store, 100, b"some state");
    let whole = fs::read(path(&home, 100)).unwrap();
    let refused = |bytes: &[u8], what: String| {
        put(path(&home, 100), bytes);
        match store.latest(&NOTHING) {
            Err(StorageError::Damaged { path: named, .. }) => assert_eq!(named, path(&home, 100)),
            other => panic!("{what}: {other:?}"),
        }
    };
    for offset in 0..whole.len() {
        refused(&whole[..offset], format!("cut at {offset}"));
        for bit in 0..8 {
            let mut flipped = whole.clone();
            flipped[offset] ^= 1 << bit;
            refused(&flipped, format!("bit {bit} at {offset}"));
        }
    }
    refused(&[&whole[..], b"x"].concat(), "longer".to_owned());
}

#[test]
fn a_snapshot_under_the_name_of_another_slot_is_noticed() {
    let (home, store) = store();
    write(&store, 100, b"old");
    fs::rename(path(&home, 100), path(&home, 200)).unwrap();
    assert_eq!(store.latest(&NOTHING).unwrap_err().class(), FailureClass::Damaged);
}

#[test]
fn an_older_snapshot_replaces_a_damaged_one_only_with_the_history_between_them() {
    let (home, store) = store();
    write(&store, 100, b"old");
    write(&store, 200, b"new");
    put(path(&home, 200), b"damaged");
    let latest = store.latest(&Held(101, 200)).unwrap();
    assert_eq!((latest.damaged.len(), latest.damaged[0].seq), (1, SeqNum(200)));
    assert_eq!(latest.damaged[0].path, path(&home, 200));
    assert_eq!(read(latest), Some((100, b"old".to_vec())));
    for history in [Held(102, 200), Held(101, 199), NOTHING] {
        let error = store.latest(&history).unwrap_err();
        assert!(matches!(&error, StorageError::Damaged { path: named, .. } if *named == path(&home, 200)), "{error}");
    }
    put(path(&home, 100), b"damaged");
    let latest = store.latest(&Held(1, 200)).unwrap();
    assert!(latest.snapshot.is_none() && latest.damaged.len() == 2, "the whole history replaces both");
    assert!(store.latest(&Held(2, 200)).is_err());
}

#[test]
fn a_damaged_block_is_never_handed_out() {
    let (home, store) = store();
    let content = vec![7; (2 << 20) + 5];
    write(&store, 100, &content);
    let (_, mut reader) = store.latest(&NOTHING).unwrap().snapshot.unwrap();
    let mut bytes = fs::read(path(&home, 100)).unwrap();
    let second_block = (1 << 20) + 500;
    bytes[second_block] ^= 1;
    // In place: the reader has the file open already.
    fs::write(path(&home, 100), bytes).unwrap();
    let mut got = Vec::new();
    assert!(reader.read_to_end(&mut got).is_err());
    assert!(got.len() <= 1 << 20 && got.iter().all(|byte| *byte == 7));
    assert!(reader.read(&mut [0; 8]).is_err() || got.len() <= 1 << 20);
}
