//! What the clients do.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::choices::Choices;

/// The clients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientOptions {
    /// How many.
    pub count: u64,
    /// How many operations each submits.
    pub operations: u64,
    /// How many more when the network has calmed down.
    pub late_operations: u64,
    /// How many may be under way at once for each.
    pub at_once: usize,
    /// How many different keys the operations touch.
    pub keys: u64,
    /// The longest pause between two.
    pub pause: Duration,
    /// The first and the longest pause before a request is sent again.
    pub retry: (Duration, Duration),
}

pub(super) fn draw_clients(choices: &mut Choices, members: u16) -> ClientOptions {
    let operations = if members > 7 { choices.between(3, 15) } else { choices.between(5, 40) };
    let first = Duration::from_millis(choices.between(50, 500));
    ClientOptions {
        count: choices.between(1, 4),
        operations,
        late_operations: choices.between(1, 5),
        at_once: usize::try_from(choices.between(1, 8)).unwrap_or(1),
        keys: choices.pick(&[4, 32, 256]),
        pause: Duration::from_millis(choices.pick(&[1, 20, 100, 400])),
        retry: (first, first * 8),
    }
}
