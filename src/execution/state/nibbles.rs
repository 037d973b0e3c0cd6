//! Keys as sequences of nibbles: the high half of a byte first.

use std::sync::Arc;

/// The nibble at `index`, or nothing behind the end of the key.
pub(super) fn nibble(key: &[u8], index: usize) -> Option<u8> {
    let byte = key.get(index / 2)?;
    Some(if index.is_multiple_of(2) { byte >> 4 } else { byte & 0x0f })
}

/// How many nibbles a key has.
pub(super) const fn nibble_count(key: &[u8]) -> usize {
    2 * key.len()
}

/// How many leading nibbles two keys share.
pub(super) fn common_nibbles(left: &[u8], right: &[u8]) -> usize {
    let bytes = left.iter().zip(right).take_while(|(left, right)| left == right).count();
    match (left.get(bytes), right.get(bytes)) {
        (Some(left), Some(right)) if left >> 4 == right >> 4 => 2 * bytes + 1,
        _ => 2 * bytes,
    }
}

/// The nibbles that all keys below a branch start with, counted from the root.
#[derive(Clone, Debug)]
pub(super) struct Prefix {
    /// Two nibbles to a byte; after an odd last nibble follows zero.
    packed: Arc<[u8]>,
    count: u16,
}

impl Prefix {
    /// The first `count` nibbles of `key`, which has at least as many.
    pub(super) fn of(key: &[u8], count: usize) -> Self {
        assert!(count <= nibble_count(key), "a prefix is no longer than its key");
        let mut packed: Vec<u8> = key.iter().copied().take(count.div_ceil(2)).collect();
        if !count.is_multiple_of(2)
            && let Some(last) = packed.last_mut()
        {
            *last &= 0xf0;
        }
        Prefix { packed: packed.into(), count: u16::try_from(count).expect("keys have at most 256 nibbles") }
    }

    /// How many nibbles it has.
    pub(super) fn count(&self) -> usize {
        usize::from(self.count)
    }

    /// The same as it stands in hashes and proofs.
    pub(super) fn nibbles(&self) -> u16 {
        self.count
    }

    /// The nibbles, packed. If the count is even, these are the bytes of the key that ends here.
    pub(super) fn packed(&self) -> &[u8] {
        &self.packed
    }

    /// Whether `key` has exactly these nibbles.
    pub(super) fn is_key(&self, key: &[u8]) -> bool {
        self.count() == nibble_count(key) && *self.packed == *key
    }

    /// How many leading nibbles it shares with `key`, given that the first `known` are the same.
    ///
    /// Where a child's prefix is only one nibble longer than its parent's, this looks at neither: in the dense upper
    /// levels of the trie it spares a cache miss each.
    pub(super) fn common_with(&self, key: &[u8], known: usize) -> usize {
        if known >= self.count() {
            return self.count();
        }
        let skipped = known / 2;
        let rest = |bytes: &'_ [u8]| bytes.len().min(skipped);
        let (own, other) = (self.packed.split_at(rest(&self.packed)).1, key.split_at(rest(key)).1);
        (2 * skipped + common_nibbles(own, other)).min(self.count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nibbles_are_read_high_half_first() {
        let nibbles: Vec<_> = (0..5).map(|index| nibble(&[0x12, 0xf0], index)).collect();
        assert_eq!(nibbles, [Some(1), Some(2), Some(15), Some(0), None]);
    }

    #[test]
    fn common_nibbles_stop_at_the_first_difference_or_the_shorter_end() {
        assert_eq!(common_nibbles(&[0x12, 0x34], &[0x12, 0x35]), 3);
        assert_eq!(common_nibbles(&[0x12, 0x34], &[0x12, 0x44]), 2);
        assert_eq!(common_nibbles(&[0x12], &[0x12, 0x44]), 2);
        assert_eq!(common_nibbles(&[], &[0x12]), 0);
    }

    #[test]
    fn an_odd_prefix_ends_in_a_zero_nibble_and_is_no_key() {
        let odd = Prefix::of(&[0x12, 0x34], 3);
        assert_eq!(odd.packed(), [0x12, 0x30]);
        assert!(!odd.is_key(&[0x12, 0x30]));
        assert!(Prefix::of(&[0x12, 0x34], 2).is_key(&[0x12]));
    }

    #[test]
    fn common_with_finds_the_same_place_whatever_is_known_already() {
        let prefix = Prefix::of(&[0x12, 0x34, 0x50], 5);
        for (key, common) in [(&[0x12, 0x34, 0x5f][..], 5), (&[0x12, 0x3f], 3), (&[0x12], 2), (&[0x12, 0x30, 0x50], 3)]
        {
            for known in 0..=common {
                assert_eq!(prefix.common_with(key, known), common, "{key:?} knowing {known}");
            }
        }
    }
}
