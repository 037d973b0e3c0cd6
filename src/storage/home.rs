//! The home of a replica: one folder that one process of one replica uses at a time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use quorate_crypto::{Digest, PublicKey};
use serde::{Deserialize, Serialize};

use super::disk::{Access, Disk, SystemDisk};
use super::error::StorageError;
use super::folder;
use super::group::Link;
use super::journal::Journal;
use super::loss;
use super::page_store;
use super::promises::{Claim, Found, PromisesFile};
use super::segment::{self, SegmentHeader};
use super::survey::Survey;
use crate::codec::FORMAT_VERSION;
use crate::messages::Bounds;
use crate::types::ReplicaId;

/// The lock and the identity are the system's in simulations too: there are no homes in those, only journals.
const DISK: SystemDisk = SystemDisk { fsync: true };

/// Whose home it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The network.
    pub chain_id: Digest,
    /// The member.
    pub replica: ReplicaId,
    /// Its key.
    pub key: PublicKey,
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "replica {} of network {} with key {}", self.replica, self.chain_id, self.key)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IdentityFile {
    version: u8,
    chain_id: Digest,
    replica: ReplicaId,
    key: PublicKey,
}

/// A locked home. The lock is held as long as any clone lives, and by the process at the longest.
///
/// ```text
/// lock         held while a process uses the home
/// identity     network, member and key, as text
/// promises     bounds of everything the replica has signed, in two copies
/// journal/     segments and `sealed`
/// snapshots/   the replicated state
/// evidence/    proofs of other members' faults
/// damaged/     what was put aside
/// ```
#[derive(Clone, Debug)]
pub struct Home {
    path: PathBuf,
    identity: Identity,
    _lock: Arc<File>,
}

impl Home {
    /// Locks a home and checks whose it is; makes it when there is none yet.
    ///
    /// # Errors
    /// [`StorageError::Locked`] when another process uses it, [`StorageError::ForeignHome`] when it is another
    /// replica's, [`StorageError::Damaged`] when it lost its identity.
    pub fn open_or_create(path: &Path, identity: Identity) -> Result<Home, StorageError> {
        fs::create_dir_all(path).map_err(StorageError::io(path, "make the folder"))?;
        let lock = Arc::new(lock(&lock_path(path))?);
        let home = Home { path: path.to_path_buf(), identity, _lock: lock };
        match IdentityFile::read(path)? {
            Some(found) if found == identity => {}
            Some(found) => {
                let (path, found, expected) = (home.identity_path(), found.to_string(), identity.to_string());
                return Err(StorageError::ForeignHome { path, found, expected });
            }
            None => home.furnish()?,
        }
        folder::create(&DISK, &home.snapshots())?;
        folder::create(&DISK, &home.evidence())?;
        Ok(home)
    }

    /// Takes over a home whose identity is lost or unreadable: the operator says whose it was. Another replica's is
    /// not taken over, as far as the identity or the journal says that it is.
    ///
    /// # Errors
    /// As [`Home::open_or_create`], but not for a damaged identity.
    pub fn adopt(path: &Path, identity: Identity) -> Result<Home, StorageError> {
        let held = lock(&lock_path(path))?;
        match IdentityFile::read(path) {
            Ok(Some(_)) => {}
            Ok(None) => {
                check_journal(path, &identity)?;
                IdentityFile::write(path, identity)?;
            }
            Err(StorageError::Damaged { .. }) => {
                check_journal(path, &identity)?;
                loss::keep_copy(&DISK, path, &IdentityFile::path(path))?;
                IdentityFile::write(path, identity)?;
            }
            Err(error) => return Err(error),
        }
        drop(held);
        Home::open_or_create(path, identity)
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whose home it is.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// The folder of the journal.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        Journal::folder_in(&self.path)
    }

    /// The folder of the snapshots.
    #[must_use]
    pub fn snapshots(&self) -> PathBuf {
        self.path.join("snapshots")
    }

    /// The folder of proofs against other members.
    #[must_use]
    pub fn evidence(&self) -> PathBuf {
        self.path.join("evidence")
    }

    fn identity_path(&self) -> PathBuf {
        IdentityFile::path(&self.path)
    }

