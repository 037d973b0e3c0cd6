//! What may differ between the replicas of one network: time-outs, bounds of memory and disk, batching. Nothing here
//! decides whether a message is valid or what an operation results in; that stands in the [genesis](crate::genesis).

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The settings of one replica's engine. `Default` is the table of defaults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NodeConfig {
    /// T: how long a request, or the NewView, may take before the primary is suspected. Milliseconds.
    pub timeout_ms: u64,
    /// What T grows to at most when views are fruitless. Milliseconds.
    pub timeout_cap_ms: u64,
    /// How long a broken connection to the primary may stay broken. Milliseconds.
    pub link_grace_ms: u64,
    /// The period of Status. Milliseconds.
    pub status_ms: u64,
    /// The period of Status while slots make no progress. Milliseconds.
    pub status_stalled_ms: u64,
    /// How many slots the primary keeps in flight.
    pub pipeline_depth: u64,
    /// How long a request may wait for its batch to fill. Microseconds.
    pub batch_delay_us: u64,
    /// How far ahead of this replica's clock a fresh proposal's time may be before its vote waits. Milliseconds.
    pub clock_drift_max_ms: u64,
    /// The most requests that wait to be ordered.
    pub pool_requests_max: u64,
    /// The most bytes that wait to be ordered.
    pub pool_bytes_max: u64,
    /// The most bytes of unexecuted batches at which the primary goes on proposing.
    pub window_bytes_max: u64,
    /// Verified signatures that are remembered.
    pub memo_entries_max: u64,
    /// Whether the journal waits for the disk. Only a benchmark may say no.
    pub fsync: bool,
    /// The size of a journal segment. Bytes.
    pub segment_bytes: u64,
    /// The history that is kept below the stable checkpoint for those who fell behind. Bytes.
    pub history_bytes: u64,
    /// What the whole home may take on the disk; 0 for as much as there is. Bytes.
    pub disk_bytes_max: u64,
    /// The room that must be left on the disk, or below `disk_bytes_max`, for a replica that votes. Two segments at
    /// least are wise. Bytes.
    pub disk_reserve_bytes: u64,
    /// A replica that is further behind fetches a state, and not the log. Slots.
    pub catch_up_slots_max: u64,
    /// J: a durable snapshot is written every so many checkpoints.
    pub snapshot_checkpoints: u64,
    /// M: or sooner, when so much was journalled since the last one. Bytes.
    pub snapshot_journal_bytes: u64,
    /// How fast whole states are served to members that fetch one, in total. Bytes per second.
    pub transfer_bytes_per_second: u64,
    /// The same for one member.
    pub transfer_member_bytes_per_second: u64,
}

impl Default for NodeConfig {
    fn default() -> Self {
        NodeConfig {
            timeout_ms: 1_000,
            timeout_cap_ms: 16_000,
            link_grace_ms: 250,
            status_ms: 100,
            status_stalled_ms: 20,
            pipeline_depth: 8,
            batch_delay_us: 1_000,
            clock_drift_max_ms: 1_000,
            pool_requests_max: 16_384,
            pool_bytes_max: 64 << 20,
            window_bytes_max: 64 << 20,
            memo_entries_max: 65_536,
            fsync: true,
            segment_bytes: 64 << 20,
            history_bytes: 1 << 30,
            disk_bytes_max: 0,
            disk_reserve_bytes: 256 << 20,
            catch_up_slots_max: 1 << 15,
            snapshot_checkpoints: 16,
            snapshot_journal_bytes: 256 << 20,
            transfer_bytes_per_second: 8 << 20,
            transfer_member_bytes_per_second: 4 << 20,
        }
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} = {value} is outside {min}..={max}")]
pub struct InvalidConfig {
    /// The setting.
    pub name: &'static str,
    /// Its value.
    pub value: u64,
    /// The least allowed value.
    pub min: u64,
    /// The greatest allowed value.
    pub max: u64,
}

impl NodeConfig {
    /// Checks every setting against the range in which the engine works.
    ///
    /// # Errors
    /// [`InvalidConfig`] with the first setting that is out of range.
    pub fn validated(self) -> Result<Self, InvalidConfig> {
        let ranges = [
            ("timeout_ms", self.timeout_ms, 10, 600_000),
            ("timeout_cap_ms", self.timeout_cap_ms, self.timeout_ms, 3_600_000),
            ("link_grace_ms", self.link_grace_ms, 1, 600_000),
            ("status_ms", self.status_ms, 5, self.timeout_ms / 2),
            ("status_stalled_ms", self.status_stalled_ms, 5, self.status_ms),
            ("pipeline_depth", self.pipeline_depth, 1, 1024),
            ("batch_delay_us", self.batch_delay_us, 0, 1_000_000),
            ("clock_drift_max_ms", self.clock_drift_max_ms, 0, 3_600_000),
            ("pool_requests_max", self.pool_requests_max, 1, 1 << 20),
            ("pool_bytes_max", self.pool_bytes_max, 1 << 20, 16 << 30),
            ("window_bytes_max", self.window_bytes_max, 1 << 20, 16 << 30),
            ("memo_entries_max", self.memo_entries_max, 0, 1 << 24),
            ("segment_bytes", self.segment_bytes, 8 << 20, 1 << 30),
            ("history_bytes", self.history_bytes, 0, 1 << 50),
            ("disk_bytes_max", self.disk_bytes_max, 0, 1 << 50),
            ("disk_reserve_bytes", self.disk_reserve_bytes, 0, 1 << 50),
            ("catch_up_slots_max", self.catch_up_slots_max, 1, 1 << 40),
            ("snapshot_checkpoints", self.snapshot_checkpoints, 1, 1 << 20),
            ("snapshot_journal_bytes", self.snapshot_journal_bytes, 1 << 20, 1 << 50),
            ("transfer_bytes_per_second", self.transfer_bytes_per_second, 64 << 10, 1 << 40),
            ("transfer_member_bytes_per_second", self.transfer_member_bytes_per_second, 64 << 10, 1 << 40),
        ];
        match ranges.into_iter().find(|(_, value, min, max)| value < min || value > max) {
            Some((name, value, min, max)) => Err(InvalidConfig { name, value, min, max }),
            None => Ok(self),
        }
    }

    /// T as a duration.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    /// The cap of T.
    #[must_use]
    pub fn timeout_cap(&self) -> Duration {
        Duration::from_millis(self.timeout_cap_ms)
    }

    /// The grace of a broken link.
    #[must_use]
    pub fn link_grace(&self) -> Duration {
        Duration::from_millis(self.link_grace_ms)
    }

    /// The period of Status.
    #[must_use]
    pub fn status_period(&self, stalled: bool) -> Duration {
        Duration::from_millis(if stalled { self.status_stalled_ms } else { self.status_ms })
    }

    /// How long a batch may fill.
    #[must_use]
    pub fn batch_delay(&self) -> Duration {
        Duration::from_micros(self.batch_delay_us)
    }

    /// The tolerated lead of a proposal's time.
    #[must_use]
    pub fn clock_drift_max(&self) -> Duration {
        Duration::from_millis(self.clock_drift_max_ms)
    }
}
