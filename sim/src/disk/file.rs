//! One file of a simulated disk: what is durable, what a reader sees, and the operations in between.

use crate::choices::Choices;

/// What a disk writes whole or not at all.
const SECTOR_BYTES: u64 = 512;
/// Where writes begin that are misdirected.
const BLOCK_BYTES: u64 = 4096;
/// More operations than these do not wait: the system writes the oldest of them by itself.
const PENDING_MAX: usize = 32;

/// What a power failure does to the operations that nobody has synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outage {
    /// All of them are lost.
    LosesAll,
    /// All of them had reached the disk.
    KeepsAll,
    /// The first few reached it; the next one perhaps in part.
    CutsOne,
    /// Each is lost, applied or applied in part, in any order.
    Scatters,
}

impl Outage {
    pub(super) fn draw(choices: &mut Choices) -> Self {
        choices.pick(&[Outage::LosesAll, Outage::KeepsAll, Outage::CutsOne, Outage::CutsOne, Outage::Scatters])
    }
}

#[derive(Clone, Debug)]
enum Pending {
    Write { offset: u64, bytes: Vec<u8> },
    SetLength(u64),
}

/// The content of a file.
#[derive(Clone, Debug, Default)]
pub(super) struct FileImage {
    durable: Vec<u8>,
    seen: Vec<u8>,
    pending: Vec<Pending>,
}

impl FileImage {
    pub(super) fn len(&self) -> u64 {
        self.seen.len() as u64
    }

    /// The bytes from `offset` on, when there are so many.
    pub(super) fn read(&self, offset: u64, bytes: usize) -> Option<&[u8]> {
        let start = usize::try_from(offset).ok()?;
        self.seen.get(start..start.checked_add(bytes)?)
    }

    pub(super) fn write(&mut self, offset: u64, bytes: &[u8]) {
        write_into(&mut self.seen, offset, bytes);
        self.push(Pending::Write { offset, bytes: bytes.to_vec() });
    }

    pub(super) fn set_len(&mut self, bytes: u64) {
        set_length(&mut self.seen, bytes);
        self.push(Pending::SetLength(bytes));
    }

    pub(super) fn sync(&mut self) {
        for pending in std::mem::take(&mut self.pending) {
            pending.apply(&mut self.durable);
        }
    }

    /// The disk refused to write. The system forgets that it had to, and goes on showing what is not there.
    pub(super) fn fail_to_sync(&mut self) {
        self.pending.clear();
    }

    /// The power fails. Says whether anything that was written is not there any more.
    pub(super) fn lose_power(&mut self, outage: Outage, choices: &mut Choices) -> bool {
        let mut pending = std::mem::take(&mut self.pending);
        match outage {
            Outage::LosesAll => pending.clear(),
            Outage::KeepsAll => {}
            Outage::CutsOne => cut_one(&mut pending, choices),
            Outage::Scatters => pending = scatter(pending, choices),
        }
        for pending in pending {
            pending.apply(&mut self.durable);
        }
        let has_lost = self.durable != self.seen;
        self.seen.clone_from(&self.durable);
        has_lost
    }

    /// Readers see a write that will never be there.
    pub(super) fn pretend(&mut self, offset: u64, bytes: &[u8]) {
        write_into(&mut self.seen, offset, bytes);
    }

    /// A write for another place lands in a block of this file, and nobody sees it before the power fails. The file gets
    /// no longer by it.
    pub(super) fn overwrite(&mut self, place: u64, bytes: &[u8]) {
        let length = self.durable.len() as u64;
        let block = place % length.max(1) / BLOCK_BYTES * BLOCK_BYTES;
        let fitting = bytes.len().min(usize::try_from(length - block.min(length)).unwrap_or(0));
        write_into(&mut self.durable, block, &bytes[..fitting]);
    }

    /// Changes what is durable, and with it what a reader sees: the disk's own doing.
    pub(super) fn damage(&mut self, damage: impl FnOnce(&mut Vec<u8>)) {
        self.sync();
        damage(&mut self.durable);
        self.seen.clone_from(&self.durable);
    }

