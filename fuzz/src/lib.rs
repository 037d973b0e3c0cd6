//! What the targets share.

mod allocation;

pub use allocation::bounded;
