//! What this replica keeps with the signatures of others for longer than ordering needs it, so that a member that has
//! lost its promises can be told of them.

use std::collections::BTreeMap;

use super::slot::Slot;
use crate::messages::{Commit, PrePrepare, Prepare, Signed, ViewChange};
use crate::types::ReplicaId;

/// Of each member its last vote of each kind at or below the low watermark, and its ViewChange with the highest target.
#[derive(Clone, Debug, Default)]
pub struct LastVotes {
    pre_prepares: BTreeMap<ReplicaId, Signed<PrePrepare>>,
    prepares: BTreeMap<ReplicaId, Signed<Prepare>>,
    commits: BTreeMap<ReplicaId, Signed<Commit>>,
    view_changes: BTreeMap<ReplicaId, Signed<ViewChange>>,
}

impl LastVotes {
    /// Takes the votes of slots that are forgotten, in ascending order.
    pub fn keep<'a>(&mut self, forgotten: impl Iterator<Item = &'a Slot>) {
        for slot in forgotten {
            self.pre_prepares.extend(slot.accepted().map(|header| (header.signer, header.clone())));
            self.prepares.extend(slot.prepares.iter().map(|vote| (vote.signer, vote.clone())));
            self.commits.extend(slot.commits.iter().map(|vote| (vote.signer, vote.clone())));
        }
    }

    /// Takes a ViewChange, if it is the highest of its signer.
    pub fn keep_view_change(&mut self, view_change: &Signed<ViewChange>) {
        let known = self.view_changes.get(&view_change.signer);
        if known.is_none_or(|known| known.payload.target < view_change.payload.target) {
            self.view_changes.insert(view_change.signer, view_change.clone());
        }
    }

    /// How many statements are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pre_prepares.len() + self.prepares.len() + self.commits.len() + self.view_changes.len()
    }

    /// The last assignment of a member.
    #[must_use]
    pub fn pre_prepare(&self, signer: ReplicaId) -> Option<&Signed<PrePrepare>> {
        self.pre_prepares.get(&signer)
    }

    /// The last Prepare of a member.
    #[must_use]
    pub fn prepare(&self, signer: ReplicaId) -> Option<&Signed<Prepare>> {
        self.prepares.get(&signer)
    }

    /// The last Commit of a member.
    #[must_use]
    pub fn commit(&self, signer: ReplicaId) -> Option<&Signed<Commit>> {
        self.commits.get(&signer)
    }

    /// The ViewChange of a member with the highest target.
    #[must_use]
    pub fn view_change(&self, signer: ReplicaId) -> Option<&Signed<ViewChange>> {
        self.view_changes.get(&signer)
    }
}
