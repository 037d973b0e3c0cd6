//! A crash interrupts the last write. What was not durable is cut; what was durable is never cut.

use std::fs;

use super::records::{TestHome, fold, put, slot, stable, taken, used};
use crate::core::{JournalRecord, Recovery};
use crate::storage::{Opened, Storage};

fn groups(count: u64) -> Vec<Vec<JournalRecord>> {
    (1..=count).map(|seq| slot(seq, 10)).collect()
}

/// A home whose journal holds these groups, of which the first `synced` are durable, and where each group ends.
fn written(groups: &[Vec<JournalRecord>], synced: usize) -> (TestHome, Vec<usize>) {
    let home = TestHome::new(16 << 10, 0);
    let mut journal = home.open().journal;
    let mut ends = vec![used(&fs::read(home.last_segment()).unwrap())];
    for (at, group) in groups.iter().enumerate() {
        journal.append(group).unwrap();
        if at < synced {
            journal.sync().unwrap();
        }
        ends.push(used(&fs::read(home.last_segment()).unwrap()));
    }
    (home, ends)
}

#[test]
fn a_clean_end_is_no_torn_tail() {
    let groups = groups(3);
    let (home, _) = written(&groups, 3);
    let Opened { recovered, torn_tail, .. } = home.open();
    assert_eq!(torn_tail, None);
    assert_eq!(recovered.promises, fold(groups.iter().flatten()));
}

#[test]
fn groups_that_were_not_synced_but_survived_are_kept() {
    let groups = groups(4);
    let (home, _) = written(&groups, 1);
    let Opened { recovered, torn_tail, .. } = home.open();
    assert_eq!((recovered.promises, torn_tail), (fold(groups.iter().flatten()), None));
}

#[test]
fn every_truncation_of_unsynced_groups_recovers_the_groups_before_and_of_synced_ones_is_a_loss() {
    let groups = groups(4);
    let (home, ends) = written(&groups, 2);
    let files = home.files();
    let segment = home.last_segment();
    let whole = fs::read(&segment).unwrap();
    for length in 0..=*ends.last().unwrap() {
        home.restore(&files);
        put(&segment, &whole[..length]);
        if length < ends[2] {
            let Opened { recovered, torn_tail, .. } = home.open();
            assert_ne!(recovered.promises.recovery, Recovery::Complete, "cut at {length}");
            assert_eq!(torn_tail, None);
            continue;
        }
        let kept = ends.iter().filter(|end| **end <= length).count() - 1;
        let Opened { mut journal, recovered, torn_tail, .. } = home.open();
        assert_eq!(recovered.promises, fold(groups[..kept].iter().flatten()), "cut at {length}");
        let torn = used(&whole[..length]) - ends[kept].min(used(&whole[..length]));
        assert_eq!(torn_tail.map_or(0, |cut| cut.bytes), torn as u64, "cut at {length}");

        let next = slot(kept as u64 + 1, 10);
        journal.append(&next).unwrap();
        journal.sync().unwrap();
        drop(journal);
        let expected = fold(groups[..kept].iter().chain([&next]).flatten());
        assert_eq!(home.open().recovered.promises, expected, "written on after a cut at {length}");
    }
}

#[test]
fn unsynced_groups_may_be_lost_in_any_pattern() {
    let groups = groups(5);
    let (home, ends) = written(&groups, 2);
    let files = home.files();
    let segment = home.last_segment();
    // The first of three unsynced groups is lost, the two behind it are intact: nothing proves that it was durable.
    let mut bytes = fs::read(&segment).unwrap();
    bytes[ends[2]..ends[3]].fill(0);
    home.restore(&files);
    put(&segment, &bytes);
    let Opened { recovered, torn_tail, .. } = home.open();
    assert_eq!(recovered.promises, fold(groups[..2].iter().flatten()));
    assert_eq!(torn_tail.unwrap().bytes, (ends[5] - ends[2]) as u64);
    assert_eq!(used(&fs::read(&segment).unwrap()), ends[2]);
    assert_eq!(home.open().torn_tail, None);
}

/// `sealed` is not synced, so a power failure may leave an old one; then only the chain shows what was durable.
#[test]
fn a_damaged_group_before_one_that_was_written_after_its_sync_is_never_cut() {
    let groups = groups(4);
    let (home, ends) = written(&groups, 3);
    let mut files = home.files();
    let old_sealed = written(&groups[..1], 1).0.files().pop().unwrap().1;
    for (path, bytes) in &mut files {
        if path.ends_with("sealed") {
            bytes.clone_from(&old_sealed);
        }
    }
    let segment = home.last_segment();
    let whole = fs::read(&segment).unwrap();
    for group in 1..3 {
        for offset in ends[group]..ends[group + 1] {
            home.restore(&files);
            let mut bytes = whole.clone();
            bytes[offset] ^= 1;
            put(&segment, &bytes);
            let recovery = home.open().recovered.promises.recovery;
            assert_ne!(recovery, Recovery::Complete, "group {} changed at {offset}", group + 1);
            let kept = home.path().join("damaged").join(segment.file_name().unwrap());
            assert!(fs::read(kept).unwrap() == bytes, "what is damaged is kept as it was");
        }
    }
}

#[test]
fn bytes_of_a_client_that_look_like_a_group_prove_nothing() {
    let (home, ends) = written(&groups(2), 1);
    let (other, other_ends) = written(&groups(4), 4);
    let files = home.files();
    let segment = home.last_segment();
    // A group header of another segment, salted differently, stands in the rest of a torn group.
    let forged = fs::read(other.last_segment()).unwrap()[other_ends[3]..other_ends[4]].to_vec();
    let mut bytes = fs::read(&segment).unwrap();
    bytes[ends[1]] ^= 1;
    bytes[ends[2]..ends[2] + forged.len()].copy_from_slice(&forged);
    home.restore(&files);
    put(&segment, &bytes);
    assert_eq!(home.open().torn_tail.unwrap().offset, ends[1] as u64);
}

#[test]
fn an_interrupted_start_is_repeated() {
    let groups = groups(3);
    let (home, ends) = written(&groups, 1);
    let segment = home.last_segment();
    let bytes = fs::read(&segment).unwrap();
    put(&segment, &bytes[..ends[3] - 1]);
    for _ in 0..3 {
        assert_eq!(home.open().recovered.promises, fold(groups[..2].iter().flatten()));
    }
    let mut journal = home.open().journal;
    journal.append(&[taken(2), stable(2)]).unwrap();
    journal.sync().unwrap();
}
