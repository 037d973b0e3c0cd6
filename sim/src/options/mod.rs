//! What differs from seed to seed (swarm testing): sizes, limits, time-outs, and the rate of every fault, some of them
//! zero. Each family has its own file: what it is, and how it is drawn.
//!
//! | Module | What it holds |
//! | --- | --- |
//! | `options` | [`Options`]: everything that is drawn once for a world |
//! | `replicas` | the limits of the genesis and the configuration of every replica |
//! | `clients` | what the clients do |
//! | `network` | what the network does to messages |
//! | `machine` | how long disks and executors take |
//! | `faults` | what breaks |
//! | `byzantine` | who lies |
//! | `settings` | all of them as a tree, whatever they are |
//! | `patience` | how long it may take until everything is done |

mod byzantine;
mod clients;
mod faults;
mod machine;
mod network;
#[expect(clippy::module_inception, reason = "the options of all families together")]
mod options;
mod patience;
mod replicas;
mod settings;

pub use byzantine::LyingOptions;
pub use clients::ClientOptions;
pub use faults::FaultOptions;
pub use machine::MachineOptions;
pub use network::NetworkOptions;
pub use options::Options;
pub use settings::{Setting, Settings};
