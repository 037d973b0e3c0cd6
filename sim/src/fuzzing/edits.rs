//! Damage to the files of a simulated disk, as drawn.

use std::path::{Path, PathBuf};

use quorate::storage::{Access, Disk};

use crate::choices::Choices;
use crate::disk::SimDisk;

/// The most that one edit writes.
const PIECE_BYTES_MAX: u64 = 64;
/// How long a file may become.
const FILE_BYTES_MAX: usize = 8 << 20;

/// Changes one file somewhere. Most places lie in the part that was written.
pub(super) fn edit(disk: &SimDisk, path: &Path, choices: &mut Choices) {
    let mut content = read(disk, path);
    let used = content.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let end = if choices.chance(100) { content.len() } else { used };
    let at = index(choices.below(end as u64 + 1));
    match choices.below(8) {
        0 => {
            if let Some(byte) = content.get_mut(at) {
                *byte ^= 1 << choices.below(8);
            }
        }
        1 => {
            let length = index(choices.between(1, PIECE_BYTES_MAX));
            let drawn: Vec<u8> = (0..length).map(|_| choices.below(256).to_le_bytes()[0]).collect();
            overwrite(&mut content, at, &drawn);
        }
        2 => overwrite(&mut content, at, &vec![0; index(choices.pick(&[1, 512, 4096]))]),
        3 => content.truncate(at),
        4 => {
            let piece = piece(&content, choices);
            overwrite(&mut content, at, &piece);
        }
        5 => {
            let piece = piece(&content, choices);
            content.splice(at..at, piece);
        }
        6 => {
            let gone = content.len().min(at + index(choices.between(1, 4096)));
            content.drain(at..gone);
        }
        _ => content.extend_from_within(at..),
    }
    content.truncate(FILE_BYTES_MAX);
    write(disk, path, &content);
}

/// A piece of the file, from anywhere.
fn piece(content: &[u8], choices: &mut Choices) -> Vec<u8> {
    let from = index(choices.below(content.len() as u64 + 1));
    let length = index(choices.pick(&[1, 16, 20, 37, 512, 4096]));
    content.iter().skip(from).take(length).copied().collect()
}

fn overwrite(content: &mut [u8], at: usize, with: &[u8]) {
    content.iter_mut().skip(at).zip(with).for_each(|(byte, with)| *byte = *with);
}

/// Everything in a file.
pub(super) fn read(disk: &SimDisk, path: &Path) -> Vec<u8> {
    let file = disk.open(path, Access::Read).expect("the file is there");
    let mut content = vec![0; index(file.bytes().expect("a simulated disk answers"))];
    file.read_exact_at(&mut content, 0).expect("as long as it says");
    content
}

/// Puts a durable file in the place of another one.
pub(super) fn write(disk: &SimDisk, path: &Path, content: &[u8]) {
    let file = disk.create(path).expect("a simulated disk has room");
    file.write_all_at(content, 0).expect("a simulated disk has room");
    file.sync().expect("a simulated disk has power");
    let folder = path.parent().unwrap_or(Path::new(""));
    disk.sync_folder(folder).expect("a simulated disk has power");
}

/// One of these files.
pub(super) fn pick(files: &[PathBuf], choices: &mut Choices) -> PathBuf {
    files.get(index(choices.below(files.len() as u64))).cloned().unwrap_or_default()
}

fn index(place: u64) -> usize {
    usize::try_from(place).expect("a simulated file fits into memory")
}
