//! The one source of everything that is drawn in a world.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// Draws from a seed. All draws go through [`below`](Choices::below), so that the list of its answers is a schedule.
#[derive(Clone, Debug)]
pub struct Choices {
    generator: ChaCha8Rng,
}

impl Choices {
    /// The draws of a seed: the same on every machine.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        Choices { generator: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// One of 0..`bound`; 0 when there is nothing to choose from.
    pub fn below(&mut self, bound: u64) -> u64 {
        // The bias is at most bound / 2^64, which no campaign notices.
        let wide = u128::from(self.generator.next_u64()) * u128::from(bound);
        u64::try_from(wide >> 64).expect("the upper half of 128 bits")
    }

    /// One of `first..=last`.
    pub fn between(&mut self, first: u64, last: u64) -> u64 {
        assert!(first <= last, "a range from {first} to {last}");
        first + self.below(last - first + 1)
    }

    /// True in `per_mille` of 1000 cases.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        per_mille > 0 && self.below(1000) < per_mille
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        assert!(!from.is_empty(), "nothing to pick from");
        from[usize::try_from(self.below(from.len() as u64)).expect("below a length")]
    }

    /// `count` distinct ones of these, in their order.
    pub fn subset<T: Copy>(&mut self, from: &[T], count: usize) -> Vec<T> {
        let mut needed = count.min(from.len()) as u64;
        let mut chosen = Vec::new();
        for (left, item) in (1..=from.len() as u64).rev().zip(from) {
            if self.below(left) < needed {
                chosen.push(*item);
                needed -= 1;
            }
        }
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same() {
        let draw = |seed| {
            let mut choices = Choices::from_seed(seed);
            (0..100).map(|_| choices.between(3, 90)).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        assert!(draw(7).iter().all(|drawn| (3..=90).contains(drawn)));
    }

    #[test]
    fn subsets_have_the_asked_size_and_no_repetition() {
        let mut choices = Choices::from_seed(1);
        let from: Vec<u16> = (0..10).collect();
        for count in 0..=10 {
            let chosen = choices.subset(&from, count);
            assert_eq!(chosen.len(), count);
            assert!(chosen.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
