//! What is there, what of it is damaged, and what a start would do.

use std::fmt;
use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::trial_disk::TrialDisk;
use crate::config::NodeConfig;
use crate::core::{Promises, Recovery};
use crate::genesis::Genesis;
use crate::messages::Bounds;
use crate::storage::home::{self, IdentityFile};
use crate::storage::promises::PromisesFile;
use crate::storage::{
    Disk, DiskPageStore, FailureClass, Harm, Identity, Journal, JournalOptions, Loaded, Opened, PageStore, Storage,
    StorageError, SystemDisk, loss,
};

/// Whose home it should be.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    /// The replica.
    pub identity: Identity,
    /// Its network.
    pub genesis: &'a Genesis,
    /// Its settings.
    pub config: &'a NodeConfig,
}

/// What a home holds. `Display` says it line by line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// The folder.
    pub home: PathBuf,
    /// What was found.
    pub parts: Vec<Part>,
    /// What a start would do.
    pub outlook: Outlook,
    /// The bounds of promises whose loss nobody has noted yet.
    pub(super) newly_lost: Option<Option<Bounds>>,
    /// The first reason for which a start refuses the home and that no repair removes.
    pub(super) hindrance: Option<String>,
}

/// A part of a home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its name, or the file within it.
    pub name: String,
    /// Whether it is as it was written.
    pub condition: Condition,
    /// What it holds, or what is wrong with it.
    pub what: String,
}

/// Whether a part is as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It is.
    Intact,
    /// It is not, at this cost.
    Damaged(Harm),
    /// Nobody can tell: this release or this system cannot read it.
    Unusable,
    /// It is not there, and need not be.
    Absent,
}

/// What a start would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// Make a new home.
    New,
    /// Vote, after the check that follows every start.
    Votes,
    /// Serve, fetch and execute, but not vote before it is clear of these bounds, or of those that the others name.
    Recovers(Option<Bounds>),
    /// Not start.
    Refused {
        /// What kind of failure it would report.
        class: FailureClass,
        /// What it would say.
        why: String,
    },
    /// A process uses the home: only that can say.
    InUse,
}

