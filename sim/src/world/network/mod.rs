//! The network: how long a message takes, whether it arrives, and who cannot reach whom.
//!
//! Until the network calms down it delays, loses, doubles and reorders what passes, and is disturbed for a while in ways
//! that are drawn. From then on every message arrives within Δ.
//!
//! | Module | What it holds |
//! | --- | --- |
//! | `channels` | [`Network`]: what becomes of a message between two members, or a client and a member |
//! | `cut` | partitions of every shape |
//! | `clog` | links that hold everything back and let it go at once |
//! | `filter` | one kind of message that does not pass |
//! | `scheduler` | an adversary who holds back the vote that completes a quorum |

mod channels;
mod clog;
mod cut;
mod filter;
mod scheduler;

pub(super) use channels::{Network, Passage, nanoseconds};
pub(super) use clog::Clog;
pub(super) use cut::{Cut, CutShape};
pub(super) use filter::{FILTERED_KINDS, Filter, FilterSide};
pub(super) use scheduler::{Hold, Released, Scheduler, Target};
