//! The genesis: everything that all replicas of one network must share, because it decides what is valid or what an
//! operation results in. Its hash is the chain id, which every signature covers.

use std::collections::BTreeSet;

use quorate_crypto::{Digest, Hasher, InvalidKey, SignatureScheme};
use serde::{Deserialize, Serialize};

use crate::codec;
use crate::committee::{Committee, InvalidCommittee};
use crate::types::{ClientId, Epoch, SeqNum, WallTime};

/// The most clients a genesis can list.
pub const CLIENTS_MAX: usize = 65_536;

/// What a request weighs beside its operation: name (48), length (8) and signature (64).
pub const REQUEST_OVERHEAD_BYTES: u64 = 48 + 8 + 64;

/// What all replicas of one network share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    /// The format of this file, [`codec::FORMAT_VERSION`].
    pub version: u8,
    /// A name for people. Networks with different names have different chain ids.
    pub network: String,
    /// When the network was founded: the agreed time before the first batch.
    pub time: WallTime,
    /// The limits that validity and results rest on.
    pub limits: Limits,
    /// The replicas.
    pub committee: Committee,
    /// Who may send requests.
    pub clients: Vec<ClientId>,
}

/// The limits that all replicas share. Sizes are in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// K: a checkpoint is taken every so many slots.
    pub checkpoint_interval: u64,
    /// C: how many requests of one client may be under way.
    pub client_window: u64,
    /// The largest operation.
    pub operation_bytes_max: u64,
    /// The largest outcome; a larger one becomes a refusal.
    pub outcome_bytes_max: u64,
    /// The most requests in a batch.
    pub batch_requests_max: u64,
    /// The largest body of a batch.
    pub batch_bytes_max: u64,
    /// The longest key of the application's state.
    pub key_bytes_max: u64,
    /// The largest value of the application's state.
    pub value_bytes_max: u64,
    /// The most the application's state may weigh.
    pub state_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            checkpoint_interval: 128,
            client_window: 256,
            operation_bytes_max: 64 << 10,
            outcome_bytes_max: 8 << 10,
            batch_requests_max: 1024,
            batch_bytes_max: 512 << 10,
            key_bytes_max: 128,
            value_bytes_max: 64 << 10,
            state_bytes_max: 4 << 30,
        }
    }
}

impl Limits {
    /// L = 2K: how far beyond the low watermark a replica votes.
    #[must_use]
    pub fn window(&self) -> u64 {
        self.checkpoint_interval.saturating_mul(2)
    }

    /// Whether a checkpoint is taken at `seq`.
    #[must_use]
    pub fn is_checkpoint(&self, seq: SeqNum) -> bool {
        seq.0.is_multiple_of(self.checkpoint_interval)
    }

    /// The greatest checkpoint at or below `seq`.
    #[must_use]
    pub fn checkpoint_at_or_below(&self, seq: SeqNum) -> SeqNum {
        SeqNum(seq.0 - seq.0 % self.checkpoint_interval)
    }
}

/// Why a genesis cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidGenesis {
    /// Written by another version.
    #[error("genesis format {0}, this release reads {expected}", expected = codec::FORMAT_VERSION)]
    Version(u8),
    /// The committee is none.
    #[error("committee: {0}")]
    Committee(#[from] InvalidCommittee),
    /// A key that must not be used.
    #[error("key {key}: {reason}")]
    Key {
        /// The key in hexadecimal digits.
        key: String,
        /// What is wrong with it.
        reason: InvalidKey,
    },
    /// Too many clients, or one twice.
    #[error("clients: at most {CLIENTS_MAX}, each once")]
    Clients,
    /// A limit outside the range in which the engine works.
    #[error("limit {name} = {value} is outside {min}..={max}")]
    Limit {
        /// The limit's name in the genesis file.
        name: &'static str,
        /// Its value there.
        value: u64,
        /// The least allowed value.
        min: u64,
        /// The greatest allowed value.
        max: u64,
    },
}

impl Genesis {
    /// The chain id: the hash of the canonical genesis. Two networks never share it.
    #[must_use]
    pub fn chain_id(&self) -> Digest {
        Hasher::new("quorate/genesis/v1").bytes(&codec::canonical(self)).finish()
    }

