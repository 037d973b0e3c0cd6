//! Something durable was changed or lost: it is never cut as if it had not been (pitfalls 29 and 30). Either it binds
//! nobody, or the replica knows how far it must keep away from what it may have said.

use std::fs;
use std::path::Path;

use super::records::{TestHome, entered, fold, put, slot, stable, taken, used};
use crate::core::{JournalRecord, Promises, Recovery};
use crate::messages::{Bounds, CommittedSlot};
use crate::storage::{FailureClass, Harm, Opened, Storage};
use crate::types::{SeqNum, View};

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

fn harm(opened: &Opened) -> Option<Harm> {
    opened.losses.iter().map(|loss| loss.harm).max()
}

/// What these groups bound, as the file `promises` says it.
fn bounds() -> Option<Bounds> {
    Some(Bounds { view: View(0), seq: SeqNum(256) })
}

/// Opens a journal that lost promises, and opens it again: what was found is said once, the rest stays.
fn open_lost(home: &TestHome, what: &str) -> Opened {
    let opened = home.open();
    assert_eq!(harm(&opened), Some(Harm::Promises), "{what}");
    assert_eq!(opened.recovered.promises.recovery, Recovery::Lost(bounds()), "{what}");
    assert_eq!(opened.torn_tail, None, "{what}");
    drop(opened);
    let again = home.open();
    assert_eq!(again.losses, [], "{what}");
    assert_eq!(again.recovered.promises.recovery, Recovery::Lost(bounds()), "{what}");
    again
}

fn set_aside(home: &TestHome) -> usize {
    fs::read_dir(home.path().join("damaged")).map_or(0, Iterator::count)
}

#[test]
fn a_flipped_bit_costs_history_or_promises_and_that_is_said_or_only_the_unsealed_last_group() {
    let (home, groups) = three_segments();
    let files = home.files();
    let whole = history(&home.open());
    let (mut lost, mut gone, mut cut) = (0, 0, 0);
    for (path, bytes) in files.iter().filter(|(path, _)| path.extension().is_some()) {
        for offset in (0..bytes.len()).step_by(7) {
            home.restore(&files);
            let mut flipped = bytes.clone();
            flipped[offset] ^= 1 << (offset % 8);
            put(path, &flipped);
            let opened = home.open();
            let at = format!("{} at {offset}", path.display());
            let kept = history(&opened);
            match harm(&opened) {
                Some(Harm::Promises) => {
                    assert_eq!(opened.recovered.promises.recovery, Recovery::Lost(bounds()), "{at}");
                    assert!(set_aside(&home) > 0, "{at}");
                    lost += 1;
                }
                Some(Harm::History) => {
                    assert_eq!(opened.recovered.promises, fold(groups.iter().flatten()), "{at}");
                    gone += 1;
                }
                Some(Harm::Nothing) => panic!("{at}: {:?}", opened.losses),
                None => {
                    assert!(opened.torn_tail.is_some() || kept == whole, "{at}");
                    assert!(kept.len() + 1 >= whole.len() && kept[..] == whole[..kept.len()], "{at}");
                    assert_eq!(opened.recovered.promises, fold(groups[..kept.len()].iter().flatten()), "{at}");
                    cut += 1;
                }
            }
        }
    }
    assert!(lost > 500 && cut > 50, "{lost} lost, {gone} gone, {cut} cut");
}

/// Where the length of each group stands in a segment.
fn length_fields(segment: &[u8]) -> Vec<usize> {
    let groups = segment.windows(4).enumerate().filter(|(_, bytes)| *bytes == b"\xa7QGR");
    groups.map(|(start, _)| start + 24).collect()
}

#[test]
fn a_damaged_length_field_is_noticed_whatever_length_it_claims() {
    let (home, _) = three_segments();
    let files = home.files();
    let whole = history(&home.open());
    let segments: Vec<_> = files.iter().filter(|(path, _)| path.extension().is_some()).collect();
    let (last, mut tried) = (home.last_segment(), 0);
    for (path, bytes) in segments {
        let fields = length_fields(bytes);
        for field in &fields {
            let length = u32::from_le_bytes(bytes[*field..*field + 4].try_into().unwrap());
            for claimed in [0, 1, length - 1, length + 1, 2 * length, i32::MAX as u32, u32::MAX] {
                home.restore(&files);
                let mut damaged = bytes.clone();
                damaged[*field..*field + 4].copy_from_slice(&claimed.to_le_bytes());
                put(path, &damaged);
                let opened = home.open();
                let at = format!("{} at {field}: {claimed} instead of {length}", path.display());
                // The last group of all was not durable yet.
                let is_end = *path == last && fields.last() == Some(field);
                assert_eq!(opened.torn_tail.is_some(), is_end, "{at}");
                assert_eq!(harm(&opened), (!is_end).then_some(Harm::Promises), "{at}");
                let kept = history(&opened);
                assert!(kept.len() < whole.len() && kept[..] == whole[..kept.len()], "{at}");
                tried += 1;
            }
        }
    }
    assert!(tried >= 5 * 7, "{tried}");
}

