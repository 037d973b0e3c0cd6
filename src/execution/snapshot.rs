//! A whole replicated state at one slot: what a checkpoint keeps, what is written to disk, and what a restart reads.

use std::io::{self, Read, Write};
use std::sync::Arc;

use quorate_crypto::Digest;
use serde::{Deserialize, Serialize};

use super::application::{Application, ApplicationSnapshot};
use super::client_table::ClientTable;
use crate::codec::{self, DecodeError};
use crate::genesis::Genesis;
use crate::messages::client::RootParts;
use crate::types::{SeqNum, WallTime};

/// Everything that execution has made of the history up to a slot. A clone is cheap and can be written by another thread.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub(super) position: Position,
    pub(super) clients: ClientTable,
    pub(super) application: Arc<dyn ApplicationSnapshot>,
}

/// How far a history goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    /// The network.
    pub(super) chain_id: Digest,
    /// The last executed slot.
    pub(super) seq: SeqNum,
    /// The chain hash after it.
    pub(super) chain: Digest,
    /// The agreed time at it.
    pub(super) time: WallTime,
}

/// What stands at the head of a written snapshot.
#[derive(Serialize, Deserialize)]
struct Header {
    position: Position,
    root: Digest,
}

/// The version, five fields of fixed width and the root.
const HEADER_BYTES: usize = 1 + 32 + 8 + 32 + 8 + 32;

/// Why a snapshot cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The source failed or ended, or what it holds is no state.
    #[error("reading the snapshot: {0}")]
    Read(#[from] io::Error),
    /// The head is of another version, or none.
    #[error("the head of the snapshot: {0}")]
    Header(#[from] DecodeError),
    /// A snapshot of another network.
    #[error("the snapshot belongs to network {0}")]
    OtherNetwork(Digest),
    /// The content does not have the root that the head names.
    #[error("the snapshot of slot {seq} has root {found}, its head says {expected}")]
    Root {
        /// The slot.
        seq: SeqNum,
        /// What the head says.
        expected: Digest,
        /// What was computed.
        found: Digest,
    },
    /// Something follows the state.
    #[error("bytes follow the snapshot")]
    Trailing,
}

impl Snapshot {
    /// The slot after which this was the state.
    #[must_use]
    pub fn seq(&self) -> SeqNum {
        self.position.seq
    }

    /// The chain hash there.
    #[must_use]
    pub fn chain(&self) -> Digest {
        self.position.chain
    }

    /// The agreed time there.
    #[must_use]
    pub fn time(&self) -> WallTime {
        self.position.time
    }

    /// What the root is made of.
    #[must_use]
    pub fn parts(&self) -> RootParts {
        let Position { chain, time, .. } = self.position;
        RootParts { application: self.application.root(), client_table: self.clients.root(), chain, time }
    }

    /// The root that a Checkpoint names.
    #[must_use]
    pub fn root(&self) -> Digest {
        self.parts().root(self.position.seq)
    }

    /// The application's part.
    #[must_use]
    pub fn application(&self) -> &dyn ApplicationSnapshot {
        self.application.as_ref()
    }

    /// Writes it for [`Executor::restore`](super::Executor::restore).
    ///
    /// # Errors
    /// Those of the sink.
    pub fn write(&self, sink: &mut dyn Write) -> io::Result<()> {
        sink.write_all(&codec::encode(&Header { position: self.position, root: self.root() }))?;
        self.clients.write(sink)?;
        self.application.write(sink)
    }
}

/// Reads a snapshot up to its end, the application's part into `application`, and compares the root.
pub(super) fn read_snapshot(
    genesis: &Genesis,
    application: &mut dyn Application,
    source: &mut dyn Read,
) -> Result<Snapshot, RestoreError> {
    let mut header = [0; HEADER_BYTES];
    source.read_exact(&mut header)?;
    let Header { position, root } = codec::decode(&header)?;
    if position.chain_id != genesis.chain_id() {
        return Err(RestoreError::OtherNetwork(position.chain_id));
    }
    let clients = ClientTable::read(genesis.limits.client_window, source)?;
    application.restore(source)?;
    if source.read(&mut [0])? != 0 {
        return Err(RestoreError::Trailing);
    }
    let snapshot = Snapshot { position, clients, application: application.snapshot() };
    let found = snapshot.root();
    if found != root {
        return Err(RestoreError::Root { seq: position.seq, expected: root, found });
    }
    Ok(snapshot)
}
