//! Agreement: PBFT as a state machine without I/O. Events go in, actions come out; clocks, sockets, files and threads
//! are elsewhere. The same events at the same times give the same actions.
//!
//! [`Replica`] is the conductor; its chapters are `normal_case`, `checkpointing`, `suspecting`,
//! `view_changing`, `catching_up`, `helping`, `transferring` and `recovering`. The passive parts (`slot`, `window`, `fitness`, `held_votes`, `vote_set`, `request_pool`, `checkpoints`,
//! `view_changes`, `new_view`, `progress`, `peers`, `timers`) own their data and invariant, return outcomes, and never
//! call each other.

#![deny(clippy::indexing_slicing, reason = "what is received has the length that its sender chose")]

pub mod actions;
pub mod event;
pub mod footprint;
pub mod new_view;
pub mod notice;
pub mod promises;
pub mod rejection;
pub mod replica;

mod catching_up;
mod checkpointing;
mod checkpoints;
mod fitness;
mod held_votes;
mod helping;
mod invariants;
mod normal_case;
mod peers;
mod progress;
mod recovering;
mod request_pool;
mod slot;
mod suspecting;
mod timers;
mod transferring;
mod view_changes;
mod view_changing;
mod vote_set;
mod window;

pub use actions::{Actions, JournalRecord, Order, Outgoing, Recipients};
pub use event::{Event, ExecutedBatch, ExecutedRequest, Report, Space};
pub use footprint::Footprint;
pub use notice::{Evidence, LostPromises, Notice, StepDownCause, SuspicionCause, TransferCause, ViewChangeCause};
pub use promises::{EnteredView, Promises, Recovered, Recovery};
pub use rejection::Rejection;
pub use replica::{Identity, Phase, Replica};
