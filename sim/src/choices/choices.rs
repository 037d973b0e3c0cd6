//! What a world asks.

use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;

use super::origin::Origin;

/// Draws from a seed, from a schedule or from bytes. The smallest answer to each question is the most harmless one: it
/// is given where a schedule or bytes have ended, and a failing schedule is made simpler by making answers smaller.
#[derive(Clone, Debug)]
pub struct Choices {
    origin: Origin,
    /// The answers so far, if somebody wants them.
    recorded: Option<Vec<u64>>,
}

impl Choices {
    /// The draws of a seed: the same on every machine.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        Choices { origin: Origin::Seed(ChaCha8Rng::seed_from_u64(seed)), recorded: None }
    }

    /// The answers of a recorded run again. One that is too great for the question is the greatest possible; beyond the
    /// last one everything is answered by 0.
    #[must_use]
    pub fn from_schedule(answers: Vec<u64>) -> Self {
        Choices { origin: Origin::Schedule(answers.into_iter()), recorded: None }
    }

    /// Answers made of bytes, as a fuzzer gives them. Beyond the last one everything is answered by 0.
    #[must_use]
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Choices { origin: Origin::Bytes(bytes.into_iter()), recorded: None }
    }

    /// The same, and from now on the answers are kept: as a schedule they are given again.
    #[must_use]
    pub fn recording(self) -> Self {
        Choices { recorded: Some(Vec::new()), ..self }
    }

    /// The answers that were kept.
    #[must_use]
    pub fn into_schedule(self) -> Vec<u64> {
        self.recorded.unwrap_or_default()
    }

    /// One of 0..`bound`; 0 when there is nothing to choose from.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.answer(bound, |drawn| drawn)
    }

    /// One of `first..=last`. The first is the most harmless.
    pub fn between(&mut self, first: u64, last: u64) -> u64 {
        assert!(first <= last, "a range from {first} to {last}");
        first + self.below((last - first).saturating_add(1))
    }

    /// True in `per_mille` of 1000 cases. No is the most harmless.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        per_mille > 0 && self.answer(1000, |drawn| 999 - drawn) >= 1000_u64.saturating_sub(per_mille)
    }

    /// One of these. The first is the most harmless.
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

    /// The next answer. `of_seed` says which answer a number from a generator stands for.
    fn answer(&mut self, bound: u64, of_seed: impl FnOnce(u64) -> u64) -> u64 {
        let drawn = self.origin.next_below(bound);
        let answer = if matches!(self.origin, Origin::Seed(_)) { of_seed(drawn) } else { drawn };
        if bound > 1
            && let Some(recorded) = &mut self.recorded
        {
            recorded.push(answer);
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hundred questions of all kinds.
    fn draw(choices: &mut Choices) -> Vec<u64> {
        let items: Vec<u64> = (0..9).collect();
        let round = |number: u64| {
            let mut drawn = vec![choices.between(3, 90), choices.below(number), u64::from(choices.chance(300))];
            drawn.push(choices.pick(&items));
            drawn.extend(choices.subset(&items, 4));
            drawn.push(choices.below(1 << 40));
            drawn
        };
        (0..20).flat_map(round).collect()
    }

    #[test]
    fn the_same_seed_draws_the_same() {
        let drawn = |seed| draw(&mut Choices::from_seed(seed));
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
    }

    #[test]
    fn a_recorded_schedule_gives_the_same_answers_again() {
        let mut recorded = Choices::from_seed(3).recording();
        let drawn = draw(&mut recorded);
        let schedule = recorded.into_schedule();
        let mut replayed = Choices::from_schedule(schedule.clone()).recording();
        assert_eq!(draw(&mut replayed), drawn);
        assert_eq!(replayed.into_schedule(), schedule);
    }

    #[test]
    fn recording_changes_no_answer_and_nothing_is_kept_without_it() {
        let (mut plain, mut recorded) = (Choices::from_seed(5), Choices::from_seed(5).recording());
        assert_eq!(draw(&mut plain), draw(&mut recorded));
        assert!(plain.into_schedule().is_empty());
    }

    #[test]
    fn beyond_the_end_of_a_schedule_or_of_bytes_the_most_harmless_happens() {
        for mut choices in [Choices::from_schedule(vec![]), Choices::from_bytes(vec![])] {
            assert_eq!(choices.between(3, 90), 3);
            assert!(!choices.chance(999));
            assert_eq!(choices.pick(&[0, 5, 9]), 0);
            assert_eq!(choices.below(u64::MAX), 0);
        }
    }

    #[test]
    fn an_answer_that_is_too_great_is_taken_as_the_greatest() {
        let mut choices = Choices::from_schedule(vec![u64::MAX, 17, u64::MAX]);
        assert_eq!(choices.below(10), 9);
        assert_eq!(choices.between(5, 7), 7);
        assert!(choices.chance(1));
    }

    #[test]
    fn each_answer_takes_as_many_bytes_as_its_bound_needs() {
        let mut choices = Choices::from_bytes(vec![7, 1, 2, 200, 9]);
        assert_eq!(choices.below(256), 7);
        assert_eq!(choices.below(1), 0);
        assert_eq!(choices.below(257), 0x0102 % 257);
        assert_eq!(choices.below(100), 0);
        assert_eq!(choices.below(u64::MAX), 9);
    }

    #[test]
    fn chances_happen_as_often_as_they_should() {
        let mut choices = Choices::from_seed(11);
        assert!((0..1000).all(|_| choices.chance(1000) && !choices.chance(0)));
        let happened = (0..10_000).filter(|_| choices.chance(250)).count();
        assert!((2_300..2_700).contains(&happened), "{happened}");
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