impl Inspection {
    /// Looks at a home. Nothing in it is changed.
    ///
    /// # Errors
    /// [`StorageError`] when the folder or its lock cannot be read.
    pub fn of(home: &Path, owner: &Owner<'_>) -> Result<Inspection, StorageError> {
        let mut inspection = Inspection {
            home: home.to_path_buf(),
            parts: Vec::new(),
            outlook: Outlook::New,
            newly_lost: None,
            hindrance: None,
        };
        let lock = home::lock_path(home);
        let _held = match OpenOptions::new().write(true).open(&lock) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            file => match home::try_lock(&lock, file.map_err(StorageError::io(&lock, "open"))?) {
                Err(StorageError::Locked { .. }) => {
                    inspection.outlook = Outlook::InUse;
                    return Ok(inspection);
                }
                held => Some(held?),
            },
        };
        inspection.look_at_identity(owner);
        if inspection.has_anything() {
            inspection.look_at_journal(owner);
            inspection.look_at_snapshot(owner);
        }
        inspection.look_at_damaged();
        Ok(inspection)
    }

    fn has_anything(&self) -> bool {
        [Journal::folder_in(&self.home), PromisesFile::path(&self.home), IdentityFile::path(&self.home)]
            .iter()
            .any(|path| path.exists())
    }

    /// The identity comes first in a start too: what it says is what a start says.
    fn look_at_identity(&mut self, owner: &Owner<'_>) {
        let path = IdentityFile::path(&self.home);
        let (condition, error) = match IdentityFile::read(&self.home) {
            Ok(Some(found)) if found == owner.identity => {
                return self.add("identity", Condition::Intact, found.to_string());
            }
            Ok(None) if !self.has_anything() => {
                return self.add("identity", Condition::Absent, "a start makes a new home".to_owned());
            }
            Ok(Some(found)) => {
                let (found, expected) = (found.to_string(), owner.identity.to_string());
                (Condition::Intact, StorageError::ForeignHome { path, found, expected })
            }
            Ok(None) => {
                let what = "the file is missing, but the home is in use";
                (Condition::Damaged(Harm::Nothing), StorageError::damaged(&path, 0, what))
            }
            Err(error) => (condition_of(&error, Harm::Nothing), error),
        };
        self.add("identity", condition, error.to_string());
        self.refuse(&error);
        if error.class() != FailureClass::Damaged {
            self.hinder(&error);
        } else if let Err(error) = home::check_journal(&self.home, &owner.identity) {
            // A repair writes it again, unless the journal is known to be somebody else's.
            self.hinder(&error);
        }
    }

    /// A start would fail like this, unless it fails earlier.
    fn refuse(&mut self, error: &StorageError) {
        self.expect(Outlook::Refused { class: error.class(), why: error.to_string() });
    }

    fn expect(&mut self, outlook: Outlook) {
        if !matches!(self.outlook, Outlook::Refused { .. }) {
            self.outlook = outlook;
        }
    }

    /// A repair would fail like this, unless it fails earlier.
    fn hinder(&mut self, error: &StorageError) {
        self.hindrance.get_or_insert_with(|| error.to_string());
    }

    fn look_at_journal(&mut self, owner: &Owner<'_>) {
        let options = JournalOptions::new(owner.config, &owner.genesis.limits);
        let disk: Arc<dyn Disk> = Arc::new(TrialDisk::default());
        let opened = match Journal::open_folder(&self.home, owner.genesis.chain_id(), options, disk) {
            Ok(opened) => opened,
            Err(error) => {
                self.add("journal", condition_of(&error, Harm::Promises), error.to_string());
                self.refuse(&error);
                return self.hinder(&error);
            }
        };
        let Opened { journal, recovered, torn_tail, losses } = opened;
        let history = journal.history();
        let (oldest, newest) = (history.oldest(), history.newest());
        let slots = if oldest > newest { "no slots".to_owned() } else { format!("slots {oldest} to {newest}") };
        self.add("journal", Condition::Intact, format!("{slots} can be read; {}", in_words(&recovered.promises)));
        if let Some(cut) = torn_tail {
            let what = format!("{} bytes of an unfinished write at its end, which a start removes", cut.bytes);
            self.add("journal", Condition::Intact, what);
        }
        let is_new = losses.iter().any(|loss| loss.harm == Harm::Promises);
        for loss in losses {
            let name = loss.path.strip_prefix(&self.home).unwrap_or(&loss.path).display().to_string();
            let what = if loss.offset > 0 { format!("at offset {}: {}", loss.offset, loss.what) } else { loss.what };
            self.add(&name, Condition::Damaged(loss.harm), what);
        }
        match recovered.promises.recovery {
            Recovery::Complete => self.expect(Outlook::Votes),
            Recovery::Lost(bounds) => {
                self.newly_lost = is_new.then_some(bounds);
                self.expect(Outlook::Recovers(bounds));
            }
        }
    }

    fn look_at_snapshot(&mut self, owner: &Owner<'_>) {
        let disk = Arc::new(TrialDisk::default());
        let (condition, what) = match DiskPageStore::new(&self.home, owner.genesis, disk).load() {
            Ok(Loaded::Whole { state, certificate }) => {
                let certified = if certificate.is_some() { ", certified" } else { "" };
                (Condition::Intact, format!("the state after slot {}{certified}", state.position.seq))
            }
            Ok(Loaded::Empty) => (Condition::Absent, "no state was written yet".to_owned()),
            Ok(Loaded::Damaged { set_aside, .. }) => (Condition::Damaged(Harm::History), set_aside.what),
            Err(error) => {
                self.refuse(&error);
                self.hinder(&error);
                (condition_of(&error, Harm::History), error.to_string())
            }
        };
        self.add("snapshots", condition, what);
    }

    fn look_at_damaged(&mut self) {
        let disk = SystemDisk { fsync: false };
        let folder = loss::folder_in(&self.home);
        if let (Ok(names), Ok(bytes)) = (disk.list(&folder), disk.used_bytes(&folder))
            && !names.is_empty()
        {
            let what = format!("{} files of earlier damage, {bytes} bytes; nothing needs them", names.len());
            self.add("damaged", Condition::Intact, what);
        }
    }

    fn add(&mut self, name: &str, condition: Condition, what: String) {
        self.parts.push(Part { name: name.to_owned(), condition, what });
    }
}

/// What an error says of the part that it comes from. `harm` is what its damage would cost.
fn condition_of(error: &StorageError, harm: Harm) -> Condition {
    match error.class() {
        FailureClass::Damaged => Condition::Damaged(harm),
        FailureClass::Locked | FailureClass::Configuration | FailureClass::Io => Condition::Unusable,
    }
}

fn in_words(promises: &Promises) -> String {
    let (view, low, through) = (promises.view(), promises.low_watermark(), promises.committed_through);
    format!("view {view}, stable through slot {low}, committed through slot {through}")
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            writeln!(f, "{part}")?;
        }
        write!(f, "A start would {}.", self.outlook)
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Part { name, condition, what } = self;
        match condition {
            Condition::Intact | Condition::Absent => write!(f, "{name}: {what}"),
            Condition::Damaged(Harm::Nothing) => write!(f, "{name}: damaged, nothing is lost: {what}"),
            Condition::Damaged(Harm::History) => {
                write!(f, "{name}: damaged, the other replicas have what is lost: {what}")
            }
            Condition::Unusable => write!(f, "{name}: cannot be used: {what}"),
            Condition::Damaged(Harm::Promises) => write!(f, "{name}: damaged, promises are lost: {what}"),
        }
    }
}

impl fmt::Display for Outlook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outlook::New => write!(f, "make a new home"),
            Outlook::Votes => write!(f, "go on where the replica stopped"),
            Outlook::Recovers(Some(Bounds { view, seq })) => {
                write!(f, "recover: serve, but vote only from view {view} on and above slot {seq}")
            }
            Outlook::Recovers(None) => {
                write!(f, "recover: serve, but vote only when the other replicas have said above what")
            }
            Outlook::Refused { why, .. } => write!(f, "be refused: {why}"),
            Outlook::InUse => write!(f, "be refused: another process uses this home. Its status says how it is"),
        }
    }
}
