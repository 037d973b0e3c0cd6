//! A [`State`] as a stream of bytes: its pages, each behind its length, and a length of zero at the end.

use std::io::{self, Read, Write};

use super::state::{KEY_BYTES_MAX, PAGE_WEIGHT_MAX, State, StateBuilder, StateError, StateLimits, VALUE_BYTES_MAX};

/// The longest page: several entries weigh at most [`PAGE_WEIGHT_MAX`], one alone at most its key, value and lengths.
const PAGE_BYTES_MAX: usize = {
    let entry = 8 + KEY_BYTES_MAX + VALUE_BYTES_MAX;
    if entry > PAGE_WEIGHT_MAX { entry } else { PAGE_WEIGHT_MAX }
};

/// Writes all entries.
///
/// # Errors
/// Those of the sink.
pub(super) fn write_state(state: &State, sink: &mut dyn Write) -> io::Result<()> {
    for page in state.pages() {
        let length = u32::try_from(page.len()).expect("a page is at most PAGE_BYTES_MAX long");
        sink.write_all(&length.to_le_bytes())?;
        sink.write_all(&page)?;
    }
    sink.write_all(&0u32.to_le_bytes())
}

/// Reads what [`write_state`] wrote and nothing behind it. The memory it takes is bounded by the limits.
///
/// # Errors
/// Those of the source, and [`io::ErrorKind::InvalidData`] for pages that are no state within the limits.
pub(super) fn read_state(limits: StateLimits, source: &mut dyn Read) -> io::Result<State> {
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

pub(super) fn invalid_data(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
