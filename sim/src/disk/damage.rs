//! What disks do to files that were durable.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::file_system::FileSystem;
use crate::choices::Choices;

/// What a disk does to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Damage {
    /// A bit changes.
    FlippedBit,
    /// A block reads as zeros.
    ZeroedBlock,
    /// The end is missing.
    Truncated,
    /// The file is missing.
    Lost,
    /// A block holds what another one should hold.
    Misdirected,
}

impl Damage {
    /// All of them.
    pub const ALL: [Damage; 5] =
        [Damage::FlippedBit, Damage::ZeroedBlock, Damage::Truncated, Damage::Lost, Damage::Misdirected];
}

const BLOCK_BYTES: u64 = 4096;

/// Does it to a file, somewhere in what was written of it.
pub(super) fn inflict(disk: &mut FileSystem, path: &Path, damage: Damage, choices: &mut Choices) {
    let used = disk.bytes(path).and_then(|bytes| bytes.iter().rposition(|byte| *byte != 0)).map_or(1, |last| last + 1);
    let place = choices.below(used as u64);
    let block = place - place % BLOCK_BYTES;
    let other = choices.below(used as u64);
    let bit = choices.below(8);
    match damage {
        Damage::Lost => disk.lose(path),
        Damage::FlippedBit => disk.damage(path, |content| {
            if let Some(byte) = content.get_mut(index(place)) {
                *byte ^= 1 << bit;
            }
        }),
        Damage::ZeroedBlock => disk.damage(path, |content| {
            let end = content.len().min(index(block + BLOCK_BYTES));
            if let Some(block) = content.get_mut(index(block)..end) {
                block.fill(0);
            }
        }),
        Damage::Truncated => disk.damage(path, |content| content.truncate(index(place))),
        Damage::Misdirected => disk.damage(path, |content| {
            let from = index(other - other % BLOCK_BYTES);
            let moved: Vec<u8> = content.iter().skip(from).take(index(BLOCK_BYTES)).copied().collect();
            for (place, byte) in content.iter_mut().skip(index(block)).zip(moved) {
                *place = byte;
            }
        }),
    }
}

/// The files of a disk that hold anything.
pub(super) fn targets(disk: &FileSystem) -> Vec<PathBuf> {
    disk.contents().into_iter().filter(|(_, bytes)| *bytes > 0).map(|(path, _)| path).collect()
}

fn index(place: u64) -> usize {
    usize::try_from(place).expect("a simulated file fits into memory")
}
