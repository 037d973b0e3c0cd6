//! Records as a replica writes them, with signatures that nobody checks here, and homes to write them to.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use quorate_crypto::{Digest, KeyPair, Signature};
use tempfile::TempDir;

use crate::batch::{Batch, null_digest};
use crate::core::{EnteredView, JournalRecord, Promises};
use crate::messages::{
    Checkpoint, CheckpointCertificate, Commit, CommitCertificate, NewView, PrePrepare, PreparedCertificate, Request,
    Signed, ViewChange, VoteSignature,
};
use crate::storage::{Home, Identity, Journal, JournalOptions, Opened, StorageError, SystemDisk};
use crate::types::{ClientId, ReplicaId, RequestId, RequestNumber, SeqNum, Session, View, WallTime};

fn signature(byte: u64) -> Signature {
    Signature::from_bytes([byte as u8; 64])
}

fn votes(byte: u64) -> Vec<VoteSignature> {
    (0..3).map(|signer| VoteSignature { signer: ReplicaId(signer), signature: signature(byte) }).collect()
}

fn signed<P>(payload: P) -> Signed<P> {
    Signed { signer: ReplicaId(1), payload, signature: signature(9) }
}

pub(super) fn batch(seq: u64, operation_bytes: usize) -> Batch {
    let client = ClientId(KeyPair::from_seed(&[7; 32]).public());
    let id = RequestId { client, session: Session(1), number: RequestNumber(seq) };
    let operation = Bytes::from(vec![seq as u8; operation_bytes]);
    Batch::new(WallTime(seq), vec![Request { id, operation, signature: signature(seq) }])
}

/// The digest that is ordered at a slot: every fifth slot is null.
pub(super) fn digest(seq: u64, operation_bytes: usize) -> Digest {
    if seq.is_multiple_of(5) { null_digest(SeqNum(seq)) } else { batch(seq, operation_bytes).digest(SeqNum(seq)) }
}

pub(super) fn pre_prepare(view: u64, seq: u64, digest: Digest) -> Signed<PrePrepare> {
    signed(PrePrepare { view: View(view), seq: SeqNum(seq), digest })
}

pub(super) fn committed(seq: u64, digest: Digest) -> JournalRecord {
    let commit = Commit { view: View(0), seq: SeqNum(seq), digest };
    JournalRecord::Committed(CommitCertificate { commit, commits: votes(seq) })
}

pub(super) fn prepared(view: u64, seq: u64, digest: Digest) -> JournalRecord {
    let pre_prepare = pre_prepare(view, seq, digest);
    JournalRecord::Prepared(PreparedCertificate { pre_prepare, prepares: votes(seq) })
}

/// Everything that is journalled for a slot from its batch to its commit.
pub(super) fn slot(seq: u64, operation_bytes: usize) -> Vec<JournalRecord> {
    let digest = digest(seq, operation_bytes);
    let mut records = Vec::new();
    if !seq.is_multiple_of(5) {
        records.push(JournalRecord::Batch { seq: SeqNum(seq), batch: batch(seq, operation_bytes) });
    }
    records.push(JournalRecord::PrePrepared(pre_prepare(0, seq, digest)));
    records.push(prepared(0, seq, digest));
    records.push(committed(seq, digest));
    records
}

fn checkpoint(seq: u64) -> Checkpoint {
    Checkpoint { seq: SeqNum(seq), root: Digest::from_bytes([seq as u8; 32]) }
}

pub(super) fn taken(seq: u64) -> JournalRecord {
    JournalRecord::CheckpointTaken(checkpoint(seq))
}

pub(super) fn stable(seq: u64) -> JournalRecord {
    let signatures = votes(seq);
    JournalRecord::CheckpointStable(CheckpointCertificate { checkpoint: checkpoint(seq), signatures })
}

pub(super) fn view_change(target: u64) -> Signed<ViewChange> {
    signed(ViewChange { target: View(target), stable: None, prepared: Vec::new() })
}

pub(super) fn entered(target: u64) -> JournalRecord {
    let view_changes = vec![view_change(target)];
    let named = view_changes.iter().map(|view_change| (view_change.signer, view_change.digest())).collect();
    let new_view = signed(NewView { target: View(target), view_changes: named, pre_prepares: Vec::new() });
    JournalRecord::ViewEntered(EnteredView { new_view, view_changes })
}

pub(super) fn fold<'a>(records: impl IntoIterator<Item = &'a JournalRecord>) -> Promises {
    let mut promises = Promises::default();
    records.into_iter().for_each(|record| promises.fold(record));
    promises
}

pub(super) fn identity() -> Identity {
    Identity {
        chain_id: Digest::from_bytes([3; 32]),
        replica: ReplicaId(2),
        key: KeyPair::from_seed(&[1; 32]).public(),
    }
}

pub(super) fn options(segment_bytes: u64, history_bytes: u64) -> JournalOptions {
    JournalOptions { segment_bytes, history_bytes, window: 256, disk_bytes_max: 0, disk_reserve_bytes: 0 }
}

/// A home that is removed at the end of the test.
pub(super) struct TestHome {
    folder: TempDir,
    pub(super) options: JournalOptions,
}

impl TestHome {
    pub(super) fn new(segment_bytes: u64, history_bytes: u64) -> Self {
        // Thousands of small files: in memory where the system has such a folder.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        TestHome { folder, options: options(segment_bytes, history_bytes) }
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn home(&self) -> Home {
        Home::open_or_create(self.path(), identity()).unwrap()
    }

    pub(super) fn try_open(&self) -> Result<Opened, StorageError> {
        Journal::open(&self.home(), self.options, Arc::new(SystemDisk { fsync: false }))
    }

    pub(super) fn open(&self) -> Opened {
        self.try_open().unwrap()
    }

    /// The segments, oldest first.
    pub(super) fn segments(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.path().join("journal")).unwrap();
        let mut files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|ending| ending == "segment"));
        files.sort();
        files
    }

    pub(super) fn last_segment(&self) -> PathBuf {
        self.segments().pop().unwrap()
    }

    /// Everything in the journal's folder, to be put back by [`TestHome::restore`].
    pub(super) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let files = fs::read_dir(self.path().join("journal")).unwrap();
        let mut files: Vec<_> =
            files.map(|entry| entry.unwrap().path()).map(|p| (p.clone(), fs::read(p).unwrap())).collect();
        files.sort();
        files
    }

    pub(super) fn restore(&self, files: &[(PathBuf, Vec<u8>)]) {
        let _ = fs::remove_dir_all(self.path().join("journal"));
        let _ = fs::remove_dir_all(self.path().join("damaged"));
        fs::create_dir(self.path().join("journal")).unwrap();
        files.iter().for_each(|(path, bytes)| put(path, bytes));
    }
}

/// Where the written part of a segment ends.
pub(super) fn used(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
}

/// Puts a file in place of another. Writing into the old one would make some file systems wait for the disk.
pub(super) fn put(path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
    let _ = fs::remove_file(&path);
    fs::write(path, bytes).unwrap();
}
