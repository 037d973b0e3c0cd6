//! How much of one kind of log line is let through, so that nobody can fill the log.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::types::Instant;

/// At most this many lines of one kind within one period.
const LINES_MAX: u32 = 5;
const PERIOD: Duration = Duration::from_secs(1);
/// Kinds that are told apart at most; the rest share one budget.
const KINDS_MAX: usize = 1024;

/// Counts lines by kind and peer.
#[derive(Debug, Default)]
pub(super) struct RateLimit {
    kinds: BTreeMap<(&'static str, u16), (Instant, u32)>,
}

impl RateLimit {
    /// Whether one more line of this kind about this peer may be written now; if so, how many were left out before it.
    pub(super) fn admit(&mut self, kind: &'static str, peer: u16, now: Instant) -> Option<u32> {
        let key =
            if self.kinds.len() < KINDS_MAX || self.kinds.contains_key(&(kind, peer)) { (kind, peer) } else { ("", 0) };
        let (since, count) = self.kinds.entry(key).or_insert((now, 0));
        let mut left_out = 0;
        if now.since(*since) >= PERIOD {
            left_out = count.saturating_sub(LINES_MAX);
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        (*count <= LINES_MAX).then_some(left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lets_a_few_lines_through_and_counts_the_rest() {
        let mut limit = RateLimit::default();
        let admitted = (0..100).filter(|_| limit.admit("kind", 1, Instant(5)).is_some()).count();
        assert_eq!(admitted, LINES_MAX as usize);
        assert_eq!(limit.admit("kind", 2, Instant(5)), Some(0), "another peer has its own budget");
        let later = Instant(5).plus(PERIOD);
        assert_eq!(limit.admit("kind", 1, later), Some(100 - LINES_MAX));
    }
}
