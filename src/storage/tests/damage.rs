//! Something durable was changed or lost: the replica does not start, and nothing is cut (pitfalls 29 and 30).

use std::fs;

use super::records::{TestHome, fold, put, slot};
use crate::core::JournalRecord;
use crate::messages::CommittedSlot;
use crate::storage::{FailureClass, Opened, Storage, StorageError};
use crate::types::SeqNum;

/// A journal of three segments. All groups but the last are durable.
fn three_segments() -> (TestHome, Vec<Vec<JournalRecord>>) {
    let home = TestHome::new(3 << 10, u64::MAX);
    let mut journal = home.open().journal;
    let mut groups: Vec<Vec<JournalRecord>> = Vec::new();
    while home.segments().len() < 3 {
        let seq = groups.len() as u64 + 1;
        journal.sync().unwrap();
        journal.append(&slot(seq, 20)).unwrap();
        groups.push(slot(seq, 20));
    }
    journal.sync().unwrap();
    journal.append(&slot(groups.len() as u64 + 1, 20)).unwrap();
    groups.push(slot(groups.len() as u64 + 1, 20));
    (home, groups)
}

fn history(opened: &Opened) -> Vec<CommittedSlot> {
    opened.journal.history().committed(SeqNum(0), SeqNum(1000), usize::MAX).unwrap()
}

fn assert_damaged(home: &TestHome, what: &str) {
    match home.try_open() {
        Err(error) => assert_eq!(error.class(), FailureClass::Damaged, "{what}: {error}"),
        Ok(opened) => panic!("{what} was accepted: {:?}", opened.torn_tail),
    }
}

#[test]
fn a_flipped_bit_anywhere_is_refused_or_costs_only_the_unsealed_last_group() {
    let (home, groups) = three_segments();
    let files = home.files();
    let whole = history(&home.open());
    home.restore(&files);
    let (mut refused, mut cut) = (0, 0);
    for (path, bytes) in &files {
        // Between its two copies `sealed` is empty and never read.
        let is_segment = path.extension().is_some();
        for offset in (0..bytes.len()).filter(|offset| is_segment || offset % 4096 < 24) {
            home.restore(&files);
            let mut flipped = bytes.clone();
            flipped[offset] ^= 1 << (offset % 8);
            put(path, &flipped);
            match home.try_open() {
                Err(error) => {
                    assert_eq!(error.class(), FailureClass::Damaged, "{} at {offset}: {error}", path.display());
                    refused += 1;
                }
                Ok(opened) => {
                    assert_eq!(opened.torn_tail.is_some(), is_segment, "{} at {offset}", path.display());
                    cut += usize::from(is_segment);
                    let kept = history(&opened);
                    assert!(kept.len() + 1 >= whole.len() && kept[..] == whole[..kept.len()], "at {offset}");
                    assert_eq!(opened.recovered.promises, fold(groups[..kept.len()].iter().flatten()));
                }
            }
        }
    }
    assert!(refused > 5_000 && cut > 500, "{refused} refused, {cut} cut");
}

#[test]
fn a_missing_segment_is_refused() {
    let (home, _) = three_segments();
    // A start makes everything durable that it finds.
    home.open();
    let files = home.files();
    for segment in home.segments() {
        home.restore(&files);
        fs::remove_file(&segment).unwrap();
        assert_damaged(&home, &format!("{} missing", segment.display()));
    }
    home.restore(&files);
    home.segments().iter().for_each(|segment| fs::remove_file(segment).unwrap());
    assert_damaged(&home, "all segments missing");
}

#[test]
fn swapped_segments_are_refused() {
    let (home, _) = three_segments();
    let segments = home.segments();
    let (first, second) = (fs::read(&segments[0]).unwrap(), fs::read(&segments[1]).unwrap());
    put(&segments[0], second);
    put(&segments[1], first);
    assert_damaged(&home, "swapped segments");
}

#[test]
fn a_sealed_last_group_that_is_missing_is_refused() {
    let home = TestHome::new(16 << 10, 0);
    let mut journal = home.open().journal;
    journal.append(&slot(1, 10)).unwrap();
    journal.sync().unwrap();
    let before = fs::read(home.last_segment()).unwrap();
    journal.append(&slot(2, 10)).unwrap();
    journal.sync().unwrap();
    drop(journal);
    put(home.last_segment(), before);
    assert_damaged(&home, "an older last segment");
}

#[test]
fn another_group_under_the_number_of_the_sealed_one_is_refused() {
    let homes = [10, 11].map(|operation_bytes| {
        let home = TestHome::new(16 << 10, 0);
        let mut journal = home.open().journal;
        journal.append(&slot(1, operation_bytes)).unwrap();
        journal.sync().unwrap();
        drop(journal);
        home
    });
    fs::copy(homes[1].last_segment(), homes[0].last_segment()).unwrap();
    assert_damaged(&homes[0], "the segment of another journal");
}

#[test]
fn a_missing_sealed_file_is_refused() {
    let (home, _) = three_segments();
    fs::remove_file(home.path().join("journal/sealed")).unwrap();
    assert_damaged(&home, "no sealed file");
}

#[test]
fn the_error_names_file_and_offset_and_what_to_do() {
    let (home, _) = three_segments();
    let path = &home.segments()[1];
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    put(path, bytes);
    let error = home.try_open().unwrap_err();
    let StorageError::Damaged { path: named, offset, .. } = &error else { panic!("{error}") };
    assert_eq!(named, path);
    assert!(*offset > 0 && *offset <= middle as u64);
    assert!(error.to_string().contains("Do not restore an older copy"));
    assert_eq!(error.class().exit_code(), 65);
}

#[test]
fn history_never_hands_out_what_was_changed_under_it() {
    let (home, _) = three_segments();
    let opened = home.open();
    let path = &home.segments()[0];
    let bytes = fs::read(path).unwrap();
    let clean = history(&opened);
    let mut refused = 0;
    for offset in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[offset] ^= 4;
        put(path, &flipped);
        match opened.journal.history().committed(SeqNum(0), SeqNum(1000), usize::MAX) {
            Ok(slots) => assert_eq!(slots, clean),
            Err(error) => {
                assert_eq!(error.class(), FailureClass::Damaged);
                refused += 1;
            }
        }
    }
    assert!(refused > 500);
}
