//! A local network of real processes: replicas on loopback, clients that pay, primaries that are killed, and a check
//! that nothing was lost, done twice, or done differently anywhere.
//!
//! | Module | What it holds |
//! | --- | --- |
//! | [`arguments`] | the command line |
//! | [`cluster`], [`replica_process`], `folder` | the replicas as processes that never outlive this one |
//! | [`replica_status`], [`http`] | what the replicas say of themselves |
//! | [`payments`], [`balances`] | what is paid, and where every account must end |
//! | [`load`], [`tally`] | the clients, and what they measured |
//! | [`faults`] | killing primaries one after the other, and bringing them back |
//! | [`audit`] | whether all replicas hold the ledger that they must hold |
//! | [`display`], [`report`], `report_file` | what is shown meanwhile and at the end |
//! | [`run`], [`up`], `absence` | the three things that can be asked for |
//! | `node` | a replica as this program runs it |
//! | [`byzantine`] | replicas that lie |
//!
//! Invariant: a replica process ends with the thread that started it, so processes are started by the main thread only,
//! and nothing that is asked for runs longer than this process, however it ends.

mod absence;
pub mod arguments;
pub mod audit;
pub mod balances;
pub mod byzantine;
pub mod cluster;
pub mod display;
pub mod error;
pub mod faults;
mod folder;
pub mod http;
pub mod load;
mod node;
pub mod payments;
pub mod replica_process;
pub mod replica_status;
pub mod report;
mod report_file;
pub mod run;
mod signals;
pub mod tally;
pub mod up;

pub use arguments::Arguments;
pub use cluster::{Cluster, ClusterPlan};
pub use error::TestnetError;