    fn push(&mut self, pending: Pending) {
        self.pending.push(pending);
        if self.pending.len() > PENDING_MAX {
            self.pending.remove(0).apply(&mut self.durable);
        }
    }
}

impl Pending {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Pending::Write { offset, bytes } => write_into(content, *offset, bytes),
            Pending::SetLength(bytes) => set_length(content, *bytes),
        }
    }

    /// The parts of it that the disk writes whole: its sectors.
    fn sectors(self) -> Vec<Pending> {
        let Pending::Write { mut offset, mut bytes } = self else { return vec![self] };
        let mut sectors = Vec::new();
        while !bytes.is_empty() {
            let room = usize::try_from(SECTOR_BYTES - offset % SECTOR_BYTES).unwrap_or(bytes.len());
            let rest = bytes.split_off(room.min(bytes.len()));
            let next = offset + bytes.len() as u64;
            sectors.push(Pending::Write { offset, bytes });
            (offset, bytes) = (next, rest);
        }
        sectors
    }
}

fn cut_one(pending: &mut Vec<Pending>, choices: &mut Choices) {
    let kept = usize::try_from(choices.below(pending.len() as u64 + 1)).unwrap_or(0);
    let next = pending.drain(kept..).next();
    let mut sectors = next.map(Pending::sectors).unwrap_or_default();
    let written = usize::try_from(choices.below(sectors.len() as u64 + 1)).unwrap_or(0);
    sectors.truncate(written);
    pending.extend(sectors);
}

fn scatter(pending: Vec<Pending>, choices: &mut Choices) -> Vec<Pending> {
    let mut scattered = Vec::new();
    for pending in pending {
        let parts = match choices.below(3) {
            0 => continue,
            1 => vec![pending],
            _ => pending.sectors().into_iter().filter(|_| choices.chance(500)).collect(),
        };
        let place = usize::try_from(choices.below(scattered.len() as u64 + 1)).unwrap_or(0);
        let rest = scattered.split_off(place);
        scattered.extend(parts);
        scattered.extend(rest);
    }
    scattered
}

fn write_into(content: &mut Vec<u8>, offset: u64, bytes: &[u8]) {
    let start = usize::try_from(offset).expect("a simulated file fits into memory");
    if content.len() < start + bytes.len() {
        content.resize(start + bytes.len(), 0);
    }
    content[start..start + bytes.len()].copy_from_slice(bytes);
}

fn set_length(content: &mut Vec<u8>, bytes: u64) {
    content.resize(usize::try_from(bytes).expect("a simulated file fits into memory"), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_synced_survives_every_outage() {
        for seed in 0..100 {
            let mut choices = Choices::from_seed(seed);
            let mut file = FileImage::default();
            file.write(0, &[1; 2000]);
            file.sync();
            file.write(2000, &[2; 3000]);
            file.write(5000, &[3; 10]);
            file.set_len(8000);
            let outage = Outage::draw(&mut choices);
            file.lose_power(outage, &mut choices);
            assert_eq!(file.read(0, 2000), Some(&[1; 2000][..]), "{outage:?}");
        }
    }

    #[test]
    fn an_outage_leaves_every_kind_of_rest() {
        let mut lengths = std::collections::BTreeSet::new();
        for seed in 0..200 {
            let mut choices = Choices::from_seed(seed);
            let mut file = FileImage::default();
            file.write(0, &[1; 1024]);
            file.write(1024, &[2; 1024]);
            file.lose_power(Outage::draw(&mut choices), &mut choices);
            lengths.insert(file.len());
        }
        assert_eq!(lengths.into_iter().collect::<Vec<_>>(), [0, 512, 1024, 1536, 2048]);
    }

    #[test]
    fn a_failed_sync_shows_what_the_next_outage_takes() {
        let mut file = FileImage::default();
        file.write(0, b"promise");
        file.fail_to_sync();
        assert_eq!(file.read(0, 7), Some(&b"promise"[..]));
        file.sync();
        file.lose_power(Outage::KeepsAll, &mut Choices::from_seed(0));
        assert_eq!(file.len(), 0);
    }
}
