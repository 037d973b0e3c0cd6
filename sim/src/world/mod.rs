//! The world: replicas, clients, disks and a network in one thread and virtual time.
//!
//! | Module | What it holds |
//! | --- | --- |
//! | `world` | [`World`]: the state, and the loop that takes the next event |
//! | `queue` | the events, by time and drawn tie-break |
//! | `network` | what becomes of a message |
//! | `node` | one replica with its disk, its outbox and its executor |
//! | `acting` | what becomes of a core's actions: persist, then send, then execute |
//! | `executing` | the executor's side |
//! | `failing` | crashes and failing disks |
//! | `aftermath` | who stays broken when the network has calmed down |
//! | `disturbing` | partitions, clogs, filters, and an adversary who decides when messages arrive |
//! | `damaging` | damaged, lost and outdated homes |
//! | `settling` | the calm end, by when everything must be done |
//! | `stored_state` | durable snapshots |
//! | `starting` | how a replica starts |
//! | `lying` | Byzantine replicas |
//! | `transferring` | states that are served and fetched |
//! | `serving` | the clients' side |
//! | `rogues` | Byzantine clients |
//! | `noticing` | what the cores let know |
//! | `tracing` | the hash of everything that happens, and its text |

mod acting;
mod aftermath;
mod damaging;
mod disturbing;
mod executing;
mod failing;
mod lying;
mod network;
mod node;
mod noticing;
mod queue;
mod rogues;
mod serving;
mod settling;
mod starting;
mod stored_state;
mod tracing;
mod transferring;
#[expect(clippy::module_inception, reason = "the world of worlds")]
mod world;

pub use damaging::Mishap;
pub use world::{Ended, World};
