//! Every file of a home, damaged in every common way at hundreds of places: the replica comes back with all that it
//! promised, or knows that it does not, or is refused. It never promises less and says nothing.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::failing_disk::{Failing, FailingDisk, Operation};
use super::records::{TestHome, digest, entered, fold, identity, prepared, put, slot, stable, taken, view_change};
use crate::core::{JournalRecord, Promises, Recovered, Recovery};
use crate::messages::Bounds;
use crate::storage::{FailureClass, Harm, Home, Journal, Opened, Storage, StorageError, SystemDisk};
use crate::types::{SeqNum, View};

const OFFSETS: usize = 200;

#[derive(Clone, Copy, Debug)]
enum Damage {
    BitFlipped,
    Zeroed,
    Truncated,
    TailDoubled,
}

impl Damage {
    const ALL: [Damage; 4] = [Damage::BitFlipped, Damage::Zeroed, Damage::Truncated, Damage::TailDoubled];

    fn done_to(self, bytes: &[u8], offset: usize) -> Vec<u8> {
        let mut damaged = bytes.to_vec();
        match self {
            Damage::BitFlipped => damaged[offset] ^= 1 << (offset % 8),
            Damage::Zeroed => damaged[offset..].iter_mut().take(4096).for_each(|byte| *byte = 0),
            Damage::Truncated => damaged.truncate(offset),
            Damage::TailDoubled => damaged.extend_from_slice(&bytes[offset..]),
        }
        damaged
    }
}

/// A home with its files as they are, what binds its replica, and what of that was synced.
struct Sample {
    home: TestHome,
    files: Vec<(PathBuf, Vec<u8>)>,
    written: Recovered,
    synced: Promises,
    bounds: Bounds,
}

impl Sample {
    /// A few segments, a stable checkpoint in their middle, views and votes behind it; the last group is not synced.
    fn new() -> Sample {
        let home = TestHome::new(14 << 10, u64::MAX);
        let mut journal = home.open().journal;
        let mut records = Vec::new();
        for seq in 1..=26 {
            let mut group = slot(seq, 60);
            match seq {
                16 => group.extend([taken(16), stable(16)]),
                20 => group.extend([JournalRecord::ViewChangeSent(view_change(3)), entered(3)]),
                23 => group.push(prepared(3, 24, digest(24, 60))),
                _ => {}
            }
            journal.append(&group).unwrap();
            journal.sync().unwrap();
            records.extend(group);
        }
        let synced = fold(&records);
        let last = slot(27, 60);
        journal.append(&last).unwrap();
        records.extend(last);
        drop(journal);
        let files = files_of(&home);
        assert!((3..=5).contains(&home.segments().len()), "{:?}", home.segments());
        let written = home.open().recovered;
        assert_eq!(written.promises, fold(&records));
        let bounds = written.promises.bounds(home.options.window);
        Sample { home, files, written, synced, bounds }
    }

    fn restore(&self) {
        for folder in ["journal", "damaged"] {
            let _ = fs::remove_dir_all(self.home.path().join(folder));
        }
        fs::create_dir(self.home.path().join("journal")).unwrap();
        self.files.iter().for_each(|(path, bytes)| put(path, bytes));
    }

    fn open(&self) -> Result<Opened, FailureClass> {
        let home = Home::open_or_create(self.home.path(), identity()).map_err(|error| error.class())?;
        let disk = Arc::new(SystemDisk { fsync: false });
        Journal::open(&home, self.home.options, disk).map_err(|error| error.class())
    }