#[test]
fn damage_below_the_stable_checkpoint_of_a_later_segment_costs_history_only() {
    let home = TestHome::new(3 << 10, u64::MAX);
    let mut journal = home.open().journal;
    let mut written = Vec::new();
    for seq in 1..=40 {
        let mut group = slot(seq, 20);
        if seq == 30 {
            group.extend([taken(30), stable(30)]);
        }
        journal.append(&group).unwrap();
        journal.sync().unwrap();
        written.extend(group);
    }
    drop(journal);
    let files = home.files();
    let segments = home.segments();
    for (number, what) in [(0, "first"), (2, "third")] {
        for damage in [0, 200, 2000] {
            home.restore(&files);
            let mut bytes = fs::read(&segments[number]).unwrap();
            bytes[damage] ^= 1;
            put(&segments[number], bytes);
            let opened = home.open();
            assert_eq!(harm(&opened), Some(Harm::History), "{what} at {damage}: {:?}", opened.losses);
            assert_eq!(opened.recovered.promises, fold(&written));
            assert!(opened.journal.history().oldest() > SeqNum(1));
            assert!(opened.journal.can_replay(SeqNum(30), SeqNum(40)));
            assert!(!opened.journal.can_replay(SeqNum(0), SeqNum(40)));
            assert!(!segments[number].exists());
            drop(opened);
            assert_eq!(home.open().losses, []);
        }
    }
}

#[test]
fn what_is_intact_before_damaged_promises_is_kept_and_written_on() {
    let (home, groups) = three_segments();
    let segment = home.last_segment();
    let bytes = fs::read(&segment).unwrap();
    let end = used(&bytes);
    // In the group that `sealed` names: the last but one.
    let place = end - (end - 100) / 3;
    let mut flipped = bytes;
    flipped[place] ^= 1;
    put(&segment, flipped);
    let mut opened = open_lost(&home, "the last segment is damaged in its middle");
    let kept = history(&opened).len();
    assert!(kept > 3 && kept < groups.len());
    let expected = fold(groups[..kept].iter().flatten());
    assert_eq!(Promises { recovery: Recovery::Complete, ..opened.recovered.promises.clone() }, expected);
    opened.journal.append(&slot(kept as u64 + 1, 10)).unwrap();
    opened.journal.append(&[JournalRecord::RecoveryEnded]).unwrap();
    opened.journal.sync().unwrap();
    drop(opened);
    let opened = home.open();
    assert_eq!(opened.recovered.promises.recovery, Recovery::Complete);
    assert_eq!(history(&opened).len(), kept + 1);
}

#[test]
fn a_missing_segment_is_a_loss() {
    let (home, _) = three_segments();
    // A start makes everything durable that it finds.
    home.open();
    let files = home.files();
    let segments = home.segments();
    // The first: nothing proves that it was there but the batches that are missing.
    for segment in &segments {
        home.restore(&files);
        fs::remove_file(segment).unwrap();
        open_lost(&home, &format!("{} missing", segment.display()));
    }
    home.restore(&files);
    segments.iter().for_each(|segment| fs::remove_file(segment).unwrap());
    open_lost(&home, "all segments missing");
    home.restore(&files);
    fs::remove_dir_all(home.path().join("journal")).unwrap();
    open_lost(&home, "the whole journal missing");
}

#[test]
fn swapped_segments_are_a_loss() {
    let (home, _) = three_segments();
    let segments = home.segments();
    let (first, second) = (fs::read(&segments[0]).unwrap(), fs::read(&segments[1]).unwrap());
    put(&segments[0], second);
    put(&segments[1], first);
    open_lost(&home, "swapped segments");
}

#[test]
fn a_sealed_last_group_that_is_missing_is_a_loss() {
    let home = TestHome::new(16 << 10, 0);
    let mut journal = home.open().journal;
    journal.append(&slot(1, 10)).unwrap();
    journal.sync().unwrap();
    let before = fs::read(home.last_segment()).unwrap();
    journal.append(&slot(2, 10)).unwrap();
    journal.sync().unwrap();
    drop(journal);
    put(home.last_segment(), before);
    open_lost(&home, "an older last segment");
}

#[test]
fn another_group_under_the_number_of_the_sealed_one_is_a_loss() {
    let homes = [10, 11].map(|operation_bytes| {
        let home = TestHome::new(16 << 10, 0);
        let mut journal = home.open().journal;
        journal.append(&slot(1, operation_bytes)).unwrap();
        journal.sync().unwrap();
        drop(journal);
        home
    });
    fs::copy(homes[1].last_segment(), homes[0].last_segment()).unwrap();
    open_lost(&homes[0], "the segment of another journal");
}

