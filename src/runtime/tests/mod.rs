//! Threads of the runtime, driven by hand: their queues are looked into instead of being read by other threads.

mod executor;
mod installing;
mod snapshots;
mod staged;
