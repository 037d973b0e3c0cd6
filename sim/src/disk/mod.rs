//! The disk of a simulated replica: files with what is durable of them, under the engine's own journal.
//!
//! A file is an image and the operations on it that nobody has synced. When the power fails, each of those is lost,
//! applied, cut at a sector or reordered; names behave alike until their folder is synced. When only the process ends,
//! the system keeps what it was given. A fuse makes the power fail within whatever the replica does next, however deep;
//! a sync may fail and be forgotten; the disk may be full; it may damage or lose what was durable; and it may lie: confirm
//! syncs and renames that the next power failure undoes, and writes that land elsewhere.
//!
//! | Module | What it holds |
//! | --- | --- |
//! | `file` | one file: the durable image, what readers see, and the operations in between |
//! | `file_system` | names and files, room and power |
//! | `names` | what changes a name |
//! | [`lies`] | what a disk says that is not true |
//! | [`simulated`] | [`SimDisk`], which the engine is given, and what its world does to it |
//! | [`damage`] | what becomes of files that were durable |
//! | [`persister`] | the journal on it, with one sync under way at a time |

pub mod damage;
mod file;
mod file_system;
pub mod lies;
mod names;
pub mod persister;
pub mod simulated;

pub use damage::Damage;
pub use lies::Lie;
pub use persister::Persister;
pub use simulated::{DiskCopy, SimDisk};