    /// Makes the parts of a new home. The identity comes last: once it is there, a missing part is damage.
    fn furnish(&self) -> Result<(), StorageError> {
        folder::create(&DISK, &self.journal())?;
        if let Some(part) = self.part_in_use()? {
            let what = format!("the file is missing, but {} is in use", part.display());
            return Err(StorageError::damaged(&self.identity_path(), 0, what));
        }
        Journal::furnish(&self.path, &DISK)?;
        IdentityFile::write(&self.path, self.identity)?;
        folder::sync_name(&DISK, &self.path)
    }

    /// Something that only a home in use has.
    fn part_in_use(&self) -> Result<Option<PathBuf>, StorageError> {
        if !folder::numbered_files(&DISK, &self.journal(), segment::ENDING)?.is_empty() {
            return Ok(Some(self.journal()));
        }
        let snapshots = page_store::path_in(&self.path);
        if snapshots.exists() {
            return Ok(Some(snapshots));
        }
        let is_new = match PromisesFile::read(&DISK, &self.path)? {
            Found::Nothing(_) => !PromisesFile::path(&self.path).exists(),
            Found::Intact(claim) | Found::OneCopy(claim) => claim == Claim::Bounded(Bounds::default()),
        };
        Ok((!is_new).then(|| PromisesFile::path(&self.path)))
    }
}

impl IdentityFile {
    pub(super) fn path(home: &Path) -> PathBuf {
        home.join("identity")
    }

    /// Whose home it is; `None` when nothing says so.
    pub(super) fn read(home: &Path) -> Result<Option<Identity>, StorageError> {
        let path = Self::path(home);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(StorageError::damaged(&path, 0, "the file is no text"));
            }
            result => result.map_err(StorageError::io(&path, "read"))?,
        };
        let file: IdentityFile =
            toml::from_str(&text).map_err(|error| StorageError::damaged(&path, 0, error.message()))?;
        if file.version != FORMAT_VERSION {
            let (found, expected) = (u32::from(file.version), u32::from(FORMAT_VERSION));
            return Err(StorageError::Version { path, found, expected });
        }
        Ok(Some(Identity { chain_id: file.chain_id, replica: file.replica, key: file.key }))
    }

    pub(super) fn write(home: &Path, identity: Identity) -> Result<(), StorageError> {
        let Identity { chain_id, replica, key } = identity;
        let file = IdentityFile { version: FORMAT_VERSION, chain_id, replica, key };
        let text = toml::to_string(&file).expect("numbers and hexadecimal strings have a TOML form");
        folder::write_whole(&DISK, &Self::path(home), text.as_bytes())
    }
}

/// Whether the journal in a home can be this replica's. Its segments name the network. The member is known by its own
/// ViewChange only: all else in it was signed by others too, or in the name of none.
pub(super) fn check_journal(home: &Path, identity: &Identity) -> Result<(), StorageError> {
    let journal = Journal::folder_in(home);
    if !journal.exists() {
        return Ok(());
    }
    let foreign = |found: String| StorageError::ForeignHome {
        path: journal.clone(),
        found: format!("{found}, as its journal says"),
        expected: identity.to_string(),
    };
    let files = folder::numbered_files(&DISK, &journal, segment::ENDING)?;
    let networks: Vec<Digest> = files.iter().filter_map(|(_, path)| network_of(path)).collect();
    if let Some(network) = networks.first().filter(|_| !networks.contains(&identity.chain_id)) {
        return Err(foreign(format!("network {network}")));
    }
    let promises = Survey::of(&DISK, identity.chain_id, Link::default(), &files)?.promises;
    match promises.view_change {
        Some(own) if own.signer != identity.replica => Err(foreign(format!("replica {}", own.signer))),
        Some(_) | None => Ok(()),
    }
}

/// The network that the head of a segment names, if it is readable.
fn network_of(segment: &Path) -> Option<Digest> {
    let file = DISK.open(segment, Access::Read).ok()?;
    let (header, _) = SegmentHeader::read(&*file, segment).ok()?;
    Some(header.chain_id)
}

pub(super) fn lock_path(home: &Path) -> PathBuf {
    home.join("lock")
}

fn lock(path: &Path) -> Result<File, StorageError> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
    let file = file.map_err(StorageError::io(path, "open"))?;
    try_lock(path, file)
}

/// Locks an open file, unless somebody has locked it.
pub(super) fn try_lock(path: &Path, file: File) -> Result<File, StorageError> {
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StorageError::Locked { path: path.to_path_buf() }),
        Err(TryLockError::Error(error)) => Err(StorageError::io(path, "lock")(error)),
    }
}
