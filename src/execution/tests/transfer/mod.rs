//! A state transfer from beginning to end: a fetching replica, sources of every conduct, and a network with a clock that
//! stands still unless something waits for it.
//!
//! | Module | What it checks |
//! | --- | --- |
//! | `sources` | sources that lie, die, are slow or silent |
//! | `goals` | the goal moves; the fetch is begun again after a restart |
//! | `serving` | what a serving replica holds, and how fast it answers |
//! | `exactly` | whatever the states and the sources, the certified state comes out; the client table with it |
//! | `network` | the network |

#![allow(clippy::wildcard_enum_match_arm, reason = "a test names what it expects")]

mod exactly;
mod goals;
mod network;
mod serving;
mod sources;