    /// What became of the replica; panics when it promises less than it did and does not know it.
    fn judge(&self, what: &str) -> Outcome {
        let opened = match self.open() {
            Ok(opened) => opened,
            Err(class) => {
                let is_said = matches!(class, FailureClass::Damaged | FailureClass::Configuration);
                assert!(is_said, "{what}: {class:?}");
                return Outcome::Refused;
            }
        };
        let promises = &opened.recovered.promises;
        match promises.recovery {
            Recovery::Lost(bounds) => {
                let is_bounded = bounds.is_none_or(|bounds| bounds.max(self.bounds) == bounds);
                assert!(is_bounded, "{what}: {bounds:?} do not cover {:?}", self.bounds);
                assert!(!opened.losses.is_empty(), "{what}");
                Outcome::Recovering
            }
            Recovery::Complete if *promises == self.written.promises => {
                assert_eq!(opened.recovered.batches, self.written.batches, "{what}");
                Outcome::Whole
            }
            Recovery::Complete => {
                assert_eq!(*promises, self.synced, "{what}");
                Outcome::LastWriteCut
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Whole,
    LastWriteCut,
    Recovering,
    Refused,
}

/// Everything in a home but the lock.
fn files_of(home: &TestHome) -> Vec<(PathBuf, Vec<u8>)> {
    let in_journal = home.files().into_iter();
    let beside = ["identity", "promises"].map(|name| home.path().join(name));
    in_journal.chain(beside.map(|path| (path.clone(), fs::read(path).unwrap()))).collect()
}

/// Half of the offsets lie evenly, the others where the heads of files and the second copies are.
fn offsets(length: usize) -> impl Iterator<Item = usize> {
    let evenly = (0..OFFSETS / 2).map(move |number| number * length / (OFFSETS / 2));
    let heads = (0..OFFSETS / 4).flat_map(|number| [number, 4096 + number]);
    evenly.chain(heads).filter(move |offset| *offset < length)
}

#[test]
fn no_damage_to_any_file_makes_a_replica_promise_less_in_silence() {
    let sample = Sample::new();
    let mut outcomes = Vec::new();
    for (path, bytes) in &sample.files {
        for damage in Damage::ALL {
            for (number, offset) in offsets(bytes.len()).enumerate() {
                sample.restore();
                put(path, damage.done_to(bytes, offset));
                let what = format!("{damage:?} at {offset} of {}", path.display());
                let outcome = sample.judge(&what);
                if number.is_multiple_of(9) && outcome != Outcome::Refused {
                    // The next start finds nothing new, and knows as much.
                    let again = sample.open().unwrap_or_else(|class| panic!("{what}: {class:?}"));
                    assert_eq!((again.losses, again.torn_tail), (Vec::new(), None), "{what}");
                    let is_lost = again.recovered.promises.recovery != Recovery::Complete;
                    assert_eq!(is_lost, outcome == Outcome::Recovering, "{what}");
                }
                outcomes.push(outcome);
            }
        }
    }
    let count = |wanted| outcomes.iter().filter(|outcome| **outcome == wanted).count();
    let (whole, cut) = (count(Outcome::Whole), count(Outcome::LastWriteCut));
    let (recovering, refused) = (count(Outcome::Recovering), count(Outcome::Refused));
    let all = format!("{whole} whole, {cut} cut, {recovering} recovering, {refused} refused");
    assert!(whole > 500 && cut > 10 && recovering > 500 && refused > 100, "{all}");
}

#[test]
fn no_missing_file_makes_a_replica_promise_less_in_silence() {
    let sample = Sample::new();
    for (path, _) in &sample.files {
        sample.restore();
        fs::remove_file(path).unwrap();
        sample.judge(&format!("{} missing", path.display()));
    }
    sample.restore();
    fs::remove_dir_all(sample.home.path().join("journal")).unwrap();
    assert_eq!(sample.judge("no journal"), Outcome::Recovering);
}

#[test]
fn what_a_damaged_journal_still_holds_can_be_read_and_written_on() {
    let sample = Sample::new();
    let segments = sample.home.segments();
    for segment in &segments {
        sample.restore();
        let bytes = fs::read(segment).unwrap();
        put(segment, Damage::BitFlipped.done_to(&bytes, bytes.len() / 3));
        let mut journal = sample.open().unwrap().journal;
        let history = journal.history();
        let slots = history.committed(history.oldest().previous(), SeqNum(100), usize::MAX).unwrap();
        assert_eq!(slots.len() as u64, history.newest().since(history.oldest().previous()));
        journal.append(&slot(history.newest().0 + 1, 60)).unwrap();
        journal.append(&[stable(100)]).unwrap();
        journal.sync().unwrap();
        drop((journal, history));
        assert_eq!(sample.open().unwrap().losses, []);
    }
}

/// Opens the home on a disk that stops for good after so many changes.
fn open_interrupted(sample: &Sample, changes: i64) -> Result<Opened, StorageError> {
    let failing = Failing {
        operation: Operation::Any,
        error: io::ErrorKind::Other,
        successes: changes.into(),
        recovers: false,
        failures: Arc::default(),
    };
    let disk = Arc::new(FailingDisk(Arc::new(failing)));
    Journal::open(&sample.home.home(), sample.home.options, disk)
}

#[test]
fn a_recovery_that_is_interrupted_anywhere_forgets_no_loss() {
    let sample = Sample::new();
    let segments = sample.home.segments();
    let last = segments.last().unwrap();
    let damages: [&dyn Fn(); 5] = [
        &|| put(last, Damage::BitFlipped.done_to(&fs::read(last).unwrap(), 20)),
        &|| put(last, Damage::Zeroed.done_to(&fs::read(last).unwrap(), 9000)),
        &|| fs::remove_file(sample.home.path().join("journal/sealed")).unwrap(),
        &|| segments.iter().for_each(|segment| fs::remove_file(segment).unwrap()),
        &|| {
            put(sample.home.path().join("promises"), b"");
            put(last, Damage::BitFlipped.done_to(&fs::read(last).unwrap(), 20));
        },
    ];
    for (number, damage) in damages.iter().enumerate() {
        let mut interrupted = 0;
        for changes in 0.. {
            sample.restore();
            damage();
            if open_interrupted(&sample, changes).is_ok() {
                break;
            }
            // Twice, a little later the second time.
            drop(open_interrupted(&sample, changes + 3));
            let recovery = sample.open().unwrap().recovered.promises.recovery;
            let is_bounded = |bounds: Bounds| bounds.max(sample.bounds) == bounds;
            let is_said = matches!(recovery, Recovery::Lost(bounds) if bounds.is_none_or(is_bounded));
            assert!(is_said, "damage {number}, {changes} changes: {recovery:?}");
            interrupted += 1;
        }
        assert!(interrupted > 5, "damage {number}: {interrupted}");
    }
}

#[test]
fn no_crash_while_bounds_become_known_or_a_recovery_ends_looks_like_an_older_journal() {
    let sample = Sample::new();
    // The replica is beyond them already, so its recovery may end at once.
    let known = Bounds { view: View(3), seq: SeqNum(16) };
    let (begun, ended) = (JournalRecord::RecoveryBegun(Some(known)), JournalRecord::RecoveryEnded);
    // In groups of their own, each synced; in two groups with one sync; in one group.
    let courses: [&[&[JournalRecord]]; 4] = [
        &[std::slice::from_ref(&begun), &[], std::slice::from_ref(&ended), &[]],
        &[std::slice::from_ref(&begun), std::slice::from_ref(&ended), &[]],
        &[&[begun.clone(), ended.clone()], &[]],
        &[&[JournalRecord::RecoveryBegun(None), begun.clone(), ended.clone()], &[]],
    ];
    for (number, course) in courses.iter().enumerate() {
        let mut interrupted = 0;
        for changes in 0.. {
            sample.restore();
            put(sample.home.path().join("promises"), b"");
            fs::remove_file(sample.home.path().join("journal/sealed")).unwrap();
            assert_eq!(sample.open().unwrap().recovered.promises.recovery, Recovery::Lost(None));
            let opened = open_interrupted(&sample, changes);
            let done = opened.and_then(|Opened { mut journal, .. }| {
                course.iter().try_for_each(|records| match records {
                    [] => journal.sync(),
                    records => journal.append(records),
                })
            });
            let Opened { recovered, losses, .. } = sample.open().unwrap();
            assert!(losses.iter().all(|loss| loss.harm == Harm::Nothing), "{number}, {changes} changes: {losses:?}");
            let recovery = recovered.promises.recovery;
            let is_bounded = |bounds: Bounds| bounds.max(known) == bounds;
            let is_said = matches!(recovery, Recovery::Lost(bounds) if bounds.is_none_or(is_bounded));
            assert!(is_said || recovery == Recovery::Complete, "{number}, {changes} changes: {recovery:?}");
            if done.is_ok() {
                assert_eq!(recovery, Recovery::Complete);
                break;
            }
            interrupted += 1;
        }
        assert!(interrupted > 5, "{number}: {interrupted}");
    }
}
