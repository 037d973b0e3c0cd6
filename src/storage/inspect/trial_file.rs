//! A file of a trial disk: what is on the real disk, with changes in memory.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::storage::DiskFile;

const BLOCK_BYTES: u64 = 64 << 10;

/// A handle; clones share the content.
#[derive(Clone, Debug)]
pub(super) struct TrialFile {
    content: Arc<Mutex<Content>>,
}

#[derive(Debug)]
struct Content {
    base: Option<Box<dyn DiskFile>>,
    /// Up to where the real file shows through where no block was changed.
    base_bytes: u64,
    bytes: u64,
    changed: BTreeMap<u64, Vec<u8>>,
}

impl TrialFile {
    /// An empty file.
    pub(super) fn new() -> Self {
        TrialFile::of(Content { base: None, base_bytes: 0, bytes: 0, changed: BTreeMap::new() })
    }

    /// A file that is on the real disk.
    pub(super) fn over(base: Box<dyn DiskFile>) -> io::Result<Self> {
        let bytes = base.bytes()?;
        Ok(TrialFile::of(Content { base: Some(base), base_bytes: bytes, bytes, changed: BTreeMap::new() }))
    }

    fn of(content: Content) -> Self {
        TrialFile { content: Arc::new(Mutex::new(content)) }
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Content {
    /// Reads what no change has touched: the real file up to its end, then zeros.
    fn read_unchanged(&self, into: &mut [u8], offset: u64) -> io::Result<()> {
        let there = self.base_bytes.saturating_sub(offset).min(into.len() as u64) as usize;
        let (real, zeros) = into.split_at_mut(there);
        zeros.fill(0);
        match &self.base {
            Some(base) if !real.is_empty() => base.read_exact_at(real, offset),
            Some(_) | None => Ok(()),
        }
    }

    /// Walks over the blocks of a range: their number, the range within them and the length of what came before.
    fn parts(offset: u64, bytes: usize) -> impl Iterator<Item = (u64, std::ops::Range<usize>, usize)> {
        let end = offset.saturating_add(bytes as u64);
        (offset / BLOCK_BYTES..end.div_ceil(BLOCK_BYTES)).map(move |number| {
            let start = number * BLOCK_BYTES;
            let from = offset.max(start);
            let to = end.min(start + BLOCK_BYTES);
            (number, (from - start) as usize..(to - start) as usize, (from - offset) as usize)
        })
    }
}

impl DiskFile for TrialFile {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.lock().bytes)
    }

    fn read_exact_at(&self, into: &mut [u8], offset: u64) -> io::Result<()> {
        let content = self.lock();
        let is_within = offset.checked_add(into.len() as u64).is_some_and(|end| end <= content.bytes);
        if !is_within {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        for (number, range, done) in Content::parts(offset, into.len()) {
            let length = range.len();
            let Some(target) = into.get_mut(done..done + length) else { continue };
            match content.changed.get(&number).map(|block| block.get(range)) {
                Some(Some(source)) => target.copy_from_slice(source),
                Some(None) | None => content.read_unchanged(target, offset + done as u64)?,
            }
        }
        Ok(())
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut content = self.lock();
        let end = offset.checked_add(bytes.len() as u64).ok_or(io::ErrorKind::InvalidInput)?;
        for (number, range, done) in Content::parts(offset, bytes.len()) {
            if !content.changed.contains_key(&number) {
                let mut block = vec![0; BLOCK_BYTES as usize];
                content.read_unchanged(&mut block, number * BLOCK_BYTES)?;
                content.changed.insert(number, block);
            }
            let source = bytes.get(done..done + range.len());
            let target = content.changed.get_mut(&number).and_then(|block| block.get_mut(range));
            if let (Some(target), Some(source)) = (target, source) {
                target.copy_from_slice(source);
            }
        }
        content.bytes = content.bytes.max(end);
        Ok(())
    }

    fn set_bytes(&self, bytes: u64) -> io::Result<()> {
        let mut content = self.lock();
        if bytes < content.bytes {
            content.base_bytes = content.base_bytes.min(bytes);
            content.changed.retain(|number, _| number * BLOCK_BYTES < bytes);
            let cut = (bytes % BLOCK_BYTES) as usize;
            if let Some(block) = content.changed.get_mut(&(bytes / BLOCK_BYTES)) {
                block.iter_mut().skip(cut).for_each(|byte| *byte = 0);
            }
        }
        content.bytes = bytes;
        Ok(())
    }

    fn allocate(&self, bytes: u64) -> io::Result<()> {
        let mut content = self.lock();
        content.bytes = content.bytes.max(bytes);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::storage::{Access, Disk, SystemDisk};

    const SIZE: u64 = 3 * BLOCK_BYTES;

    #[derive(Clone, Debug)]
    enum Step {
        Write(u64, usize),
        SetBytes(u64),
        Allocate(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => (0..SIZE, 0..BLOCK_BYTES as usize * 2).prop_map(|(offset, bytes)| Step::Write(offset, bytes)),
            1 => (0..SIZE).prop_map(Step::SetBytes),
            1 => (0..SIZE).prop_map(Step::Allocate),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn a_trial_file_is_the_real_one_with_all_changes_and_leaves_that_alone(
            steps in proptest::collection::vec(step(), 1..12),
            real_bytes in 0..SIZE,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("file");
            let real: Vec<u8> = (0..real_bytes).map(|at| at as u8 | 1).collect();
            std::fs::write(&path, &real).unwrap();
            let file = TrialFile::over(SystemDisk { fsync: false }.open(&path, Access::Read).unwrap()).unwrap();
            let mut model = real.clone();
            for (number, step) in steps.iter().enumerate() {
                match *step {
                    Step::Write(offset, bytes) => {
                        let end = offset as usize + bytes;
                        model.resize(model.len().max(end), 0);
                        model[offset as usize..end].fill(number as u8);
                        file.write_all_at(&vec![number as u8; bytes], offset).unwrap();
                    }
                    Step::SetBytes(bytes) => {
                        model.resize(bytes as usize, 0);
                        file.set_bytes(bytes).unwrap();
                    }
                    Step::Allocate(bytes) => {
                        model.resize(model.len().max(bytes as usize), 0);
                        file.allocate(bytes).unwrap();
                    }
                }
                let mut read = vec![9; model.len()];
                file.read_exact_at(&mut read, 0).unwrap();
                prop_assert!(read == model, "after {:?}", step);
                prop_assert!(file.read_exact_at(&mut [0], model.len() as u64).is_err());
            }
            prop_assert!(std::fs::read(&path).unwrap() == real);
        }
    }
}
