//! Segments follow one another, keep what was promised before them, and go when nobody needs them any more.

use super::records::{TestHome, committed, digest, entered, fold, prepared, slot, stable, taken, view_change};
use crate::core::JournalRecord;
use crate::storage::{History, Journal, Replay, Storage, StorageError};
use crate::types::{SeqNum, View};

/// Appends and syncs slots, each in a group, with a stable checkpoint at every tenth.
fn run(journal: &mut Journal, slots: std::ops::RangeInclusive<u64>) -> Vec<JournalRecord> {
    let mut written = Vec::new();
    for seq in slots {
        let mut group = slot(seq, 100);
        if seq.is_multiple_of(10) {
            group.extend([taken(seq), stable(seq)]);
        }
        journal.append(&group).unwrap();
        journal.sync().unwrap();
        written.extend(group);
    }
    written
}

fn slots_of(history: &dyn History, after: u64, through: u64, bytes_max: usize) -> Vec<u64> {
    let slots = history.committed(SeqNum(after), SeqNum(through), bytes_max).unwrap();
    for slot in &slots {
        let seq = slot.certificate.seq();
        assert_eq!(slot.certificate.digest(), digest(seq.0, 100));
        assert_eq!(slot.batch.is_none(), seq.0.is_multiple_of(5));
    }
    slots.iter().map(|slot| slot.certificate.seq().0).collect()
}

#[test]
fn every_segment_opens_with_the_fold_of_all_before_it() {
    let home = TestHome::new(4 << 10, u64::MAX);
    let mut journal = home.open().journal;
    let mut written = vec![entered(3), JournalRecord::ViewChangeSent(view_change(4))];
    journal.append(&written).unwrap();
    for round in 0..4 {
        written.extend(run(&mut journal, round * 10 + 1..=round * 10 + 10));
        drop(journal);
        let opened = home.open();
        assert_eq!(opened.recovered.promises, fold(&written));
        assert_eq!(opened.torn_tail, None);
        journal = opened.journal;
    }
    assert!(home.segments().len() > 10);
    assert_eq!(journal.promises().view(), View(3));
}

#[test]
fn promises_of_a_deleted_segment_survive_in_a_later_header() {
    let home = TestHome::new(4 << 10, 0);
    let mut journal = home.open().journal;
    let mut written = vec![entered(3), JournalRecord::ViewChangeSent(view_change(4)), prepared(2, 35, digest(35, 100))];
    journal.append(&written).unwrap();
    written.extend(run(&mut journal, 1..=30));
    assert_eq!(home.segments()[0].file_stem().unwrap(), "00000000000000000001");
    journal.snapshot_durable(SeqNum(30)).unwrap();
    assert_eq!(home.segments()[0].file_stem().unwrap(), "00000000000000000001", "slot 35 stands in it");
    written.extend(run(&mut journal, 31..=40));
    journal.snapshot_durable(SeqNum(40)).unwrap();
    assert_ne!(home.segments()[0].file_stem().unwrap(), "00000000000000000001");
    drop(journal);
    let recovered = home.open().recovered;
    assert_eq!(recovered.promises, fold(&written));
    assert_eq!(recovered.promises.view_change, Some(view_change(4)));
}

#[test]
fn segments_go_only_below_the_snapshot_and_never_before_one_is_known() {
    let home = TestHome::new(4 << 10, 0);
    let mut journal = home.open().journal;
    run(&mut journal, 1..=40);
    assert_eq!((journal.history().oldest(), journal.history().newest()), (SeqNum(1), SeqNum(40)));
    journal.snapshot_durable(SeqNum(20)).unwrap();
    let oldest = journal.history().oldest();
    assert!(oldest > SeqNum(10) && oldest <= SeqNum(21), "{oldest}");
    // Neither a reopened journal nor an older snapshot brings the history back, or loses more of it.
    drop(journal);
    let mut journal = home.open().journal;
    assert_eq!(journal.history().oldest(), oldest);
    journal.snapshot_durable(SeqNum(3)).unwrap();
    assert_eq!(journal.history().oldest(), oldest);
    assert_eq!(slots_of(&*journal.history(), oldest.0 - 1, 40, usize::MAX), Vec::from_iter(oldest.0..=40));
}

#[test]
fn history_bytes_are_kept_below_the_low_watermark() {
    let home = TestHome::new(4 << 10, 20 << 10);
    let mut journal = home.open().journal;
    run(&mut journal, 1..=100);
    let before = journal.bytes_on_disk();
    journal.snapshot_durable(SeqNum(100)).unwrap();
    let after = journal.bytes_on_disk();
    assert!(before > 100 << 10 && (20 << 10..40 << 10).contains(&after), "{before} {after}");
    assert_eq!(home.files().iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>(), after + 8192);
    let oldest = journal.history().oldest().0;
    assert!(oldest > 80 && oldest < 99, "{oldest}");
}

#[test]
fn an_unsynced_stable_checkpoint_deletes_nothing() {
    let home = TestHome::new(4 << 10, 0);
    let mut journal = home.open().journal;
    run(&mut journal, 1..=9);
    journal.snapshot_durable(SeqNum(9)).unwrap();
    journal.append(&[stable(9)]).unwrap();
    journal.snapshot_durable(SeqNum(9)).unwrap();
    assert_eq!(journal.history().oldest(), SeqNum(1));
    journal.sync().unwrap();
    assert!(journal.history().oldest() > SeqNum(1));
}

