//! Agreement: PBFT as a state machine without I/O. Events go in, actions come out; clocks, sockets, files and threads
//! are elsewhere. The same events at the same times give the same actions.

pub mod actions;
pub mod event;
pub mod notice;
pub mod promises;
pub mod rejection;

pub use actions::{Actions, JournalRecord, Order, Outgoing, Recipients};
pub use event::{Event, ExecutedBatch, ExecutedRequest, Report};
pub use notice::{Evidence, Notice, StepDownCause, SuspicionCause, ViewChangeCause};
pub use promises::{EnteredView, Promises, Recovered};
pub use rejection::Rejection;
