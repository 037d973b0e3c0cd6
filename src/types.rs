//! The numbers and names of the protocol: a newtype for each, with checked arithmetic.

use std::fmt;
use std::time::Duration;

use quorate_crypto::PublicKey;
use serde::{Deserialize, Serialize};

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number!(
    /// A replica's place in the committee, from 0.
    ReplicaId(u16)
);
number!(
    /// A view. Its primary is `view mod n`.
    View(u64)
);
number!(
    /// A sequence number: a slot in the history of batches. The first is 1; 0 stands for the genesis.
    SeqNum(u64)
);
number!(
    /// A period with one committee. This version knows the first, 0, only.
    Epoch(u64)
);
number!(
    /// A client's session: larger than any before, chosen when the client starts.
    Session(u64)
);
number!(
    /// The number of a request within its session, from 1.
    RequestNumber(u64)
);
number!(
    /// Nanoseconds on a monotonic clock whose origin means nothing. Never leaves the process.
    Instant(u64)
);
number!(
    /// Nanoseconds since the Unix epoch.
    WallTime(u64)
);

impl ReplicaId {
    /// The place as an index into a list of members.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl View {
    /// The view after this one; the last view has none and stays.
    #[must_use]
    pub const fn next(self) -> View {
        View(self.0.saturating_add(1))
    }

    /// The view `distance` later, at most the last one.
    #[must_use]
    pub const fn plus(self, distance: u64) -> View {
        View(self.0.saturating_add(distance))
    }
}

impl SeqNum {
    /// The genesis: nothing is ordered at it.
    pub const GENESIS: SeqNum = SeqNum(0);

    /// The slot after this one.
    #[must_use]
    pub const fn next(self) -> SeqNum {
        SeqNum(self.0.saturating_add(1))
    }

    /// The slot before this one; the genesis for the genesis.
    #[must_use]
    pub const fn previous(self) -> SeqNum {
        SeqNum(self.0.saturating_sub(1))
    }

    /// The slot `distance` later, at most the last one.
    #[must_use]
    pub const fn plus(self, distance: u64) -> SeqNum {
        SeqNum(self.0.saturating_add(distance))
    }

    /// How far this slot lies after `earlier`; 0 when it does not.
    #[must_use]
    pub const fn since(self, earlier: SeqNum) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// All slots after `self` up to and including `last`, in order.
    pub fn up_to(self, last: SeqNum) -> impl DoubleEndedIterator<Item = SeqNum> + Clone {
        (self.0..last.0).map(|seq| SeqNum(seq + 1))
    }
}

impl RequestNumber {
    /// The number after this one.
    #[must_use]
    pub const fn next(self) -> RequestNumber {
        RequestNumber(self.0.saturating_add(1))
    }
}

impl Instant {
    /// The moment `duration` later, at most the last one.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Instant {
        Instant(self.0.saturating_add(nanoseconds(duration)))
    }

    /// The time from `earlier` to here; zero when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Instant) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl WallTime {
    /// The moment `duration` later, at most the last one.
    #[must_use]
    pub fn plus(self, duration: Duration) -> WallTime {
        WallTime(self.0.saturating_add(nanoseconds(duration)))
    }

    /// The time from `earlier` to here; zero when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: WallTime) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The two clocks at one moment, handed in by whoever drives a part: no part reads a clock itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// For time-outs.
    pub monotonic: Instant,
    /// For proposed times only; safety never rests on it.
    pub wall: WallTime,
}

/// A client: its public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClientId(pub PublicKey);

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The name of one request. Two requests with one name and different operations are a client's fault; at most one
/// of them is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestId {
    /// Who asks.
    pub client: ClientId,
    /// In which of its sessions.
    pub session: Session,
    /// Which request of the session, from 1.
    pub number: RequestNumber,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stop_at_their_ends_instead_of_wrapping() {
        assert_eq!(View(u64::MAX).next(), View(u64::MAX));
        assert_eq!(SeqNum(u64::MAX).next(), SeqNum(u64::MAX));
        assert_eq!(SeqNum::GENESIS.previous(), SeqNum::GENESIS);
        assert_eq!(SeqNum(3).since(SeqNum(5)), 0);
        assert_eq!(Instant(u64::MAX).plus(Duration::MAX), Instant(u64::MAX));
        assert_eq!(Instant(1).since(Instant(2)), Duration::ZERO);
    }

    #[test]
    fn up_to_names_every_slot_after_the_first_once() {
        let slots: Vec<_> = SeqNum(2).up_to(SeqNum(5)).collect();
        assert_eq!(slots, [SeqNum(3), SeqNum(4), SeqNum(5)]);
        assert_eq!(SeqNum(u64::MAX).up_to(SeqNum(u64::MAX)).count(), 0);
        assert_eq!(SeqNum(5).up_to(SeqNum(5)).count(), 0);
    }
}
