//! When to try again: twice as late after every failure, capped, and spread so that peers do not fall into step.

use std::time::Duration;

use libp2p::PeerId;
use quorate_crypto::Hasher;

use crate::limits::Limits;

/// The delays between the attempts to reach one peer.
#[derive(Debug)]
pub(crate) struct Backoff {
    min: Duration,
    max: Duration,
    failures: u32,
    /// Different for every pair of peers.
    seed: [u8; 32],
    /// All delays drawn so far.
    drawn: u64,
}

impl Backoff {
    pub(crate) fn new(limits: &Limits, own: &PeerId, peer: &PeerId) -> Self {
        let seed = Hasher::new("quorate/net/backoff").bytes(&own.to_bytes()).bytes(&peer.to_bytes()).finish();
        Backoff {
            min: limits.reconnect_delay_min,
            max: limits.reconnect_delay_max,
            failures: 0,
            seed: *seed.as_bytes(),
            drawn: 0,
        }
    }

    /// The link stood: the next failure is a first one.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// The delay before the next attempt, from half of the nominal delay up to all of it.
    pub(crate) fn next_delay(&mut self) -> Duration {
        let nominal = self.min.saturating_mul(1 << self.failures.min(16)).min(self.max);
        self.failures = self.failures.saturating_add(1);
        self.drawn += 1;
        let draw = Hasher::new("quorate/net/jitter").bytes(&self.seed).u64(self.drawn).finish();
        let [byte, ..] = draw.as_bytes();
        nominal / 2 + nominal.mul_f64(f64::from(*byte) / 512.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_cap_stay_jittered_and_start_over_after_success() {
        let limits = Limits::members();
        let mut backoff = Backoff::new(&limits, &PeerId::random(), &PeerId::random());
        let delays: Vec<_> = (0..40).map(|_| backoff.next_delay()).collect();
        for (i, delay) in delays.iter().enumerate() {
            let nominal = limits.reconnect_delay_min.saturating_mul(1 << i.min(16)).min(limits.reconnect_delay_max);
            assert!(*delay >= nominal / 2 && *delay <= nominal, "delay {i} is {delay:?}");
        }
        let at_cap: std::collections::BTreeSet<_> = delays.iter().skip(10).collect();
        assert!(at_cap.len() > 10, "jittered at the cap too");
        backoff.reset();
        assert!(backoff.next_delay() <= limits.reconnect_delay_min);
    }
}
