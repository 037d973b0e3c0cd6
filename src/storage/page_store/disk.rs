//! [`DiskPageStore`]: a page store in one file.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use quorate_crypto::Digest;
use redb::{Database, ReadableDatabase, ReadableTable, Table, TableDefinition, WriteTransaction};

use super::database::{APPLICATION, CLIENTS, DatabaseFile, Fault, HEAD, STAGING};
use super::head::Head;
use super::reading::{Expected, Reading, TreeReader};
use super::{Committed, Loaded, PageStore, Remains};
use crate::execution::ReplicatedState;
use crate::execution::state::Changes;
use crate::genesis::Genesis;
use crate::messages::CheckpointCertificate;
use crate::storage::Disk;
use crate::storage::error::StorageError;

/// The only row of the table of heads.
const CURRENT: u8 = 0;
/// The file is compacted when it is this many times as long as what it must hold...
const WASTE_FACTOR: u64 = 3;
/// ... and this much longer than that: a small file is never worth it.
const WASTE_BYTES: u64 = 64 << 20;

/// The durable snapshots of a home, in a file of redb's.
#[derive(Debug)]
pub struct DiskPageStore {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    file: DatabaseFile,
    expected: Expected,
    /// What was read or committed last. Whether the file still holds that is seen from its head.
    last: Option<Stored>,
}

#[derive(Clone, Debug)]
struct Stored {
    root: Digest,
    state: ReplicatedState,
}

