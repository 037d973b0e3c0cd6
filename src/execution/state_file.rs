//! A [`ReplicatedState`] as a stream of bytes: a head, then the pages of both parts, each behind its length, and a length of
//! zero after the last.

use std::io::{self, Read, Write};

use quorate_crypto::Digest;
use serde::{Deserialize, Serialize};

use super::replicated_state::{Position, ReplicatedState};
use super::state::{KEY_BYTES_MAX, PAGE_WEIGHT_MAX, State, StateBuilder, StateError, StateLimits, VALUE_BYTES_MAX};
use crate::codec;
use crate::genesis::Limits;

/// The longest page: several entries weigh at most [`PAGE_WEIGHT_MAX`], one alone at most its key, value and lengths.
const PAGE_BYTES_MAX: usize = {
    let entry = 8 + KEY_BYTES_MAX + VALUE_BYTES_MAX;
    if entry > PAGE_WEIGHT_MAX { entry } else { PAGE_WEIGHT_MAX }
};

/// What stands at the head.
#[derive(Serialize, Deserialize)]
struct Header {
    position: Position,
    root: Digest,
}

/// The version, five fields of fixed width and the root.
const HEADER_BYTES: usize = 1 + 32 + 8 + 32 + 8 + 32;

impl ReplicatedState {
    /// Writes it for [`ReplicatedState::read`].
    ///
    /// # Errors
    /// Those of the sink.
    pub fn write(&self, sink: &mut dyn Write) -> io::Result<()> {
        sink.write_all(&codec::encode(&Header { position: self.position, root: self.root() }))?;
        write_state(&self.clients, sink)?;
        write_state(&self.application, sink)
    }

    /// Reads a state up to its end, and compares the root. The memory it takes is bounded by the limits of the genesis.
    ///
    /// # Errors
    /// Those of the source, and [`io::ErrorKind::InvalidData`] for what is no whole state.
    pub fn read(limits: &Limits, source: &mut dyn Read) -> io::Result<Self> {
        let mut header = [0; HEADER_BYTES];
        source.read_exact(&mut header)?;
        let Header { position, root } = codec::decode(&header).map_err(invalid_data)?;
        let clients = read_state(StateLimits::default(), source)?;
        let application = read_state(StateLimits::from(limits), source)?;
        let state = ReplicatedState { position, clients, application };
        if source.read(&mut [0])? != 0 || state.root() != root {
            return Err(invalid_data(StateError::DamagedPage));
        }
        Ok(state)
    }
}

fn write_state(state: &State, sink: &mut dyn Write) -> io::Result<()> {
    for page in state.pages() {
        let length = u32::try_from(page.len()).expect("a page is at most PAGE_BYTES_MAX long");
        sink.write_all(&length.to_le_bytes())?;
        sink.write_all(&page)?;
    }
    sink.write_all(&0u32.to_le_bytes())
}

fn read_state(limits: StateLimits, source: &mut dyn Read) -> io::Result<State> {
    let mut builder = StateBuilder::new(limits);
    let mut page = vec![0; PAGE_BYTES_MAX];
    loop {
        let mut length = [0; 4];
        source.read_exact(&mut length)?;
        let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
        if length == 0 {
            return Ok(builder.finish());
        }
        let page = page.get_mut(..length).ok_or_else(|| invalid_data(StateError::DamagedPage))?;
        source.read_exact(page)?;
        builder.push_page(page).map_err(invalid_data)?;
    }
}

fn invalid_data(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
