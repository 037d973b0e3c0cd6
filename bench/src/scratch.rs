//! A journal in a temporary folder that never grows large.

use std::sync::Arc;

use quorate::ReplicaId;
use quorate::core::JournalRecord;
use quorate::storage::{Home, Identity, Journal, JournalOptions, Storage, SystemDisk};
use quorate_crypto::{Digest, KeyPair};
use tempfile::TempDir;

/// After so many groups another folder is begun.
const GROUPS_MAX: u32 = 4096;
/// Room for them in one segment, so that no roll-over is measured by chance.
const SEGMENT_BYTES: u64 = 64 << 20;

/// A journal, and the folder that goes with it. `TMPDIR` says on which disk.
pub struct Scratch {
    groups: u32,
    journal: Journal,
    _folder: TempDir,
}

impl Scratch {
    /// An empty journal that waits for the disk when it is synced.
    ///
    /// # Panics
    /// When the temporary folder cannot be used: there is nothing to measure then.
    #[must_use]
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let key = KeyPair::from_seed(&[1; 32]).public();
        let identity = Identity { chain_id: Digest::ZERO, replica: ReplicaId(0), key };
        let home = Home::open_or_create(&folder.path().join("home"), identity).expect("a new folder is a new home");
        let options = JournalOptions {
            segment_bytes: SEGMENT_BYTES,
            history_bytes: 0,
            window: 256,
            disk_bytes_max: 0,
            disk_reserve_bytes: 0,
        };
        let journal =
            Journal::open(&home, options, Arc::new(SystemDisk { fsync: true })).expect("a new home is whole").journal;
        Scratch { groups: 0, journal, _folder: folder }
    }

    /// Makes room for the next group; to be called outside of what is measured.
    pub fn make_room(&mut self) {
        if self.groups >= GROUPS_MAX {
            *self = Scratch::new();
        }
    }

    /// Appends a group.
    ///
    /// # Panics
    /// When the disk fails.
    pub fn append(&mut self, group: &[JournalRecord]) {
        self.groups += 1;
        self.journal.append(group).expect("the disk takes it");
    }

    /// Waits for the disk.
    ///
    /// # Panics
    /// When the disk fails.
    pub fn sync(&mut self) {
        self.journal.sync().expect("the disk confirms it");
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}
