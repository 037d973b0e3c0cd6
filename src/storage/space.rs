//! Whether the disk has room for what voting writes. A replica that promised something it can no longer write down
//! would have to stop; so it stops voting while there is still room for what it owes.

use std::path::Path;

use super::disk::Disk;
use super::error::StorageError;
use crate::core::Space;

/// Room comes back when there is a quarter more than the reserve: at its edge a replica must not vote by turns.
const COMEBACK: u64 = 4;

/// The limits of a home, and on which side of them it was last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// What the whole home may take; 0 for as much as the disk has.
    pub(super) bytes_max: u64,
    /// What must be left for a replica that votes.
    pub(super) reserve_bytes: u64,
    pub(super) last: Space,
}

impl Room {
    /// Measures the home and the disk that it lies on.
    pub(super) fn measure(&self, disk: &dyn Disk, home: &Path) -> Result<Space, StorageError> {
        let free = disk.free_bytes(home).map_err(StorageError::io(home, "measure the free space"))?;
        let left = match self.bytes_max {
            0 => free,
            max => {
                let used = disk.used_bytes(home).map_err(StorageError::io(home, "measure the home"))?;
                free.min(max.saturating_sub(used))
            }
        };
        let needed = match self.last {
            Space::Enough => self.reserve_bytes,
            Space::Low => self.reserve_bytes.saturating_add(self.reserve_bytes / COMEBACK),
        };
        Ok(if left < needed { Space::Low } else { Space::Enough })
    }
}