impl DiskPageStore {
    /// The store in the home at this path. Opens nothing yet.
    #[must_use]
    pub fn new(home: &Path, genesis: &Genesis, disk: Arc<dyn Disk>) -> Self {
        let file = DatabaseFile::new(disk, home);
        let expected = Expected::new(genesis.chain_id(), &genesis.limits);
        DiskPageStore { inner: Mutex::new(Inner { file, expected, last: None }) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PageStore for DiskPageStore {
    fn load(&self) -> Result<Loaded, StorageError> {
        let inner = &mut *self.lock();
        inner.last = None;
        let expected = inner.expected;
        let (remains, what) = match inner.file.attempt(|database| read(database, &expected)) {
            Ok(Reading::Nothing) => return Ok(Loaded::Empty),
            Ok(Reading::Whole { state, certificate }) => {
                inner.last = Some(Stored { root: state.root(), state: state.clone() });
                return Ok(Loaded::Whole { state, certificate });
            }
            Ok(Reading::Flawed { remains, what }) => (remains, what),
            Err(Fault::Damage(what)) => (Remains::default(), what),
            Err(Fault::Disk(error)) => return Err(StorageError::io(inner.file.path(), "read the snapshot")(error)),
        };
        let set_aside = inner.file.set_aside(what)?;
        Ok(Loaded::Damaged { remains, set_aside })
    }

    fn commit(
        &self,
        state: &ReplicatedState,
        certificate: Option<&CheckpointCertificate>,
    ) -> Result<Committed, StorageError> {
        let inner = &mut *self.lock();
        inner
            .with_new_file_if_damaged(|inner| inner.replace(state, certificate))
            .map(|(committed, set_aside)| Committed { set_aside, ..committed })
    }

    fn stage(&self, nodes: &[(Digest, Bytes)]) -> Result<(), StorageError> {
        let inner = &mut *self.lock();
        inner.with_new_file_if_damaged(|inner| inner.file.attempt(|database| stage(database, nodes))).map(drop)
    }

    fn staged(&self, hash: &Digest) -> Result<Option<Bytes>, StorageError> {
        let inner = &mut *self.lock();
        match inner.file.attempt(|database| staged(database, hash)) {
            Ok(node) => Ok(node),
            // It is fetched again; the next thing that is written sets the file aside.
            Err(Fault::Damage(_)) => Ok(None),
            Err(Fault::Disk(error)) => Err(StorageError::io(inner.file.path(), "read a node")(error)),
        }
    }

    fn clear_staging(&self) -> Result<(), StorageError> {
        let inner = &mut *self.lock();
        inner.with_new_file_if_damaged(|inner| inner.file.attempt(clear_staging)).map(drop)
    }
}

impl Inner {
    /// Writes; if the file turns out to be damaged, once more to a new one.
    fn with_new_file_if_damaged<T>(
        &mut self,
        mut write: impl FnMut(&mut Self) -> Result<T, Fault>,
    ) -> Result<(T, Option<super::SetAside>), StorageError> {
        let failed = |inner: &Self, fault| match fault {
            Fault::Disk(error) => StorageError::io(inner.file.path(), "write the snapshot")(error),
            Fault::Damage(what) => StorageError::damaged(inner.file.path(), 0, what),
        };
        match write(self) {
            Ok(written) => Ok((written, None)),
            Err(Fault::Damage(what)) => {
                let set_aside = self.file.set_aside(what)?;
                let written = write(self).map_err(|fault| failed(self, fault))?;
                Ok((written, Some(set_aside)))
            }
            Err(fault @ Fault::Disk(_)) => Err(failed(self, fault)),
        }
    }

    fn replace(
        &mut self,
        state: &ReplicatedState,
        certificate: Option<&CheckpointCertificate>,
    ) -> Result<Committed, Fault> {
        let (head, last) = (Head::of(state, certificate), self.last.clone());
        let committed = self.file.attempt(|database| {
            let transaction = database.begin_write()?;
            let committed = write_state(&transaction, &head, state, last.as_ref())?;
            transaction.commit()?;
            Ok(committed)
        })?;
        self.last = Some(Stored { root: head.root, state: state.clone() });
        self.compact_if_wasteful(state)?;
        Ok(committed)
    }

    /// What a transfer had staged, or a larger state than the present one, leaves room in the file that nothing needs.
    fn compact_if_wasteful(&mut self, state: &ReplicatedState) -> Result<(), Fault> {
        let needed = state.clients.weight() + state.application.weight();
        let bytes = self.file.bytes().map_err(Fault::Disk)?;
        if bytes > needed.saturating_mul(WASTE_FACTOR).saturating_add(WASTE_BYTES) {
            self.file.attempt(|database| Ok(database.compact()?))?;
        }
        Ok(())
    }
}

fn read(database: &mut Database, expected: &Expected) -> Result<Reading, redb::Error> {
    let transaction = database.begin_read()?;
    let head = match transaction.open_table(HEAD) {
        Err(redb::TableError::TableDoesNotExist(_)) => None,
        heads => heads?.get(CURRENT)?.map(|head| head.value().to_vec()),
    };
    let tree = |table: TableDefinition<'_, &'static [u8], &'static [u8]>, mut tree: TreeReader| {
        match transaction.open_table(table) {
            Err(redb::TableError::TableDoesNotExist(_)) => {}
            pages => {
                for page in pages?.iter()? {
                    match page {
                        Ok((first_key, page)) => tree.push(first_key.value(), page.value()),
                        // What was read before is of use still.
                        Err(error) => {
                            tree.note(error.to_string());
                            break;
                        }
                    }
                }
            }
        }
        Ok::<_, redb::Error>(tree)
    };
    let (clients, application) = (tree(CLIENTS, expected.clients())?, tree(APPLICATION, expected.application())?);
    Ok(Reading::judge(expected, head.as_deref(), clients, application))
}

/// Writes the pages that differ from what the file holds: from `last` if that is what its head names, else all.
fn write_state(
    transaction: &WriteTransaction,
    head: &Head,
    state: &ReplicatedState,
    last: Option<&Stored>,
) -> Result<Committed, redb::Error> {
    let mut heads = transaction.open_table(HEAD)?;
    let held = heads.get(CURRENT)?.and_then(|held| Head::decode(held.value()).ok());
    let last = last.filter(|last| held.is_some_and(|held| held.root == last.root));
    if last.is_none() {
        transaction.delete_table(CLIENTS)?;
        transaction.delete_table(APPLICATION)?;
    }
    let nothing = Remains::default();
    let (clients, application) =
        last.map_or((&nothing.clients, &nothing.application), |last| (&last.state.clients, &last.state.application));
    let mut committed = Committed::default();
    write_pages(transaction.open_table(CLIENTS)?, state.clients.changes_since(clients), &mut committed)?;
    write_pages(transaction.open_table(APPLICATION)?, state.application.changes_since(application), &mut committed)?;
    heads.insert(CURRENT, head.encode().as_slice())?;
    Ok(committed)
}

fn write_pages(
    mut table: Table<'_, &[u8], &[u8]>,
    changes: Changes<'_>,
    committed: &mut Committed,
) -> Result<(), redb::Error> {
    for change in changes {
        committed.pages += 1;
        match &change.page {
            Some(page) => {
                committed.bytes += page.len() as u64;
                table.insert(change.first_key.as_slice(), &**page)?;
            }
            None => drop(table.remove(change.first_key.as_slice())?),
        }
    }
    Ok(())
}

fn stage(database: &mut Database, nodes: &[(Digest, Bytes)]) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut staging = transaction.open_table(STAGING)?;
        for (hash, node) in nodes {
            staging.insert(hash.as_bytes().as_slice(), node.as_ref())?;
        }
    }
    Ok(transaction.commit()?)
}

fn staged(database: &mut Database, hash: &Digest) -> Result<Option<Bytes>, redb::Error> {
    match database.begin_read()?.open_table(STAGING) {
        Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
        staging => {
            let node = staging?.get(hash.as_bytes().as_slice())?;
            Ok(node.map(|node| Bytes::copy_from_slice(node.value())))
        }
    }
}

fn clear_staging(database: &mut Database) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    // A commit waits for the disk.
    if transaction.delete_table(STAGING)? { Ok(transaction.commit()?) } else { Ok(transaction.abort()?) }
}
