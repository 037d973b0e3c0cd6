//! What the network does to messages.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::choices::Choices;

/// The network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkOptions {
    /// The shortest and longest usual delay.
    pub delay: (Duration, Duration),
    /// Per mille of messages that are lost.
    pub loss: u64,
    /// Per mille that arrive twice.
    pub duplication: u64,
    /// Per mille that take up to twenty times the longest usual delay.
    pub straggling: u64,
    /// Per mille of messages that go through the codec.
    pub encoded: u64,
    /// Whether replicas learn of broken connections.
    pub notices_links: bool,
    /// Whether calls between two members keep their order.
    pub keeps_order: bool,
}

pub(super) fn draw_network(choices: &mut Choices) -> NetworkOptions {
    let shortest = Duration::from_micros(choices.between(50, 1_000));
    let longest = Duration::from_millis(choices.pick(&[1, 3, 10, 40]));
    NetworkOptions {
        delay: (shortest, shortest + longest),
        loss: choices.pick(&[0, 0, 5, 20, 100, 250]),
        duplication: choices.pick(&[0, 0, 10, 100]),
        straggling: choices.pick(&[0, 0, 10, 50]),
        encoded: choices.pick(&[20, 100, 1000]),
        notices_links: choices.chance(500),
        keeps_order: choices.chance(300),
    }
}
