//! An inspection says what a start would do and touches nothing; a repair does what it said.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use quorate_crypto::{Digest, KeyPair};
use tempfile::TempDir;

use super::records::{put, slot, stable, taken, view_change};
use crate::committee::Committee;
use crate::config::NodeConfig;
use crate::core::{JournalRecord, Recovery};
use crate::execution::state::State;
use crate::execution::{Position, ReplicatedState};
use crate::genesis::{Genesis, Limits};
use crate::messages::Bounds;
use crate::storage::inspect::{Condition, Inspection, Outlook, Owner, RepairPlan, Step};
use crate::storage::{
    DiskPageStore, FailureClass, Harm, Home, Identity, Journal, JournalOptions, Opened, PageStore, Storage,
    StorageError, SystemDisk,
};
use crate::types::{ReplicaId, SeqNum, View, WallTime};

const DISK: SystemDisk = SystemDisk { fsync: false };
const BOUNDS: Bounds = Bounds { view: View(0), seq: SeqNum(266) };

struct Sample {
    folder: TempDir,
    genesis: Genesis,
    config: NodeConfig,
}

impl Sample {
    /// A home that nobody has used yet.
    fn new() -> Sample {
        let members = (1..=4).map(|member| KeyPair::from_seed(&[member; 32]).public()).collect();
        let genesis = Genesis {
            version: 1,
            network: "test".to_owned(),
            time: WallTime(1),
            limits: Limits::default(),
            committee: Committee::new(members).unwrap(),
            clients: Vec::new(),
        };
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        Sample { folder, genesis, config: NodeConfig { segment_bytes: 8 << 10, ..NodeConfig::default() } }
    }

    /// One that holds a few slots, a stable checkpoint and a snapshot.
    fn used() -> Sample {
        let sample = Sample::new();
        let mut journal = sample.start().unwrap().journal;
        for seq in 1..=20 {
            journal.append(&slot(seq, 100)).unwrap();
            if seq == 10 {
                journal.append(&[taken(10), stable(10)]).unwrap();
            }
            journal.sync().unwrap();
        }
        let chain_id = sample.genesis.chain_id();
        let position = Position { chain_id, seq: SeqNum(10), chain: Digest::ZERO, time: WallTime(5) };
        let state = ReplicatedState { position, clients: State::default(), application: State::default() };
        sample.store().commit(&state, None).unwrap();
        sample
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    fn owner(&self) -> Owner<'_> {
        let replica = ReplicaId(2);
        let key = *self.genesis.committee.key(replica).unwrap();
        let identity = Identity { chain_id: self.genesis.chain_id(), replica, key };
        Owner { identity, genesis: &self.genesis, config: &self.config }
    }

    fn store(&self) -> DiskPageStore {
        DiskPageStore::new(&self.path(), &self.genesis, Arc::new(DISK))
    }

    fn start(&self) -> Result<Opened, StorageError> {
        let home = Home::open_or_create(&self.path(), self.owner().identity)?;
        Journal::open(&home, JournalOptions::new(&self.config, &self.genesis.limits), Arc::new(DISK))
    }

    /// Inspects, and checks that nothing was touched.
    fn inspect(&self) -> Inspection {
        let before = contents(&self.path());
        let inspection = Inspection::of(&self.path(), &self.owner()).unwrap();
        assert!(contents(&self.path()) == before, "{inspection}");
        inspection
    }

    fn segment(&self, at: usize) -> PathBuf {
        let mut files: Vec<_> = contents(&self.path()).into_keys().collect();
        files.retain(|path| path.extension().is_some_and(|ending| ending == "segment"));
        files.swap_remove(at)
    }

    fn last_segment(&self) -> PathBuf {
        let mut files = contents(&self.path()).into_keys();
        files.rfind(|path| path.extension().is_some_and(|ending| ending == "segment")).unwrap()
    }
}

/// All files below a folder.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let Ok(entries) = fs::read_dir(folder) else { return files };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            files.extend(contents(&path));
        } else {
            files.insert(path.clone(), fs::read(path).unwrap());
        }
    }
    files
}

fn flip(path: &Path, offset: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[offset] ^= 4;
    put(path, bytes);
}

/// How a start would fail.
fn refusal(inspection: &Inspection) -> Option<FailureClass> {
    match &inspection.outlook {
        Outlook::Refused { class, .. } => Some(*class),
        Outlook::New | Outlook::Votes | Outlook::Recovers(_) | Outlook::InUse => None,
    }
}

