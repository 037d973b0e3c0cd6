//! The limits of the genesis and the configuration of every replica.

use std::time::Duration;

use quorate::NodeConfig;
use quorate::genesis::Limits;

use super::machine::MachineOptions;
use super::network::NetworkOptions;
use crate::choices::Choices;

pub(super) fn draw_limits(choices: &mut Choices) -> Limits {
    Limits {
        checkpoint_interval: choices.pick(&[1, 2, 4, 4, 8, 8, 16, 32]),
        client_window: choices.pick(&[1, 2, 4, 16, 64]),
        operation_bytes_max: 64,
        batch_requests_max: choices.pick(&[1, 1, 2, 4, 16]),
        batch_bytes_max: 4096,
        ..Limits::default()
    }
}

/// How long a calm network takes for a request, or for a view change, at most.
pub(super) fn time_needed(network: &NetworkOptions, machine: &MachineOptions) -> Duration {
    network.delay.1 * 8 + machine.sync.1 * 4 + machine.execution.1
}

/// T is too short for the network in some worlds: it grows up to its cap, which is long enough.
pub(super) fn draw_config(choices: &mut Choices, network: &NetworkOptions, machine: &MachineOptions) -> NodeConfig {
    let needed = u64::try_from(time_needed(network, machine).as_millis()).unwrap_or(1);
    let drawn = needed * choices.between(1, 8);
    let timeout_ms = if choices.chance(200) { needed / choices.pick(&[2, 4]) } else { drawn };
    let timeout_ms = timeout_ms.clamp(50, 2_000);
    let status_ms = (timeout_ms / choices.between(2, 10)).clamp(10, 100);
    NodeConfig {
        timeout_ms,
        timeout_cap_ms: timeout_ms.max(needed * 4) * choices.pick(&[2, 4, 16]),
        link_grace_ms: choices.between(10, 250),
        status_ms,
        status_stalled_ms: choices.between(status_ms / 2, status_ms).max(5),
        pipeline_depth: choices.pick(&[1, 2, 8, 64]),
        batch_delay_us: choices.pick(&[0, 1_000, 5_000]),
        clock_drift_max_ms: 500,
        catch_up_slots_max: choices.pick(&[8, 64, 1 << 15]),
        pool_requests_max: choices.pick(&[4, 64, 1024]),
        ..NodeConfig::default()
    }
}
