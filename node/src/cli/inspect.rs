//! `quorate inspect` and `quorate repair`.

use std::path::Path;

use quorate::storage::inspect::{Condition, Inspection, Outlook, Owner, RepairPlan};
use quorate::storage::{Identity, StorageError};

use super::arguments::{InspectArguments, RepairArguments};
use crate::exit::Exit;
use crate::home::{HomeError, NodeHome};

/// Why a home cannot be looked at or repaired.
#[derive(Debug, thiserror::Error)]
enum InspectError {
    #[error(transparent)]
    Home(#[from] HomeError),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl InspectError {
    fn exit(&self) -> Exit {
        match self {
            InspectError::Home(error) => error.exit(),
            InspectError::Storage(error) => Exit::of_engine(error.class().exit_code()),
        }
    }
}

pub(super) fn inspect(arguments: &InspectArguments) -> Exit {
    concluded(look_at(&arguments.home).map(|inspection| {
        println!("{inspection}");
        exit_of(&inspection)
    }))
}

pub(super) fn repair(arguments: &RepairArguments) -> Exit {
    concluded(repair_home(arguments))
}

fn concluded(result: Result<Exit, InspectError>) -> Exit {
    result.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        error.exit()
    })
}

fn owner(home: &NodeHome) -> Owner<'_> {
    let genesis = home.genesis().as_ref();
    let identity = Identity { chain_id: genesis.chain_id(), replica: home.replica(), key: home.key().public() };
    Owner { identity, genesis, config: &home.settings().engine }
}

fn look_at(path: &Path) -> Result<Inspection, InspectError> {
    let home = NodeHome::load(path)?;
    Ok(Inspection::of(path, &owner(&home))?)
}

/// What a script can tell from the end.
fn exit_of(inspection: &Inspection) -> Exit {
    let is_damaged = inspection.parts.iter().any(|part| matches!(part.condition, Condition::Damaged(_)));
    match inspection.outlook {
        Outlook::InUse => Exit::Locked,
        Outlook::Refused { class, .. } => Exit::of_engine(class.exit_code()),
        Outlook::New | Outlook::Votes | Outlook::Recovers(_) if is_damaged => Exit::Damaged,
        Outlook::New | Outlook::Votes | Outlook::Recovers(_) => Exit::Success,
    }
}

fn repair_home(arguments: &RepairArguments) -> Result<Exit, InspectError> {
    let path = &arguments.home;
    let home = NodeHome::load(path)?;
    let owner = owner(&home);
    let found = Inspection::of(path, &owner)?;
    println!("{found}\n");
    let plan = RepairPlan::of(&found, &owner);
    println!("{plan}");
    if plan.hindrance().is_some() {
        return Ok(exit_of(&found));
    }
    if plan.steps().is_empty() {
        return Ok(Exit::Success);
    }
    if !arguments.yes {
        println!("\nNothing was changed. To do it: quorate repair --home {} --yes", path.display());
        return Ok(Exit::Incomplete);
    }
    plan.execute(&owner)?;
    let left = Inspection::of(path, &owner)?;
    println!("\nDone.\n{left}");
    Ok(exit_of(&left))
}
