//! Where the answers come from.

use rand_chacha::ChaCha8Rng;
use rand_core::Rng;

/// A source of answers below a bound.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    /// A generator: it never ends.
    Seed(ChaCha8Rng),
    /// What was answered before. What lies beyond its end is answered by 0.
    Schedule(std::vec::IntoIter<u64>),
    /// As many bytes for each answer as its bound needs. What lies beyond their end is answered by 0.
    Bytes(std::vec::IntoIter<u8>),
}

impl Origin {
    /// The next answer: below `bound`, or 0 when that is 0.
    pub(super) fn next_below(&mut self, bound: u64) -> u64 {
        match self {
            Origin::Seed(generator) => {
                // The bias is at most bound / 2^64, which no campaign notices.
                let wide = u128::from(generator.next_u64()) * u128::from(bound);
                u64::try_from(wide >> 64).expect("the upper half of 128 bits")
            }
            // Where there is nothing to choose from, nothing is taken: a schedule holds decisions only.
            Origin::Schedule(_) | Origin::Bytes(_) if bound <= 1 => 0,
            Origin::Schedule(answers) => answers.next().unwrap_or(0).min(bound - 1),
            Origin::Bytes(bytes) => number(bytes, bytes_of(bound - 1)) % bound,
        }
    }
}

/// How many bytes hold the numbers up to `most`.
fn bytes_of(most: u64) -> usize {
    (u64::BITS - most.leading_zeros()).div_ceil(8) as usize
}

fn number(bytes: &mut std::vec::IntoIter<u8>, count: usize) -> u64 {
    bytes.take(count).fold(0, |number, byte| number << 8 | u64::from(byte))
}
