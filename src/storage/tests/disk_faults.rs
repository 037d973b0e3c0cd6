//! A disk that is full or fails: the first error is final, and nothing that was durable is lost.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::failing_disk::{Failing, FailingDisk, Operation};
use super::records::{TestHome, fold, slot};
use crate::storage::{FailureClass, Journal, Opened, Storage, StorageError};

fn open_failing(
    home: &TestHome,
    operation: Operation,
    error: io::ErrorKind,
    successes: i64,
) -> (Opened, Arc<AtomicU64>) {
    let failures = Arc::new(AtomicU64::new(0));
    // A full disk stays full.
    let recovers = operation != Operation::Allocate;
    let failing = Failing { operation, error, successes: successes.into(), recovers, failures: Arc::clone(&failures) };
    (Journal::open(&home.home(), home.options, Arc::new(FailingDisk(Arc::new(failing)))).unwrap(), failures)
}

#[test]
fn a_failed_sync_is_final_and_never_tried_again() {
    let home = TestHome::new(1 << 20, 0);
    // The first sync is that of the new segment.
    let (Opened { mut journal, .. }, failures) = open_failing(&home, Operation::Sync, io::ErrorKind::Other, 2);
    journal.append(&slot(1, 10)).unwrap();
    journal.sync().unwrap();
    journal.append(&slot(2, 10)).unwrap();
    let first = journal.sync().unwrap_err();
    assert_eq!(first.class(), FailureClass::Io);
    assert_eq!(first.class().exit_code(), 74);
    for _ in 0..3 {
        // The disk would say yes now, without having written anything.
        assert_eq!(journal.sync().unwrap_err().to_string(), first.to_string());
        assert_eq!(journal.append(&slot(3, 10)).unwrap_err().to_string(), first.to_string());
        assert_eq!(journal.snapshot_durable(crate::SeqNum(1)).unwrap_err().to_string(), first.to_string());
    }
    assert_eq!(failures.load(Ordering::Relaxed), 1);
    // What was durable can still be served.
    assert_eq!(journal.history().newest(), crate::SeqNum(2));
}

#[test]
fn a_failed_write_is_final_and_cut_at_the_next_start() {
    let home = TestHome::new(1 << 20, 0);
    let (Opened { mut journal, .. }, _) = open_failing(&home, Operation::Write, io::ErrorKind::Other, 3);
    journal.append(&slot(1, 10)).unwrap();
    journal.append(&slot(2, 10)).unwrap();
    journal.sync().unwrap();
    assert!(journal.append(&slot(3, 10)).is_err());
    assert!(journal.sync().is_err());
    drop(journal);
    let opened = home.open();
    assert_eq!(opened.recovered.promises, fold([slot(1, 10), slot(2, 10)].iter().flatten()));
    assert!(opened.torn_tail.is_some());
}

#[test]
fn a_write_error_is_reported_with_its_file_at_once_and_by_every_call_after_it() {
    let home = TestHome::new(1 << 20, 0);
    let (Opened { mut journal, .. }, failures) = open_failing(&home, Operation::Write, io::ErrorKind::Other, 2);
    journal.append(&slot(1, 10)).unwrap();
    let first = journal.append(&slot(2, 10)).unwrap_err();
    let StorageError::Io { path, .. } = &first else { panic!("{first}") };
    assert_eq!(*path, home.last_segment());
    assert_eq!((first.class(), first.class().exit_code()), (FailureClass::Io, 74));
    for _ in 0..3 {
        assert_eq!(journal.append(&slot(2, 10)).unwrap_err().to_string(), first.to_string());
        assert_eq!(journal.sync().unwrap_err().to_string(), first.to_string());
    }
    assert_eq!(failures.load(Ordering::Relaxed), 1, "the disk was not asked again");
}

#[test]
fn a_full_disk_shows_when_a_segment_is_made_and_says_so() {
    let home = TestHome::new(4 << 10, 0);
    let (Opened { mut journal, .. }, _) = open_failing(&home, Operation::Allocate, io::ErrorKind::StorageFull, 2);
    let mut written = Vec::new();
    let error = loop {
        let records = slot(written.len() as u64 + 1, 10);
        match journal.append(&records).and_then(|()| journal.sync()) {
            Ok(()) => written.push(records),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StorageError::DiskFull { .. }), "{error}");
    assert_eq!(home.segments().len(), 2);
    assert_eq!(home.files().len(), 3, "no half-made segment stays");
    drop(journal);
    assert_eq!(home.open().recovered.promises, fold(written.iter().flatten()));
}

#[test]
fn a_crash_while_a_segment_is_made_leaves_the_journal_as_it_was() {
    let home = TestHome::new(1 << 20, 0);
    let mut journal = home.open().journal;
    journal.append(&slot(1, 10)).unwrap();
    journal.sync().unwrap();
    drop(journal);
    let temporary = home.path().join("journal/00000000000000000002.tmp");
    std::fs::write(&temporary, b"half a head").unwrap();
    assert_eq!(home.open().recovered.promises, fold(&slot(1, 10)));
    assert!(!temporary.exists());
}

#[test]
fn a_start_whose_sync_fails_is_no_start() {
    let home = TestHome::new(1 << 20, 0);
    home.open().journal.append(&slot(1, 10)).unwrap();
    let failing = Failing {
        operation: Operation::Sync,
        error: io::ErrorKind::Other,
        successes: 0.into(),
        recovers: false,
        failures: Arc::default(),
    };
    let opened = Journal::open(&home.home(), home.options, Arc::new(FailingDisk(Arc::new(failing))));
    assert_eq!(opened.unwrap_err().class(), FailureClass::Io);
}
