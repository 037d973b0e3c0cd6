//! Simpler answers: faults that were planned do not happen, and blocks of answers become the most harmless ones (delta
//! debugging).

use super::shrinker::Shrinker;
use super::subject::Subject;
use crate::choices::Choices;
use crate::options::Options;

impl Shrinker<'_> {
    /// From now on the answers come from the recorded schedule. False when the time is over.
    pub(super) fn fix_schedule(&mut self) -> bool {
        let choices = Choices::from_schedule(self.failure.schedule.clone());
        let subject = Subject { choices, ..self.subject.clone() };
        self.attempt(subject, self.failure.events)
    }

    /// Leaves out planned faults: all, or one after the other.
    pub(super) fn spare_faults(&mut self) {
        let all: Vec<_> = (1..=self.failure.planned).collect();
        if self.attempt_sparing(all.clone()) {
            return;
        }
        for number in all {
            let mut spared = self.subject.options.faults.spared.clone();
            if !spared.contains(&number) {
                spared.push(number);
                self.attempt_sparing(spared);
            }
        }
    }

    fn attempt_sparing(&mut self, spared: Vec<u64>) -> bool {
        let Subject { options, choices } = self.subject.clone();
        let mut faults = options.faults.clone();
        faults.spared = spared;
        self.attempt(Subject { options: Options { faults, ..options }, choices }, self.failure.events)
    }

    /// Makes blocks of answers 0, large ones first, and from the end: what is late disturbs least.
    pub(super) fn zero_answers(&mut self) {
        let mut size = self.failure.schedule.len().next_power_of_two() / 2;
        while size > 0 && self.has_time() {
            let mut end = self.failure.schedule.len();
            while end > 0 && self.has_time() {
                let start = end.saturating_sub(size);
                self.zero(start, end);
                // A shorter world has a shorter schedule.
                end = start.min(self.failure.schedule.len());
            }
            size /= 2;
        }
    }

    fn zero(&mut self, start: usize, end: usize) -> bool {
        let mut answers = self.failure.schedule.clone();
        let Some(block) = answers.get_mut(start..end.min(self.failure.schedule.len())) else { return false };
        if block.iter().all(|answer| *answer == 0) {
            return false;
        }
        block.fill(0);
        let choices = Choices::from_schedule(answers);
        self.attempt(Subject { choices, ..self.subject.clone() }, self.failure.events)
    }
}
