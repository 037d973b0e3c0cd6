//! How much of what others say a replica holds. Everything here is bounded by the genesis and the configuration,
//! whatever arrives: observers may hold the replica to it.

use super::replica::Replica;
use super::slot::Slot;

/// Counts of what is in memory. Each has a bound of its own, so that no part can grow in the shadow of another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    /// Slots of the log.
    pub slots: usize,
    /// Prepares and Commits in them.
    pub votes: usize,
    /// Batches in them.
    pub batches: usize,
    /// Votes and ViewChanges that are kept for members that may have lost them.
    pub held_votes: usize,
    /// ViewChanges that count, those that were fetched for a NewView, and the NewViews that wait for some.
    pub view_changes: usize,
    /// Checkpoints of the others.
    pub checkpoint_votes: usize,
    /// Own checkpoints.
    pub own_checkpoints: usize,
    /// Requests that are not executed.
    pub requests: usize,
    /// Their bytes.
    pub request_bytes: u64,
    /// Slots in the last Status of every member.
    pub peer_slots: usize,
    /// What was asked for and is not here, and who was asked.
    pub questions: usize,
    /// Certificates of slots that were executed beyond the window.
    pub certificates_beyond: usize,
    /// Chain hashes of the last slots.
    pub chains: usize,
    /// Clients of whom it is known what they have executed.
    pub clients: usize,
}

impl Replica {
    /// What it holds now.
    #[must_use]
    pub fn footprint(&self) -> Footprint {
        let slots = || self.window.slots().map(|(_, slot)| slot);
        let (chains, clients) = self.progress.footprint();
        let (questions, certificates_beyond) = self.catch_up.footprint();
        let (own_checkpoints, checkpoint_votes) = self.checkpoints.footprint();
        Footprint {
            slots: slots().count(),
            votes: slots().map(|slot| slot.prepares.len() + slot.commits.len()).sum(),
            batches: slots().map(|slot| Slot::batches(slot).count()).sum(),
            held_votes: self.last_votes.len(),
            view_changes: self.view_changes.len(),
            checkpoint_votes,
            own_checkpoints,
            requests: self.pool.len(),
            request_bytes: self.pool.bytes(),
            peer_slots: self.peers.iter().filter_map(|(_, peer)| peer.status()).map(|status| status.slots.len()).sum(),
            questions: questions + self.fitness.asked(),
            certificates_beyond,
            chains,
            clients,
        }
    }
}
