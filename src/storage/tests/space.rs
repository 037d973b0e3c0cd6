//! A disk that gets full: history goes first, then voting, and what is owed is still written (pitfall 51).

use std::fs;
use std::path::Path;

use super::records::{TestHome, fold, slot, stable, taken};
use crate::core::Space;
use crate::storage::{Journal, Storage};
use crate::types::SeqNum;

/// Appends and syncs slots, each in a group, with a stable checkpoint and a durable snapshot at every tenth.
fn run(journal: &mut Journal, slots: std::ops::RangeInclusive<u64>) {
    for seq in slots {
        let mut group = slot(seq, 500);
        if seq.is_multiple_of(10) {
            group.extend([taken(seq), stable(seq)]);
        }
        journal.append(&group).unwrap();
        journal.sync().unwrap();
        if seq.is_multiple_of(10) {
            journal.snapshot_durable(SeqNum(seq)).unwrap();
        }
    }
}

fn bytes_below(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let bytes = entries.map(|entry| {
        let found = entry.metadata().unwrap();
        if found.is_dir() { bytes_below(&entry.path()) } else { found.len() }
    });
    bytes.sum()
}

fn limited(history_bytes: u64, bytes_max: u64) -> TestHome {
    let mut home = TestHome::new(8 << 10, history_bytes);
    home.options.disk_bytes_max = bytes_max;
    home.options.disk_reserve_bytes = 32 << 10;
    home
}

#[test]
fn a_home_that_nears_its_limit_gives_up_history_first_and_goes_on() {
    let home = limited(u64::MAX, 256 << 10);
    let mut journal = home.open().journal;
    run(&mut journal, 1..=10);
    assert_eq!(journal.space().unwrap(), Space::Enough);
    run(&mut journal, 11..=200);
    let before = bytes_below(home.path());
    assert!(before > 224 << 10, "{before}");
    assert_eq!(journal.history().oldest(), SeqNum(1));
    assert_eq!(journal.space().unwrap(), Space::Enough);
    let after = bytes_below(home.path());
    assert!(after < 64 << 10, "{before} {after}");
    assert!(journal.history().oldest() <= SeqNum(201), "what was not yet stable is kept");
    // With room again, history is kept again.
    assert_eq!(journal.space().unwrap(), Space::Enough);
    let oldest = journal.history().oldest();
    run(&mut journal, 201..=230);
    assert_eq!(journal.history().oldest(), oldest);
}

#[test]
fn what_is_owed_is_written_below_the_reserve_and_voting_resumes_with_room_to_spare() {
    let home = limited(0, 128 << 10);
    let mut journal = home.open().journal;
    let other = home.path().join("evidence/large");
    fs::write(&other, vec![0; 100 << 10]).unwrap();
    assert_eq!(journal.space().unwrap(), Space::Low);
    run(&mut journal, 1..=30);
    assert_eq!(journal.history().newest(), SeqNum(30));
    let used = bytes_below(home.path()) - (100 << 10);
    // Just above the reserve is not enough to come back.
    let room = |left: u64| fs::write(&other, vec![0; ((128 << 10) - used - left) as usize]).unwrap();
    room(33 << 10);
    assert_eq!(journal.space().unwrap(), Space::Low);
    room(41 << 10);
    assert_eq!(journal.space().unwrap(), Space::Enough);
    room(33 << 10);
    assert_eq!(journal.space().unwrap(), Space::Enough);
}

#[test]
fn the_files_of_a_journal_that_runs_on_stop_growing() {
    let home = limited(24 << 10, 0);
    let mut journal = home.open().journal;
    run(&mut journal, 1..=100);
    let early = bytes_below(&home.path().join("journal"));
    run(&mut journal, 101..=600);
    let late = bytes_below(&home.path().join("journal"));
    assert!(late <= early + (16 << 10), "{early} {late}");
    assert!(late < 80 << 10, "{late}");
}

#[test]
fn a_fetched_state_ahead_of_the_journal_begins_history_anew_and_frees_what_lies_before() {
    let home = limited(1 << 20, 0);
    let mut journal = home.open().journal;
    run(&mut journal, 1..=55);
    let before = bytes_below(home.path());
    journal.append(&[stable(200)]).unwrap();
    journal.sync().unwrap();
    assert_eq!((journal.history().oldest(), journal.history().newest()), (SeqNum(201), SeqNum(200)));
    journal.snapshot_durable(SeqNum(200)).unwrap();
    let after = bytes_below(home.path());
    assert!(after < before / 2, "{before} {after}");
    for seq in 201..=205 {
        journal.append(&slot(seq, 500)).unwrap();
    }
    drop(journal);
    let opened = home.open();
    assert_eq!(opened.losses, []);
    assert!(opened.journal.can_replay(SeqNum(200), SeqNum(205)) && !opened.journal.can_replay(SeqNum(55), SeqNum(205)));
    let mut expected = fold(&[taken(50), stable(200)]);
    (201..=205).for_each(|seq| slot(seq, 500).iter().for_each(|record| expected.fold(record)));
    assert_eq!(opened.recovered.promises, expected);
}
