//! What a state accepts. The limits decide results, so all replicas must share them: the genesis holds them.

use crate::genesis::Limits;

/// No key is longer, whatever the genesis says: 128 bytes.
pub const KEY_BYTES_MAX: usize = 128;

/// No value is longer, whatever the genesis says: 64 KiB.
pub const VALUE_BYTES_MAX: usize = 64 * 1024;

/// No state weighs more, whatever the genesis says: 1 PiB, so that sums of weights never overflow.
pub const STATE_WEIGHT_MAX: u64 = 1 << 50;

/// A set of several entries is one page up to this weight in bytes. Part of the shape, and so of every root.
pub const PAGE_WEIGHT_MAX: usize = 1024;

/// What an entry counts beside the bytes of its key and value: its two lengths.
const ENTRY_OVERHEAD_BYTES: usize = 8;

/// What an entry adds to the weight of a state, in bytes.
#[must_use]
pub const fn entry_weight(key: &[u8], value: &[u8]) -> usize {
    ENTRY_OVERHEAD_BYTES + key.len() + value.len()
}

/// The limits of a state. A limit above the engine's own maximum means that maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateLimits {
    /// Bytes of a key, at most [`KEY_BYTES_MAX`].
    pub key_bytes_max: usize,
    /// Bytes of a value, at most [`VALUE_BYTES_MAX`].
    pub value_bytes_max: usize,
    /// Weight of the whole state: the sum of [`entry_weight`] over its entries, at most [`STATE_WEIGHT_MAX`].
    pub weight_max: u64,
}

impl Default for StateLimits {
    fn default() -> Self {
        StateLimits { key_bytes_max: KEY_BYTES_MAX, value_bytes_max: VALUE_BYTES_MAX, weight_max: STATE_WEIGHT_MAX }
    }
}

impl From<&Limits> for StateLimits {
    /// What the genesis says about the application's state.
    fn from(limits: &Limits) -> Self {
        let bytes = |limit| usize::try_from(limit).unwrap_or(usize::MAX);
        StateLimits {
            key_bytes_max: bytes(limits.key_bytes_max),
            value_bytes_max: bytes(limits.value_bytes_max),
            weight_max: limits.state_bytes_max,
        }
    }
}

impl StateLimits {
    /// The same limits, none above the engine's maximum.
    pub(super) fn clamped(self) -> Self {
        StateLimits {
            key_bytes_max: self.key_bytes_max.min(KEY_BYTES_MAX),
            value_bytes_max: self.value_bytes_max.min(VALUE_BYTES_MAX),
            weight_max: self.weight_max.min(STATE_WEIGHT_MAX),
        }
    }

    pub(super) fn check_entry(&self, key: &[u8], value: &[u8]) -> Result<(), StateError> {
        if key.len() > self.key_bytes_max {
            return Err(StateError::KeyTooLong { bytes: key.len(), bytes_max: self.key_bytes_max });
        }
        if value.len() > self.value_bytes_max {
            return Err(StateError::ValueTooLong { bytes: value.len(), bytes_max: self.value_bytes_max });
        }
        Ok(())
    }

    pub(super) fn check_weight(&self, weight: u64) -> Result<(), StateError> {
        if weight > self.weight_max {
            return Err(StateError::StateTooHeavy { weight, weight_max: self.weight_max });
        }
        Ok(())
    }
}

/// Why entries were refused. The state is what it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// The key is longer than the limit.
    #[error("a key of {bytes} bytes exceeds the limit of {bytes_max}")]
    KeyTooLong {
        /// Length of the key.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// The value is longer than the limit.
    #[error("a value of {bytes} bytes exceeds the limit of {bytes_max}")]
    ValueTooLong {
        /// Length of the value.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// The state would weigh more than the limit.
    #[error("a state of weight {weight} exceeds the limit of {weight_max}")]
    StateTooHeavy {
        /// Weight after the change.
        weight: u64,
        /// The limit.
        weight_max: u64,
    },
    /// Entries of a bulk build do not come in strictly ascending order of their keys.
    #[error("keys are not in strictly ascending order")]
    OutOfOrder,
    /// The bytes are no packed page.
    #[error("damaged page")]
    DamagedPage,
}
