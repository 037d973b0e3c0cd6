//! `quorate-testnet absence`: a replica that was away comes back, while the others serve.
//!
//! Case 1: it misses many operations, and its disk is as it left it. Case 2: its disk was emptied, on a ledger with many
//! accounts. In both the others are offered half of what four replicas did at their peak, in an open loop: payments come at
//! their times, whether or not earlier ones were answered, and their latencies count from those times.
//!
//! | Module | What it holds |
//! | --- | --- |
//! | `run` | [`absence`]: both cases, one after the other |
//! | `case` | [`Case`](case::Case): what is different between them; the course of one |
//! | `comeback` | the new start, until it is at the head and votes |
//! | `course` | the replicas under load, looked at ten times a second |
//! | `drive` | the clients, in a closed or an open loop |
//! | `opening` | how a ledger with a million accounts comes about |
//! | `look`, `timeline` | how the absent replica is found, and a line each second |
//! | `report` | what a case has shown, and which claims do not hold |

mod case;
mod comeback;
mod course;
mod drive;
mod look;
mod opening;
mod report;
mod run;
mod timeline;

pub(crate) use run::absence;
