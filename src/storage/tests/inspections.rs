//! An inspection says what a start would do and touches nothing; a repair does what it said.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use quorate_crypto::{Digest, KeyPair};
use tempfile::TempDir;

use super::records::{put, slot, stable, taken};
use crate::committee::Committee;
use crate::config::NodeConfig;
use crate::core::Recovery;
use crate::execution::state::State;
use crate::execution::{Position, ReplicatedState};
use crate::genesis::{Genesis, Limits};
use crate::messages::Bounds;
use crate::storage::inspect::{Condition, Inspection, Outlook, Owner, RepairPlan, Step};
use crate::storage::{
    DiskPageStore, Harm, Home, Identity, Journal, JournalOptions, Opened, PageStore, Storage, StorageError, SystemDisk,
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
        assert!(matches!(inspection.outlook, Outlook::Refused(_)), "{inspection}");
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
    assert!(matches!(&inspection.outlook, Outlook::Refused(why) if why.contains("belongs to")), "{inspection}");
    let plan = RepairPlan::of(&inspection, &foreign);
    assert!(plan.hindrance().is_some() && plan.steps().is_empty(), "{plan}");
}

#[test]
fn lost_history_is_no_lost_promise() {
    let sample = Sample::used();
    flip(&sample.segment(0), 500);
    let inspection = sample.inspect();
    let worst = inspection.parts.iter().filter_map(|part| match part.condition {
        Condition::Damaged(harm) => Some(harm),
        Condition::Intact | Condition::Absent => None,
    });
    assert_eq!(worst.max(), Some(Harm::History), "{inspection}");
    assert_eq!(RepairPlan::of(&inspection, &sample.owner()).steps(), [Step::PutJournalAside]);
}