#[test]
fn without_the_sealed_file_nobody_knows_whether_the_end_is_missing() {
    let (home, _) = three_segments();
    fs::remove_file(home.path().join("journal/sealed")).unwrap();
    open_lost(&home, "no sealed file");
    let (home, _) = three_segments();
    put(home.path().join("journal/sealed"), b"");
    open_lost(&home, "an empty sealed file");
    let (home, groups) = three_segments();
    let path = home.path().join("journal/sealed");
    let mut bytes = fs::read(&path).unwrap();
    bytes[4] ^= 1;
    put(&path, bytes);
    let opened = home.open();
    assert_eq!(harm(&opened), Some(Harm::Nothing), "the other copy is enough for a clean end");
    assert_eq!(opened.recovered.promises, fold(groups.iter().flatten()));
}

#[test]
fn the_bounds_of_what_is_lost_come_from_either_copy_of_the_promises() {
    let promises = |home: &TestHome| home.path().join("promises");
    let flip = |path: &Path, offset: usize| {
        let mut bytes = fs::read(path).unwrap();
        bytes[offset] ^= 1;
        put(path, bytes);
    };
    for copy in [20, 4096 + 20] {
        let (home, _) = three_segments();
        flip(&promises(&home), copy);
        fs::remove_file(home.path().join("journal/sealed")).unwrap();
        open_lost(&home, "one copy of the promises");
    }
    let (home, _) = three_segments();
    flip(&promises(&home), 20);
    flip(&promises(&home), 4096 + 20);
    fs::remove_file(home.path().join("journal/sealed")).unwrap();
    for _ in 0..2 {
        assert_eq!(home.open().recovered.promises.recovery, Recovery::Lost(None), "nobody knows");
    }
    // Nor does the file, until the others have said it.
    fs::remove_dir_all(home.path().join("journal")).unwrap();
    assert_eq!(home.open().recovered.promises.recovery, Recovery::Lost(None));
    let known = Bounds { view: View(4), seq: SeqNum(900) };
    let mut journal = home.open().journal;
    journal.append(&[JournalRecord::RecoveryBegun(Some(known))]).unwrap();
    journal.sync().unwrap();
    drop(journal);
    fs::remove_dir_all(home.path().join("journal")).unwrap();
    assert_eq!(home.open().recovered.promises.recovery, Recovery::Lost(Some(known)));
}

#[test]
fn an_intact_journal_makes_up_for_lost_promises() {
    let (home, groups) = three_segments();
    fs::remove_file(home.path().join("promises")).unwrap();
    let opened = home.open();
    assert_eq!(harm(&opened), Some(Harm::Nothing));
    assert_eq!(opened.recovered.promises, fold(groups.iter().flatten()));
    drop(opened);
    fs::remove_dir_all(home.path().join("journal")).unwrap();
    open_lost(&home, "the bounds were written again");
}

#[test]
fn a_journal_older_than_the_promises_is_a_loss() {
    let home = TestHome::new(16 << 10, 0);
    let mut journal = home.open().journal;
    journal.append(&slot(1, 10)).unwrap();
    journal.sync().unwrap();
    let older = home.files();
    journal.append(&[entered(3)]).unwrap();
    journal.sync().unwrap();
    drop(journal);
    home.restore(&older);
    let opened = home.open();
    assert_eq!(harm(&opened), Some(Harm::Promises));
    let bounds = Bounds { view: View(3), seq: SeqNum(256) };
    assert_eq!(opened.recovered.promises.recovery, Recovery::Lost(Some(bounds)));
}

#[test]
fn a_journal_from_before_its_promises_were_lost_is_never_taken_for_whole() {
    let bounds = Bounds { view: View(2), seq: SeqNum(300) };
    let begun = JournalRecord::RecoveryBegun;
    // Nothing was lost yet, or what had been lost before was bounded.
    for before in [slot(2, 10), vec![begun(Some(bounds))]] {
        let home = TestHome::new(16 << 10, 0);
        let mut journal = home.open().journal;
        journal.append(&slot(1, 10)).unwrap();
        journal.append(&before).unwrap();
        journal.sync().unwrap();
        let older = home.files();
        journal.append(&[begun(None)]).unwrap();
        journal.sync().unwrap();
        drop(journal);
        home.restore(&older);
        let opened = home.open();
        assert_eq!(harm(&opened), Some(Harm::Promises), "{before:?}");
        assert_eq!(opened.recovered.promises.recovery, Recovery::Lost(None));
        drop(opened);
        let again = home.open();
        assert_eq!((again.losses, again.recovered.promises.recovery), (Vec::new(), Recovery::Lost(None)));
    }
}

#[test]
fn the_loss_names_file_and_offset_and_what_it_costs() {
    let (home, _) = three_segments();
    let path = home.last_segment();
    let mut bytes = fs::read(&path).unwrap();
    bytes[0] ^= 1;
    put(&path, bytes);
    let opened = home.open();
    let loss = opened.losses.iter().find(|loss| loss.path == path).unwrap();
    assert!(loss.to_string().contains("will not vote before it is safe"), "{loss}");
    assert!(home.path().join("damaged").join(path.file_name().unwrap()).exists());
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
