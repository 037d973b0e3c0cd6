//! Everything that is drawn once for a world.

use std::time::Duration;

use quorate::genesis::Limits;
use quorate::{NodeConfig, ReplicaId};
use serde::{Deserialize, Serialize};

use super::byzantine::{LyingOptions, draw_byzantine, draw_lying};
use super::clients::{ClientOptions, draw_clients};
use super::faults::{FaultOptions, draw_faults};
use super::machine::{MachineOptions, draw_machine};
use super::network::{NetworkOptions, draw_network};
use super::replicas::{draw_config, draw_limits};
use crate::choices::Choices;

/// Everything that is drawn once for a world. As text it is part of a recorded schedule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// n.
    pub members: u16,
    /// The Byzantine replicas, at most f.
    pub byzantine: Vec<ReplicaId>,
    /// What they do.
    pub lying: LyingOptions,
    /// Whether Ed25519 signs instead of a keyed hash.
    pub real_signatures: bool,
    /// The limits of the genesis.
    pub limits: Limits,
    /// The configuration of every replica.
    pub config: NodeConfig,
    /// What the clients do.
    pub clients: ClientOptions,
    /// What the network does before it calms down.
    pub network: NetworkOptions,
    /// How long disks and executors take.
    pub machine: MachineOptions,
    /// What breaks before the network calms down.
    pub faults: FaultOptions,
    /// GST, the global stabilisation time: from here on every replica runs and every message arrives in time.
    pub calm_at: Duration,
}

impl Options {
    /// The options of a seed, for a committee of `members` or one of drawn size.
    pub fn draw(choices: &mut Choices, members: Option<u16>) -> Self {
        let drawn = choices.pick(&[4, 4, 4, 4, 5, 6, 7, 7, 10, 13]);
        let members = members.unwrap_or(drawn);
        let byzantine = draw_byzantine(choices, members);
        let network = draw_network(choices);
        let machine = draw_machine(choices);
        let config = draw_config(choices, &network, &machine);
        let calm_at = Duration::from_millis(choices.between(500, 6_000));
        Options {
            members,
            lying: draw_lying(choices, &byzantine),
            byzantine,
            real_signatures: choices.chance(5),
            limits: draw_limits(choices),
            clients: draw_clients(choices, members),
            network,
            machine,
            config,
            faults: draw_faults(choices),
            calm_at,
        }
    }

    /// f.
    #[must_use]
    pub fn faulty_max(&self) -> u64 {
        (u64::from(self.members) - 1) / 3
    }

    /// Δ: how long anything takes at most once the network is calm.
    #[must_use]
    pub fn calm_delay(&self) -> Duration {
        self.network.delay.1
    }
}
