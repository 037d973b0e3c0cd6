//! The ViewChanges that were received, and the NewViews that wait for some of them.

use std::collections::BTreeMap;

use quorate_crypto::Digest;

use crate::messages::{NewView, Signed, ViewChange};
use crate::mutants::Mutant;
use crate::types::{Instant, ReplicaId, View};

/// A ViewChange with its digest.
#[derive(Clone, Debug)]
struct Known {
    view_change: Signed<ViewChange>,
    digest: Digest,
}

/// A NewView some of whose ViewChanges are not here yet.
#[derive(Clone, Debug)]
pub struct PendingNewView {
    /// The NewView.
    pub new_view: Signed<NewView>,
    /// Who sent it, and therefore has its ViewChanges.
    pub from: ReplicaId,
    /// When the missing ones are asked for again.
    pub retry_at: Instant,
}

/// Invariant: for each signer the ViewChange with its highest target, and at most one pending NewView for each primary
/// with the ViewChanges that were fetched for it.
#[derive(Clone, Debug, Default)]
pub struct ViewChanges {
    latest: BTreeMap<ReplicaId, Known>,
    pending: BTreeMap<ReplicaId, PendingNewView>,
    fetched: BTreeMap<(ReplicaId, Digest), Signed<ViewChange>>,
}

/// What became of a ViewChange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViewChangeRecorded {
    /// It is the signer's latest now.
    New,
    /// A pending NewView needed it.
    Fetched,
    /// It was here, or a later one is.
    Unchanged,
}

impl ViewChanges {
    /// Takes a verified ViewChange.
    pub fn record(&mut self, view_change: Signed<ViewChange>) -> ViewChangeRecorded {
        let needed = self.record_needed(view_change.clone());
        let (signer, digest, target) = (view_change.signer, view_change.digest(), view_change.payload.target);
        if self.latest.get(&signer).is_none_or(|known| known.view_change.payload.target < target) {
            self.latest.insert(signer, Known { view_change, digest });
            return ViewChangeRecorded::New;
        }
        if needed { ViewChangeRecorded::Fetched } else { ViewChangeRecorded::Unchanged }
    }

    /// Keeps a ViewChange only if a pending NewView lacks it. Says whether it does.
    pub fn record_needed(&mut self, view_change: Signed<ViewChange>) -> bool {
        let (signer, digest) = (view_change.signer, view_change.digest());
        let needed = is_named(&self.pending, (signer, digest));
        if needed {
            self.fetched.insert((signer, digest), view_change);
        }
        needed
    }

    /// How many messages are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.latest.len() + self.pending.len() + self.fetched.len()
    }

    /// The latest ViewChange of a member.
    #[must_use]
    pub fn latest(&self, signer: ReplicaId) -> Option<&Signed<ViewChange>> {
        self.latest.get(&signer).map(|known| &known.view_change)
    }

    /// A ViewChange by signer and digest.
    #[must_use]
    pub fn find(&self, signer: ReplicaId, digest: Digest) -> Option<&Signed<ViewChange>> {
        let latest = self.latest.get(&signer).filter(|known| known.digest == digest).map(|known| &known.view_change);
        latest.or_else(|| self.fetched.get(&(signer, digest)))
    }

    /// The ViewChanges for exactly this view, by signer.
    pub fn for_target(&self, target: View) -> impl Iterator<Item = &Signed<ViewChange>> {
        self.latest.values().map(|known| &known.view_change).filter(move |signed| signed.payload.target == target)
    }

    /// How many members ask for this view or a later one.
    #[must_use]
    pub fn count_from(&self, target: View) -> usize {
        self.latest.values().filter(|known| known.view_change.payload.target >= target).count()
    }

    /// The `count`-th largest target among the members other than `own`: at least one correct member asks for it or a
    /// later one.
    #[must_use]
    pub fn nth_largest_target(&self, own: ReplicaId, count: usize) -> Option<View> {
        let mut targets: Vec<_> = self
            .latest
            .iter()
            .filter(|(signer, _)| **signer != own)
            .map(|(_, known)| known.view_change.payload.target)
            .collect();
        targets.sort_unstable_by(|a, b| b.cmp(a));
        targets.get(count.checked_sub(1)?).copied()
    }

    /// Keeps a NewView until its ViewChanges are here. One for each primary, the latest.
    pub fn add_pending(&mut self, pending: PendingNewView) {
        self.pending.insert(pending.new_view.signer, pending);
        self.forget_unneeded();
    }

    /// The NewViews that wait.
    pub fn pending(&self) -> impl Iterator<Item = &PendingNewView> {
        self.pending.values()
    }

    /// The NewViews that wait.
    pub fn pending_mut(&mut self) -> impl Iterator<Item = &mut PendingNewView> {
        self.pending.values_mut()
    }

    /// The ViewChanges of a NewView in the order in which it names them; `Err` with those that are missing.
    ///
    /// # Errors
    /// The signers and digests of the missing ones.
    pub fn collect(&self, new_view: &NewView) -> Result<Vec<Signed<ViewChange>>, Vec<(ReplicaId, Digest)>> {
        let (mut here, mut missing) = (Vec::new(), Vec::new());
        for (signer, digest) in &new_view.view_changes {
            match self.find(*signer, *digest) {
                Some(view_change) => here.push(view_change.clone()),
                None => missing.push((*signer, *digest)),
            }
        }
        if missing.is_empty() { Ok(here) } else { Err(missing) }
    }

    /// Forgets what belongs to views up to `view`, which was entered.
    pub fn forget_up_to(&mut self, view: View) {
        self.latest.retain(|_, known| known.view_change.payload.target > view);
        self.pending.retain(|_, pending| pending.new_view.payload.target > view);
        self.forget_unneeded();
    }

    /// Forgets a NewView that turned out wrong.
    pub fn forget_pending(&mut self, primary: ReplicaId) {
        self.pending.remove(&primary);
        self.forget_unneeded();
    }

    fn forget_unneeded(&mut self) {
        self.fetched.retain(|name, _| is_named(&self.pending, *name));
    }
}

/// Whether a NewView that waits names this ViewChange.
fn is_named(pending: &BTreeMap<ReplicaId, PendingNewView>, name: (ReplicaId, Digest)) -> bool {
    let mut new_views = pending.values().map(|pending| &pending.new_view.payload);
    new_views.any(|new_view| new_view.view_changes.contains(&name)) || Mutant::UnboundedFutureViews.lives()
}
