//! What can go wrong with a replica's files.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::types::SeqNum;

/// Why storage cannot go on. Every variant names the file or folder and says what an operator can do.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StorageError {
    /// Another process uses the home.
    #[error("{path} is locked: another process uses this home")]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The home belongs to another replica or network.
    #[error("{path}: this home belongs to {found}, not to {expected}; use the home of this replica")]
    ForeignHome {
        /// The identity file.
        path: PathBuf,
        /// Whose home it is.
        found: String,
        /// Who wants to use it.
        expected: String,
    },
    /// Written in another format.
    #[error("{path}: format version {found}, this release reads {expected}; use the release that wrote it")]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The version that can be read.
        expected: u32,
    },
    /// Something that was durable is gone or changed. Nothing was cut and nothing was written.
    #[error(
        "{path}: damaged at offset {offset}: {what}. Nothing was changed. Do not restore an older copy: it would make \
         this replica contradict itself. Keep the folder for inspection"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What was found.
        what: String,
    },
    /// The journal does not reach back to the newest usable snapshot.
    #[error("the journal's history begins at slot {oldest}: the slots from {needed} on cannot be replayed")]
    HistoryGap {
        /// The first slot that is needed.
        needed: SeqNum,
        /// The first slot that is held.
        oldest: SeqNum,
    },
    /// A single record or the promises outgrew what can be read again.
    #[error("{what} of {bytes} bytes is larger than the {max} bytes that can be read again")]
    TooLarge {
        /// What.
        what: &'static str,
        /// Its size.
        bytes: usize,
        /// The largest size.
        max: usize,
    },
    /// There is no room for another segment or snapshot.
    #[error("{path}: the disk is full; make room and start again")]
    DiskFull {
        /// The file that could not be made or written.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("{path}: cannot {doing}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// The answer.
        source: Arc<io::Error>,
    },
}

/// Kinds of failure, as a process reports them when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureClass {
    /// Another process uses the home.
    Locked,
    /// The wrong home, release or configuration.
    Configuration,
    /// Data was damaged.
    Damaged,
    /// The disk is full or failed.
    Io,
}

impl FailureClass {
    /// The exit code, after sysexits.h.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            FailureClass::Locked => 75,
            FailureClass::Configuration => 78,
            FailureClass::Damaged => 65,
            FailureClass::Io => 74,
        }
    }
}

impl StorageError {
    /// What kind of failure it is.
    #[must_use]
    pub fn class(&self) -> FailureClass {
        match self {
            StorageError::Locked { .. } => FailureClass::Locked,
            StorageError::ForeignHome { .. } | StorageError::Version { .. } | StorageError::TooLarge { .. } => {
                FailureClass::Configuration
            }
            StorageError::Damaged { .. } | StorageError::HistoryGap { .. } => FailureClass::Damaged,
            StorageError::DiskFull { .. } | StorageError::Io { .. } => FailureClass::Io,
        }
    }

    /// For `map_err` on what the operating system refused.
    pub(crate) fn io(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> StorageError {
        let path = path.to_path_buf();
        move |error| {
            if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
                StorageError::DiskFull { path }
            } else {
                StorageError::Io { path, doing, source: Arc::new(error) }
            }
        }
    }

    pub(crate) fn damaged(path: &Path, offset: u64, what: impl Into<String>) -> StorageError {
        StorageError::Damaged { path: path.to_path_buf(), offset, what: what.into() }
    }
}