/// Makes the file `promises` one of a later release.
fn date_promises_forward(sample: &Sample) {
    let path = sample.path().join("promises");
    let mut bytes = fs::read(&path).unwrap();
    for copy in [0, 4096] {
        bytes[copy + 4] = 2;
        let checksum = crc32c::crc32c(&bytes[copy..copy + 33]);
        bytes[copy + 33..copy + 37].copy_from_slice(&checksum.to_le_bytes());
    }
    put(path, bytes);
}

#[test]
fn a_whole_home_is_described_and_needs_no_repair() {
    let sample = Sample::used();
    let inspection = sample.inspect();
    assert_eq!(inspection.outlook, Outlook::Votes);
    let text = inspection.to_string();
    for words in ["slots 1 to 20 can be read", "stable through slot 10", "the state after slot 10", "replica 2 of"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let plan = RepairPlan::of(&inspection, &sample.owner());
    assert_eq!((plan.steps(), plan.hindrance()), (&[][..], None));
    assert_eq!(plan.to_string(), "There is nothing to repair.");
}

#[test]
fn a_home_that_is_not_there_is_not_made() {
    let sample = Sample::new();
    assert_eq!(sample.inspect().outlook, Outlook::New);
    assert!(!sample.path().exists());
}

#[test]
fn a_home_in_use_is_left_alone() {
    let sample = Sample::used();
    let held = sample.start().unwrap();
    let inspection = sample.inspect();
    assert_eq!((inspection.outlook.clone(), inspection.parts.len()), (Outlook::InUse, 0));
    let plan = RepairPlan::of(&inspection, &sample.owner());
    assert!(plan.hindrance().unwrap().contains("another process"), "{plan}");
    drop(held);
}

#[test]
fn what_an_inspection_foretells_is_what_a_start_does() {
    let damages: [fn(&Sample); 6] = [
        |sample| flip(&sample.last_segment(), 10),
        |sample| flip(&sample.segment(0), 500),
        |sample| fs::remove_file(sample.path().join("journal/sealed")).unwrap(),
        |sample| fs::remove_dir_all(sample.path().join("journal")).unwrap(),
        |sample| flip(&sample.path().join("promises"), 20),
        |sample| {
            fs::remove_file(sample.path().join("promises")).unwrap();
            flip(&sample.last_segment(), 10);
        },
    ];
    for (number, damage) in damages.into_iter().enumerate() {
        let sample = Sample::used();
        damage(&sample);
        let foretold = sample.inspect();
        let Opened { recovered, losses, .. } = sample.start().unwrap();
        let expected = match recovered.promises.recovery {
            Recovery::Complete => Outlook::Votes,
            Recovery::Lost(bounds) => Outlook::Recovers(bounds),
        };
        assert_eq!(foretold.outlook, expected, "damage {number}");
        let damaged = |part: &&crate::storage::inspect::Part| matches!(part.condition, Condition::Damaged(_));
        assert_eq!(foretold.parts.iter().filter(damaged).count(), losses.len(), "damage {number}");
    }
}

#[test]
fn a_plan_says_its_steps_and_does_them() {
    let sample = Sample::used();
    flip(&sample.last_segment(), 10);
    put(sample.path().join("snapshots/state.redb"), b"nonsense");
    let plan = RepairPlan::of(&sample.inspect(), &sample.owner());
    let steps = [Step::PutJournalAside, Step::NoteLostPromises(Some(BOUNDS)), Step::PutSnapshotAside];
    assert_eq!(plan.steps(), steps);
    assert!(plan.to_string().contains("2. note that promises are lost"), "{plan}");
    plan.execute(&sample.owner()).unwrap();
    let after = sample.inspect();
    assert_eq!(after.outlook, Outlook::Recovers(Some(BOUNDS)), "what is lost stays lost");
    assert!(after.parts.iter().all(|part| !matches!(part.condition, Condition::Damaged(_))), "{after}");
    assert_eq!(RepairPlan::of(&after, &sample.owner()).steps(), []);
    assert!(after.to_string().contains("2 files of earlier damage"), "{after}");
}

#[test]
fn a_lost_identity_is_written_again_only_by_hand() {
    for damage in [None, Some("nonsense")] {
        let sample = Sample::used();
        let path = sample.path().join("identity");
        fs::remove_file(&path).unwrap();
        if let Some(text) = damage {
            fs::write(&path, text).unwrap();
        }
        assert!(sample.start().is_err());
        let inspection = sample.inspect();
        assert_eq!(refusal(&inspection), Some(FailureClass::Damaged), "{inspection}");
        let plan = RepairPlan::of(&inspection, &sample.owner());
        assert_eq!(plan.steps(), [Step::WriteIdentity(sample.owner().identity)]);
        plan.execute(&sample.owner()).unwrap();
        assert_eq!(sample.inspect().outlook, Outlook::Votes);
        assert_eq!(sample.path().join("damaged/identity").exists(), damage.is_some());
    }
}

#[test]
fn another_replicas_home_is_not_repaired() {
    let sample = Sample::used();
    let foreign = Owner { identity: Identity { replica: ReplicaId(1), ..sample.owner().identity }, ..sample.owner() };
    let inspection = Inspection::of(&sample.path(), &foreign).unwrap();
    assert_eq!(refusal(&inspection), Some(FailureClass::Configuration));
    assert!(inspection.to_string().contains("belongs to"), "{inspection}");
    let plan = RepairPlan::of(&inspection, &foreign);
    assert!(plan.hindrance().is_some() && plan.steps().is_empty(), "{plan}");
}

#[test]
fn what_this_release_or_system_cannot_read_is_not_called_damaged_and_no_repair_is_offered() {
    let changes: [fn(&Sample); 3] = [
        |sample| {
            let path = sample.path().join("identity");
            let text = fs::read_to_string(&path).unwrap();
            put(path, text.replace("version = 1", "version = 2"));
        },
        |sample| {
            fs::remove_file(sample.path().join("identity")).unwrap();
            fs::create_dir(sample.path().join("identity")).unwrap();
        },
        date_promises_forward,
    ];
    let classes = [FailureClass::Configuration, FailureClass::Io, FailureClass::Configuration];
    for (number, (change, class)) in changes.into_iter().zip(classes).enumerate() {
        let sample = Sample::used();
        change(&sample);
        assert_eq!(sample.start().unwrap_err().class(), class, "{number}");
        let inspection = sample.inspect();
        assert_eq!(refusal(&inspection), Some(class), "{number}: {inspection}");
        assert!(inspection.parts.iter().any(|part| part.condition == Condition::Unusable), "{number}: {inspection}");
        let is_damaged = |part: &crate::storage::inspect::Part| matches!(part.condition, Condition::Damaged(_));
        assert!(!inspection.parts.iter().any(is_damaged), "{number}: {inspection}");
        let plan = RepairPlan::of(&inspection, &sample.owner());
        assert!(plan.hindrance().is_some() && plan.steps().is_empty(), "{number}: {plan}");
    }
}

#[test]
fn a_lost_identity_is_not_offered_to_be_repaired_when_the_journal_is_refused_too() {
    let sample = Sample::used();
    fs::remove_file(sample.path().join("identity")).unwrap();
    date_promises_forward(&sample);
    let inspection = sample.inspect();
    assert_eq!(refusal(&inspection), Some(FailureClass::Damaged), "as a start, which reads the identity first");
    let plan = RepairPlan::of(&inspection, &sample.owner());
    assert!(plan.hindrance().is_some_and(|why| why.contains("format version 2")), "{plan}");
    assert_eq!(plan.steps(), []);
}

#[test]
fn a_lost_identity_is_not_offered_to_another_than_the_journal_names() {
    let sample = Sample::used();
    let mut journal = sample.start().unwrap().journal;
    journal.append(&[JournalRecord::ViewChangeSent(view_change(1))]).unwrap();
    journal.sync().unwrap();
    drop(journal);
    fs::remove_file(sample.path().join("identity")).unwrap();
    let plan = RepairPlan::of(&sample.inspect(), &sample.owner());
    assert!(plan.hindrance().is_some_and(|why| why.contains("as its journal says")), "{plan}");
}

#[test]
fn lost_history_is_no_lost_promise() {
    let sample = Sample::used();
    flip(&sample.segment(0), 500);
    let inspection = sample.inspect();
    let worst = inspection.parts.iter().filter_map(|part| match part.condition {
        Condition::Damaged(harm) => Some(harm),
        Condition::Intact | Condition::Absent | Condition::Unusable => None,
    });
    assert_eq!(worst.max(), Some(Harm::History), "{inspection}");
    assert_eq!(RepairPlan::of(&inspection, &sample.owner()).steps(), [Step::PutJournalAside]);
}
