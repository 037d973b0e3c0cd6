//! [`MemoryPageStore`]: a page store for simulations.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use quorate_crypto::Digest;

use super::head::Head;
use super::reading::{Expected, Reading, TreeReader};
use super::{Committed, Loaded, PageStore, SetAside};
use crate::execution::ReplicatedState;
use crate::execution::state::{Changes, State};
use crate::genesis::Genesis;
use crate::messages::CheckpointCertificate;
use crate::storage::error::StorageError;

/// First key to packed page.
type Pages = BTreeMap<Vec<u8>, Vec<u8>>;

/// Where the power fails in a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashPoint {
    /// Before anything is durable.
    Before,
    /// When all of it is durable, and nobody has heard of it yet.
    After,
}

/// Holds what a disk would hold, page by page, and what the process knows of it beside that. A crash is a
/// [`restart`](MemoryPageStore::restart).
#[derive(Debug)]
pub struct MemoryPageStore {
    expected: Expected,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    disk: Contents,
    /// What the process knows.
    last: Option<ReplicatedState>,
    crash: Option<CrashPoint>,
}

#[derive(Debug, Default)]
struct Contents {
    head: Option<Vec<u8>>,
    clients: Pages,
    application: Pages,
    staging: BTreeMap<Digest, Bytes>,
}

impl MemoryPageStore {
    /// An empty store.
    #[must_use]
    pub fn new(genesis: &Genesis) -> Self {
        let expected = Expected::new(genesis.chain_id(), &genesis.limits);
        MemoryPageStore { expected, inner: Mutex::default() }
    }

    /// Lets the power fail in the next commit, which then returns an error.
    pub fn crash_in_next_commit(&self, point: CrashPoint) {
        self.lock().crash = Some(point);
    }

    /// The process starts again: it knows nothing but what the disk holds.
    pub fn restart(&self) {
        let mut inner = self.lock();
        inner.last = None;
        inner.crash = None;
    }

    /// Flips a bit somewhere in the head or the pages. Says whether there was any.
    pub fn damage(&self, choice: u64) -> bool {
        let disk = &mut self.lock().disk;
        let pages = disk.clients.values_mut().chain(disk.application.values_mut());
        let mut places: Vec<_> = disk.head.as_mut().into_iter().chain(pages).collect();
        let total: u64 = places.iter().map(|place| place.len() as u64).sum();
        let Some(mut at) = choice.checked_rem(total) else { return false };
        for place in &mut places {
            match usize::try_from(at).ok().and_then(|at| place.get_mut(at)) {
                Some(byte) => {
                    *byte ^= 1 << (choice % 8);
                    return true;
                }
                None => at -= place.len() as u64,
            }
        }
        false
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PageStore for MemoryPageStore {
    fn load(&self) -> Result<Loaded, StorageError> {
        let mut inner = self.lock();
        inner.last = None;
        let disk = &inner.disk;
        let clients = read(&disk.clients, self.expected.clients());
        let application = read(&disk.application, self.expected.application());
        match Reading::judge(&self.expected, disk.head.as_deref(), clients, application) {
            Reading::Nothing => Ok(Loaded::Empty),
            Reading::Whole { state, certificate } => {
                inner.last = Some(state.clone());
                Ok(Loaded::Whole { state, certificate })
            }
            Reading::Flawed { remains, what } => {
                inner.disk = Contents::default();
                Ok(Loaded::Damaged { remains, set_aside: SetAside { path: PathBuf::new(), what } })
            }
        }
    }

    fn commit(
        &self,
        state: &ReplicatedState,
        certificate: Option<&CheckpointCertificate>,
    ) -> Result<Committed, StorageError> {
        let mut inner = self.lock();
        let crash = inner.crash.take();
        if crash == Some(CrashPoint::Before) {
            return Err(power_failure());
        }
        let Inner { disk, last, .. } = &mut *inner;
        if last.is_none() {
            (disk.clients, disk.application) = (Pages::new(), Pages::new());
        }
        let nothing = State::new();
        let (clients, application) =
            last.as_ref().map_or((&nothing, &nothing), |last| (&last.clients, &last.application));
        let mut committed = Committed::default();
        write(&mut disk.clients, state.clients.changes_since(clients), &mut committed);
        write(&mut disk.application, state.application.changes_since(application), &mut committed);
        disk.head = Some(Head::of(state, certificate).encode());
        *last = Some(state.clone());
        if crash == Some(CrashPoint::After) { Err(power_failure()) } else { Ok(committed) }
    }

    fn stage(&self, nodes: &[(Digest, Bytes)]) -> Result<(), StorageError> {
        self.lock().disk.staging.extend(nodes.iter().cloned());
        Ok(())
    }

    fn staged(&self, hash: &Digest) -> Result<Option<Bytes>, StorageError> {
        Ok(self.lock().disk.staging.get(hash).cloned())
    }

    fn clear_staging(&self) -> Result<(), StorageError> {
        self.lock().disk.staging.clear();
        Ok(())
    }
}

fn read(pages: &Pages, mut tree: TreeReader) -> TreeReader {
    pages.iter().for_each(|(first_key, page)| tree.push(first_key, page));
    tree
}

fn write(pages: &mut Pages, changes: Changes<'_>, committed: &mut Committed) {
    for change in changes {
        committed.pages += 1;
        match change.page {
            Some(page) => {
                committed.bytes += page.len() as u64;
                pages.insert(change.first_key, page.into_owned());
            }
            None => drop(pages.remove(&change.first_key)),
        }
    }
}

fn power_failure() -> StorageError {
    StorageError::io(Path::new("memory"), "commit")(io::Error::other("the power failed"))
}