#[test]
fn history_answers_across_segments_consecutively_within_its_bounds() {
    let home = TestHome::new(4 << 10, u64::MAX);
    let mut journal = home.open().journal;
    run(&mut journal, 1..=40);
    let history = journal.history();
    assert_eq!(slots_of(&*history, 0, 40, usize::MAX), Vec::from_iter(1..=40));
    assert_eq!(slots_of(&*history, 12, 30, usize::MAX), Vec::from_iter(13..=30));
    assert_eq!(slots_of(&*history, 12, 30, 0), [13], "one slot is always answered");
    assert_eq!(slots_of(&*history, 40, 50, usize::MAX), [0; 0]);
    assert_eq!(slots_of(&*history, 39, 50, usize::MAX), [40]);
    let some = slots_of(&*history, 0, 40, 5000);
    assert!(some.len() > 3 && some.len() < 20 && some == Vec::from_iter(1..=some.len() as u64));

    // A part that is gone is no answer, and a replay over it an error.
    journal.snapshot_durable(SeqNum(40)).unwrap();
    journal.options.history_bytes = 0;
    journal.retention.history_bytes = 0;
    journal.sync().unwrap();
    let oldest = history.oldest();
    assert!(oldest > SeqNum(1));
    assert_eq!(slots_of(&*history, oldest.0 - 2, 40, usize::MAX), [0; 0]);
    let mut replay = journal.replay(SeqNum(oldest.0 - 2));
    assert!(matches!(replay.next(), Some(Err(StorageError::HistoryGap { .. }))));
    assert!(replay.next().is_none());
}

#[test]
fn history_is_read_from_other_threads_while_the_journal_goes_on() {
    let home = TestHome::new(4 << 10, 0);
    let mut journal = home.open().journal;
    let history = journal.history();
    let (done, is_done) = std::sync::mpsc::channel::<()>();
    let reader = std::thread::spawn(move || {
        let mut rounds = 0;
        while is_done.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) || rounds == 0 {
            let after = history.oldest().previous().0;
            let slots = slots_of(&*history, after, u64::MAX, 20_000);
            assert_eq!(slots, Vec::from_iter(after + 1..after + 1 + slots.len() as u64));
            rounds += 1;
        }
    });
    for round in 0..20 {
        run(&mut journal, round * 10 + 1..=round * 10 + 10);
        journal.snapshot_durable(SeqNum(round * 10 + 10)).unwrap();
    }
    drop(done);
    reader.join().unwrap();
}

#[test]
fn replay_streams_every_committed_batch_behind_the_snapshot_once() {
    let home = TestHome::new(4 << 10, u64::MAX);
    let mut journal = home.open().journal;
    run(&mut journal, 1..=40);
    journal.append(&slot(41, 100)[..2]).unwrap();
    drop(journal);
    let journal = home.open().journal;
    let batches: Vec<_> = journal.replay(SeqNum(7)).collect::<Result<_, _>>().unwrap();
    assert!(batches.iter().all(crate::batch::CommittedBatch::is_consistent));
    assert_eq!(Vec::from_iter(batches.iter().map(|batch| batch.seq.0)), Vec::from_iter(8..=40));
    assert_eq!(Replay::after(journal.history(), SeqNum(40)).count(), 0);
    assert_eq!(Replay::after(journal.history(), SeqNum(90)).count(), 0);
}

#[test]
fn only_batches_above_the_low_watermark_are_recovered() {
    let home = TestHome::new(4 << 10, u64::MAX);
    let mut journal = home.open().journal;
    run(&mut journal, 1..=13);
    drop(journal);
    let slots: Vec<_> = home.open().recovered.batches.into_keys().map(|(seq, _)| seq.0).collect();
    assert_eq!(slots, [11, 12, 13]);
}

#[test]
fn a_group_larger_than_a_segment_gets_a_segment_of_its_size() {
    let home = TestHome::new(4 << 10, u64::MAX);
    let mut journal = home.open().journal;
    journal.append(&slot(1, 50_000)).unwrap();
    journal.append(&slot(2, 100)).unwrap();
    journal.sync().unwrap();
    drop(journal);
    let journal = home.open().journal;
    assert_eq!(journal.history().newest(), SeqNum(2));
    assert_eq!(journal.replay(SeqNum(0)).count(), 2);
}

#[test]
fn many_large_records_in_one_append_become_several_groups() {
    let home = TestHome::new(1 << 20, u64::MAX);
    let mut journal = home.open().journal;
    let records: Vec<_> = (1..=24).flat_map(|seq| slot(seq, 1 << 20)).collect();
    journal.append(&records).unwrap();
    journal.sync().unwrap();
    assert!(journal.tip.number > 1);
    drop(journal);
    let opened = home.open();
    assert_eq!(opened.recovered.promises, fold(&records));
    assert_eq!(opened.journal.replay(SeqNum(0)).map(Result::unwrap).count(), 24);
}

#[test]
#[should_panic(expected = "slot 7 is committed, but its batch was never journalled")]
fn a_commit_without_its_batch_is_a_bug() {
    let home = TestHome::new(1 << 20, u64::MAX);
    let _ = home.open().journal.append(&[committed(7, digest(7, 100))]);
}
