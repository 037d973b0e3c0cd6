//! A world that fails is made smaller, as long as it fails in the same way: fewer members, faults and operations, then an
//! earlier end, then fewer decisions that are not the most harmless ones. What is left replays exactly, and is short enough
//! that a person can follow it.
//!
//! | Module | What it holds |
//! | --- | --- |
//! | `subject` | a world that can be run again and again |
//! | `shrinker` | the smallest one so far, and attempts to replace it |
//! | `structure` | smaller options |
//! | `schedule` | simpler answers |
//! | `shrink` | [`shrink`]: one after the other |
//! | `schedule_file` | what is left, as a file |

mod schedule;
mod schedule_file;
#[expect(clippy::module_inception, reason = "the whole of it")]
mod shrink;
mod shrinker;
mod structure;
mod subject;

pub use schedule_file::{FILE_BYTES_MAX, InvalidSchedule, ScheduleFile};
pub use shrink::{Shrunk, shrink, shrink_as};
pub use shrinker::Progress;
pub use subject::{Failure, Subject};
