//! The state that a replica starts with: that of its durable snapshot, brought up to date by its journal, or none.

use std::sync::Arc;

use super::failure::StartError;
use crate::core::Identity;
use crate::execution::{Application, Executor, Signer};
use crate::storage::page_store::Remains;
use crate::storage::{Journal, Loaded, PageStore, Storage};
use crate::types::SeqNum;

/// What a replica starts with.
pub(super) struct Restored<A> {
    pub(super) executor: Executor<A>,
    pub(super) store: Arc<dyn PageStore>,
    /// When the journal does not lead from the executor's state to the low watermark: what there is beside that state and
    /// need not be fetched from others.
    pub(super) missing: Option<Remains>,
}

/// Loads the durable snapshot. A damaged one never refuses a start: the whole history replaces it, or the other
/// replicas do.
///
/// # Errors
/// [`StartError`] when the disk refuses, or a whole snapshot holds no state of this network.
pub(super) fn restore<A: Application>(
    identity: &Identity,
    application: A,
    store: Arc<dyn PageStore>,
    journal: &Journal,
) -> Result<Restored<A>, StartError> {
    let signer = Signer { id: identity.id, key: identity.key.clone(), context: identity.context.clone() };
    let mut executor = Executor::new(&identity.genesis, application, signer);
    let mut remains = Remains::default();
    match store.load()? {
        Loaded::Empty => {}
        Loaded::Whole { state, certificate } => {
            let seq = state.position.seq;
            executor.install(state, certificate).map_err(|source| StartError::Snapshot { seq, source })?;
        }
        Loaded::Damaged { remains: readable, set_aside } => {
            tracing::warn!("the durable snapshot is damaged: {set_aside}");
            remains = readable;
        }
    }
    let is_missing = !leads_on(journal, executor.executed());
    if is_missing {
        tracing::warn!(executed = %executor.executed(), "the journal does not lead on from the own state; others have it");
    }
    Ok(Restored { executor, store, missing: is_missing.then_some(remains) })
}

/// Whether the journal holds all that follows `executed`, at least up to the low watermark.
fn leads_on(journal: &Journal, executed: SeqNum) -> bool {
    let low = journal.promises().stable.as_ref().map_or(SeqNum::GENESIS, |stable| stable.seq());
    journal.can_replay(executed, low.max(journal.history().newest()))
}
