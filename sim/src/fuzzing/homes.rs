//! The home of a replica with files that are not what was written: a start repairs it, knows what was lost, or refuses;
//! it never panics, and it never promises less than was synced without knowing it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use quorate::core::{JournalRecord, Promises, Recovered, Recovery, Replica};
use quorate::messages::{Bounds, Checkpoint, ViewChange};
use quorate::storage::{FailureClass, Journal, JournalOptions, Opened, Storage};
use quorate::{Instant, Now, ReplicaId, SeqNum, View};

use super::cast::{Cast, FOUNDED, K, digest};
use super::edits;
use crate::choices::Choices;
use crate::disk::{DiskCopy, SimDisk};

const HOME: &str = "home";
/// Whose home it is.
const OWNER: ReplicaId = ReplicaId(1);
const OPTIONS: JournalOptions = JournalOptions {
    segment_bytes: 12 << 10,
    history_bytes: u64::MAX,
    window: 2 * K,
    disk_bytes_max: 0,
    disk_reserve_bytes: 0,
};

/// A home as a process left it, and what binds its replica.
struct Sample {
    disk: DiskCopy,
    files: Vec<PathBuf>,
    written: Recovered,
    /// The same without the last group, which was not synced.
    synced: Promises,
    bounds: Bounds,
}

/// Edits of the files of a home: of one file in most cases, else of several.
pub fn damaged_home(bytes: &[u8]) {
    let sample = sample();
    let mut choices = Choices::from_bytes(bytes.to_vec());
    let disk = SimDisk::default();
    disk.restore(&sample.disk);
    let is_one_fault = !choices.chance(300);
    let first = edits::pick(&sample.files, &mut choices);
    for _ in 0..=choices.below(4) {
        let path = if is_one_fault { first.clone() } else { edits::pick(&sample.files, &mut choices) };
        edits::edit(&disk, &path, &mut choices);
    }
    let Some(opened) = start(&disk) else { return };
    if is_one_fault {
        sample.judge(&opened.recovered, &format!("{}", first.display()));
    }
    go_on(&disk, opened);
}

/// One file of a home is these bytes: the first one says which.
pub fn home_file(bytes: &[u8]) {
    let Some((which, content)) = bytes.split_first() else { return };
    let sample = sample();
    let Some(path) = sample.files.get(usize::from(*which) % sample.files.len()) else { return };
    let disk = SimDisk::default();
    disk.restore(&sample.disk);
    edits::write(&disk, path, content);
    if let Some(opened) = start(&disk) {
        assert!(opened.recovered.promises.committed_through <= SeqNum(u64::MAX));
        go_on(&disk, opened);
    }
}

/// Opens the home; nothing but damage that is said keeps a replica from starting.
fn start(disk: &SimDisk) -> Option<Opened> {
    let chain_id = Cast::get().genesis.chain_id();
    match Journal::open_folder(Path::new(HOME), chain_id, OPTIONS, Arc::new(disk.clone())) {
        Ok(opened) => Some(opened),
        Err(error) => {
            let is_said = matches!(error.class(), FailureClass::Damaged | FailureClass::Configuration);
            assert!(is_said, "{error}");
            None
        }
    }
}

/// The next start finds nothing new. The journal can be read and written on, and a replica starts from it.
fn go_on(disk: &SimDisk, opened: Opened) {
    let Opened { journal, recovered, .. } = opened;
    drop(journal);
    let again = start(disk).expect("what was repaired once can be opened");
    assert_eq!((again.losses, again.torn_tail), (Vec::new(), None), "the second start finds more");
    assert_eq!(again.recovered.promises, recovered.promises, "the second start knows something else");
    let mut journal = again.journal;
    let history = journal.history();
    let slots = history.committed(history.oldest().previous(), SeqNum(100), 1 << 20).expect("what is held is readable");
    assert!(slots.len() as u64 <= history.newest().0);
    journal.append(&[JournalRecord::RecoveryBegun(None)]).expect("the journal goes on");
    journal.sync().expect("the journal goes on");
    let now = Now { monotonic: Instant(1), wall: FOUNDED };
    Replica::recover(Cast::get().identity(OWNER), recovered, now).check_all_invariants();
}