    /// The only epoch of this version.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        Epoch(0)
    }

    /// Checks everything that the engine relies on.
    ///
    /// # Errors
    /// [`InvalidGenesis`] with the first thing that is wrong.
    pub fn validate(&self, scheme: &dyn SignatureScheme) -> Result<(), InvalidGenesis> {
        if self.version != codec::FORMAT_VERSION {
            return Err(InvalidGenesis::Version(self.version));
        }
        self.committee.validate()?;
        let clients: BTreeSet<_> = self.clients.iter().collect();
        if self.clients.len() > CLIENTS_MAX || clients.len() != self.clients.len() {
            return Err(InvalidGenesis::Clients);
        }
        for key in self.committee.keys().iter().chain(self.clients.iter().map(|client| &client.0)) {
            scheme.check_key(key).map_err(|reason| InvalidGenesis::Key { key: key.to_string(), reason })?;
        }
        self.limits.validate()?;
        self.check_view_change_size()
    }

    /// A ViewChange with a full window must fit into a frame, and the Q of them that prove a view into one record of
    /// the journal. That bounds the window of a large committee.
    fn check_view_change_size(&self) -> Result<(), InvalidGenesis> {
        let quorum = self.committee.quorum() as u64;
        let certificate = CERTIFICATE_BYTES + quorum * VOTE_BYTES;
        let slots = (VIEW_CHANGE_BYTES_MAX / certificate).min(VIEW_RECORD_BYTES_MAX / (certificate * quorum));
        let max = slots.saturating_sub(1) / 2;
        if self.limits.checkpoint_interval <= max {
            return Ok(());
        }
        let (name, value) = ("checkpoint_interval", self.limits.checkpoint_interval);
        Err(InvalidGenesis::Limit { name, value, min: 1, max })
    }
}

/// What a prepared certificate takes beside its votes, and one vote.
const CERTIFICATE_BYTES: u64 = 2 + 48 + 64 + 8;
const VOTE_BYTES: u64 = 2 + 64;
/// Three quarters of the largest frame, and what leaves room for the other promises in a record of 16 MiB.
const VIEW_CHANGE_BYTES_MAX: u64 = 3 << 19;
const VIEW_RECORD_BYTES_MAX: u64 = 6 << 20;

impl Limits {
    fn validate(&self) -> Result<(), InvalidGenesis> {
        let ranges = [
            ("checkpoint_interval", self.checkpoint_interval, 1, 1024),
            ("client_window", self.client_window, 1, 4096),
            ("operation_bytes_max", self.operation_bytes_max, 1, 256 << 10),
            ("outcome_bytes_max", self.outcome_bytes_max, 64, 32 << 10),
            ("batch_requests_max", self.batch_requests_max, 1, 16_384),
            ("batch_bytes_max", self.batch_bytes_max, self.operation_bytes_max + REQUEST_OVERHEAD_BYTES, 1 << 20),
            ("key_bytes_max", self.key_bytes_max, 1, 128),
            ("value_bytes_max", self.value_bytes_max, 1, 64 << 10),
            ("state_bytes_max", self.state_bytes_max, 1 << 10, 1 << 50),
        ];
        match ranges.into_iter().find(|(_, value, min, max)| value < min || value > max) {
            Some((name, value, min, max)) => Err(InvalidGenesis::Limit { name, value, min, max }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use quorate_crypto::{Ed25519, KeyPair};

    use super::*;

    fn genesis(n: u8, checkpoint_interval: u64) -> Genesis {
        let keys = (0..n).map(|seed| KeyPair::from_seed(&[seed; 32]).public());
        Genesis {
            version: codec::FORMAT_VERSION,
            network: "test".to_owned(),
            time: WallTime(1),
            limits: Limits { checkpoint_interval, ..Limits::default() },
            committee: Committee::new(keys.collect()).unwrap(),
            clients: vec![ClientId(KeyPair::from_seed(&[99; 32]).public())],
        }
    }

    #[test]
    fn default_limits_suit_the_committees_they_are_meant_for() {
        for n in [1, 4, 5, 6, 7, 8, 10, 13, 25] {
            assert_eq!(genesis(n, 128).validate(&Ed25519), Ok(()), "n = {n}");
        }
    }

    #[test]
    fn a_window_whose_view_change_would_not_fit_into_a_frame_is_refused() {
        assert_eq!(genesis(4, 1024).validate(&Ed25519), Ok(()));
        for (n, interval) in [(64, 128), (64, 1024), (13, 1024)] {
            let refused = genesis(n, interval).validate(&Ed25519);
            assert!(matches!(refused, Err(InvalidGenesis::Limit { name: "checkpoint_interval", .. })), "{refused:?}");
        }
    }

    #[test]
    fn rejects_clients_twice_and_keys_that_prove_nothing() {
        let mut twice = genesis(4, 128);
        twice.clients.push(twice.clients[0]);
        assert_eq!(twice.validate(&Ed25519), Err(InvalidGenesis::Clients));
        let mut weak = genesis(4, 128);
        weak.clients.push(ClientId(quorate_crypto::PublicKey::from_bytes([0; 32])));
        assert!(matches!(weak.validate(&Ed25519), Err(InvalidGenesis::Key { .. })));
    }

    #[test]
    fn every_field_is_part_of_the_chain_id() {
        let base = genesis(4, 128);
        let mut others = vec![genesis(5, 128), genesis(4, 127)];
        others.push(Genesis { network: "other".to_owned(), ..base.clone() });
        others.push(Genesis { time: WallTime(2), ..base.clone() });
        others.push(Genesis { clients: Vec::new(), ..base.clone() });
        assert!(others.iter().all(|other| other.chain_id() != base.chain_id()));
    }
}
