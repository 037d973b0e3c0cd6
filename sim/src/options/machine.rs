//! How long disks and executors take.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::choices::Choices;

/// Disks and executors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MachineOptions {
    /// The shortest and longest sync.
    pub sync: (Duration, Duration),
    /// The shortest and longest execution of a batch.
    pub execution: (Duration, Duration),
    /// Per mille of stable checkpoints of which a snapshot is written.
    pub snapshots: u64,
    /// The size of a segment of a journal, and how much history is kept.
    pub segment_bytes: u64,
    /// How much history a journal keeps below its low watermark.
    pub history_bytes: u64,
    /// How many slots an answer from the journal carries at most.
    pub history_slots: u64,
    /// How far wall clocks are off, at most.
    pub clock_error: Duration,
}

pub(super) fn draw_machine(choices: &mut Choices) -> MachineOptions {
    let sync = Duration::from_micros(choices.pick(&[20, 200, 1_000, 5_000]));
    let execution = Duration::from_micros(choices.pick(&[20, 100, 500, 3_000]));
    MachineOptions {
        sync: (sync / 4, sync * 3),
        execution: (execution / 4, execution * 3),
        snapshots: choices.pick(&[0, 200, 1000]),
        segment_bytes: choices.pick(&[8 << 10, 64 << 10, 512 << 10]),
        history_bytes: choices.pick(&[0, 0, 16 << 10, 1 << 40]),
        history_slots: choices.pick(&[1, 4, 16, 256]),
        clock_error: Duration::from_millis(choices.pick(&[0, 5, 200])),
    }
}
