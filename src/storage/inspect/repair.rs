//! What can be done about the damage in a home, in steps that an operator reads first.
//!
//! Most of it a start does by itself. A repair does the same without starting, and what a start refuses to do: write the
//! identity again. Nothing is deleted but the oldest of many damaged files, and nothing makes a replica believe that it
//! has promised less than it has.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::inspection::{Condition, Inspection, Outlook, Owner};
use crate::messages::Bounds;
use crate::storage::{DiskPageStore, Home, Identity, Journal, JournalOptions, PageStore, StorageError, SystemDisk};

const DISK: SystemDisk = SystemDisk { fsync: true };

/// What a repair would do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepairPlan {
    home: PathBuf,
    steps: Vec<Step>,
    /// Why nothing can be done.
    hindrance: Option<String>,
}

/// One step of a repair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Write the identity again, as the configuration has it. Its old file is kept.
    WriteIdentity(Identity),
    /// Put the damaged files of the journal aside and go on with the intact ones.
    PutJournalAside,
    /// Note that promises are lost, and their bounds as far as they are known.
    NoteLostPromises(Option<Bounds>),
    /// Put the damaged snapshot aside. The state comes from the journal or from the other replicas.
    PutSnapshotAside,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::WriteIdentity(identity) => {
                write!(f, "write the file `identity` again: {identity}. Be sure that this home was that replica's")
            }
            Step::PutJournalAside => {
                write!(f, "keep copies of the damaged files of the journal in `damaged` and go on with what is intact")
            }
            Step::NoteLostPromises(Some(Bounds { view, seq })) => {
                let from = "note that promises are lost: the replica will serve at once, but vote only from view";
                write!(f, "{from} {view} on and above slot {seq}, where it has certainly promised nothing")
            }
            Step::NoteLostPromises(None) => {
                let lost = "note that promises are lost: the replica will serve at once, but vote only when the others";
                write!(f, "{lost} have said what bounds them")
            }
            Step::PutSnapshotAside => {
                write!(
                    f,
                    "move the damaged snapshot to `damaged`; the state is executed again or fetched from the others"
                )
            }
        }
    }
}

impl RepairPlan {
    /// What the findings of an inspection call for.
    #[must_use]
    pub fn of(inspection: &Inspection, owner: &Owner<'_>) -> RepairPlan {
        let hindrance = match &inspection.outlook {
            Outlook::InUse => Some("another process uses this home".to_owned()),
            Outlook::Refused { .. } | Outlook::New | Outlook::Votes | Outlook::Recovers(_) => {
                inspection.hindrance.clone()
            }
        };
        if hindrance.is_some() {
            return RepairPlan { home: inspection.home.clone(), steps: Vec::new(), hindrance };
        }
        let is_damaged = |name: &str| {
            let mut parts = inspection.parts.iter().filter(move |part| part.name.starts_with(name));
            parts.any(|part| matches!(part.condition, Condition::Damaged(_)))
        };
        let mut steps = Vec::new();
        if is_damaged("identity") {
            steps.push(Step::WriteIdentity(owner.identity));
        }
        if is_damaged("journal") || is_damaged("promises") {
            steps.push(Step::PutJournalAside);
        }
        if let Some(bounds) = inspection.newly_lost {
            steps.push(Step::NoteLostPromises(bounds));
        }
        if is_damaged("snapshots") {
            steps.push(Step::PutSnapshotAside);
        }
        RepairPlan { home: inspection.home.clone(), steps, hindrance }
    }

    /// What it would do.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Why it cannot be carried out, if that is so.
    #[must_use]
    pub fn hindrance(&self) -> Option<&str> {
        self.hindrance.as_deref()
    }

    /// Does it. An interrupted repair can be repeated; a start after it does the rest too.
    ///
    /// # Errors
    /// [`StorageError`] when a file cannot be read or written, or the home is in use.
    pub fn execute(&self, owner: &Owner<'_>) -> Result<(), StorageError> {
        let does = |wanted: fn(&Step) -> bool| self.steps.iter().any(wanted);
        if self.steps.is_empty() {
            return Ok(());
        }
        let home = if does(|step| matches!(step, Step::WriteIdentity(_))) {
            Home::adopt(&self.home, owner.identity)?
        } else {
            Home::open_or_create(&self.home, owner.identity)?
        };
        if does(|step| matches!(step, Step::PutJournalAside | Step::NoteLostPromises(_))) {
            let options = JournalOptions::new(owner.config, &owner.genesis.limits);
            Journal::open(&home, options, Arc::new(DISK))?;
        }
        if does(|step| matches!(step, Step::PutSnapshotAside)) {
            DiskPageStore::new(&self.home, owner.genesis, Arc::new(DISK)).load()?;
        }
        Ok(())
    }
}

impl fmt::Display for RepairPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(why) = &self.hindrance {
            return write!(f, "Nothing can be done here: {why}");
        }
        if self.steps.is_empty() {
            return write!(f, "There is nothing to repair.");
        }
        for (number, step) in (1..).zip(&self.steps) {
            writeln!(f, "{number}. {step}")?;
        }
        write!(f, "Nothing is deleted but the oldest files in `damaged`, when there are many.")
    }
}