impl Sample {
    /// Panics when a replica promises less than it did and does not know it.
    fn judge(&self, recovered: &Recovered, what: &str) {
        let promises = &recovered.promises;
        match promises.recovery {
            Recovery::Lost(bounds) => {
                let is_bounded = bounds.is_none_or(|bounds| bounds.max(self.bounds) == bounds);
                assert!(is_bounded, "{what}: {bounds:?} do not cover {:?}", self.bounds);
            }
            Recovery::Complete if *promises == self.written.promises => {
                assert_eq!(recovered.batches, self.written.batches, "{what}");
            }
            Recovery::Complete => assert_eq!(*promises, self.synced, "{what}: forgotten in silence"),
        }
    }
}

fn sample() -> &'static Sample {
    static SAMPLE: OnceLock<Sample> = OnceLock::new();
    SAMPLE.get_or_init(|| {
        let disk = SimDisk::default();
        Journal::furnish(Path::new(HOME), &disk).expect("an empty disk");
        let mut journal = start(&disk).expect("a new home").journal;
        let mut synced = Promises::default();
        let groups = groups();
        let (last, durable) = groups.split_last().expect("there are groups");
        for group in durable {
            journal.append(group).expect("a whole disk");
            journal.sync().expect("a whole disk");
            group.iter().for_each(|record| synced.fold(record));
        }
        journal.append(last).expect("a whole disk");
        drop(journal);
        // The process ended: the system keeps what it wrote.
        disk.restart();
        let (copy, files) = (disk.copy(), disk.files());
        let written = start(&disk).expect("a whole home").recovered;
        assert!(files.len() >= 4, "two segments at least: {files:?}");
        let bounds = written.promises.bounds(OPTIONS.window);
        Sample { disk: copy, files, written, synced, bounds }
    })
}

/// A short life: slots, a stable checkpoint, a view change.
fn groups() -> Vec<Vec<JournalRecord>> {
    let cast = Cast::get();
    let slot = |seq: u64| {
        let (view, seq, batch) = (View(0), SeqNum(seq), cast.batch(&[seq]));
        let named = batch.digest(seq);
        vec![
            JournalRecord::Batch { seq, batch },
            JournalRecord::PrePrepared(cast.header(view, seq, named)),
            JournalRecord::Prepared(cast.prepared(view, seq, named)),
            JournalRecord::Committed(cast.committed(view, seq, named)),
        ]
    };
    let mut groups: Vec<_> = (1..=2 * K).map(slot).collect();
    let seq = SeqNum(K);
    groups.push(vec![JournalRecord::CheckpointTaken(Checkpoint { seq, root: digest("root") })]);
    groups.push(vec![JournalRecord::CheckpointStable(cast.certified(seq, digest("root")))]);
    let view_change = ViewChange { target: View(2), stable: None, prepared: Vec::new() };
    groups.push(vec![JournalRecord::ViewChangeSent(cast.sign(OWNER, view_change))]);
    groups.push(vec![JournalRecord::ViewEntered(cast.empty_view(View(2)))]);
    groups.extend((2 * K + 1..=2 * K + 3).map(slot));
    groups
}

/// The files of a whole home, each behind the byte that chooses it and without the zeros at its end.
pub(super) fn file_seeds() -> Vec<(String, Vec<u8>)> {
    let disk = SimDisk::default();
    disk.restore(&sample().disk);
    let seed = |(which, path): (u8, &PathBuf)| {
        let content = edits::read(&disk, path);
        let used = content.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        (name, [&[which], content.get(..used).unwrap_or_default()].concat())
    };
    (0..).zip(&sample().files).map(seed).collect()
}
