//! Smaller options. After such a change the same choices mean something else, so that some other seeds are tried, too: a
//! failure that is not too rare is found again.

use std::collections::BTreeSet;

use quorate::ReplicaId;

use super::shrinker::Shrinker;
use super::subject::Subject;
use crate::choices::Choices;
use crate::options::{Options, Setting, Settings};

/// How many seeds are tried beside the choices at hand.
const OTHER_SEEDS: u64 = 4;
/// How many are tried for an earlier end.
const HASTENING_SEEDS: u64 = 300;
/// The settings of these families are the same for small and large worlds, and not all values make sense. A chart in which
/// no message takes time is hard to read.
const LEFT_ALONE: [&str; 4] = ["limits.", "config.", "members", "network.delay."];
/// A checkpoint interval so large that no short world comes to its end.
const RARE_CHECKPOINTS: u64 = 64;

impl Shrinker<'_> {
    /// Makes the options smaller until none can be.
    pub(super) fn shrink_options(&mut self) {
        self.shrink_committee();
        self.zero_families();
        while self.has_time() {
            let before = Settings::of(&self.subject.options);
            self.drop_elements();
            for (path, _) in before.leaves() {
                self.lower(&path);
            }
            if Settings::of(&self.subject.options) == before {
                return;
            }
        }
    }

    /// Tries other seeds for one that fails earlier.
    pub(super) fn hasten(&mut self) {
        for seed in 0..HASTENING_SEEDS {
            let subject = Subject { choices: Choices::from_seed(seed), ..self.subject.clone() };
            let events_max = self.failure.events.saturating_sub(1);
            if !self.has_time() {
                return;
            }
            self.attempt(subject, events_max);
        }
    }

    fn shrink_committee(&mut self) {
        for members in (4..self.subject.options.members).filter(|members| members % 3 == 1) {
            if self.attempt_options(&with_members(&self.subject.options, members)) {
                return;
            }
        }
    }

    /// A whole family of faults at once.
    fn zero_families(&mut self) {
        for family in ["faults.", "network."] {
            let settings = Settings::of(&self.subject.options);
            let leaves = settings.leaves().into_iter().filter(|(path, _)| path.starts_with(family));
            let zeroed = leaves.fold(settings.clone(), |settings, (path, setting)| match setting {
                Setting::Number(_) => settings.with(&path, Setting::Number(0)),
                Setting::Flag(_) => settings.with(&path, Setting::Flag(false)),
                Setting::Duration(_) => settings,
            });
            self.attempt_settings(&zeroed);
        }
        let checkpoints = Setting::Number(RARE_CHECKPOINTS);
        self.attempt_settings(&Settings::of(&self.subject.options).with("limits.checkpoint_interval", checkpoints));
    }

    fn drop_elements(&mut self) {
        for (path, length) in Settings::of(&self.subject.options).lists() {
            for element in (0..length).rev() {
                self.attempt_settings(&Settings::of(&self.subject.options).without(&path, element));
            }
        }
    }

    /// Makes a setting as small as it can be: nothing, or half of it as often as possible.
    fn lower(&mut self, path: &str) {
        if LEFT_ALONE.iter().any(|family| path.starts_with(family)) {
            return;
        }
        while let Some(setting) = Settings::of(&self.subject.options).get(path) {
            let smaller = smaller(setting);
            let try_one =
                |setting: &Setting| self.attempt_settings(&Settings::of(&self.subject.options).with(path, *setting));
            if !smaller.iter().any(try_one) {
                return;
            }
        }
    }

    fn attempt_settings(&mut self, settings: &Settings) -> bool {
        settings.to_options().is_some_and(|options| self.attempt_options(&options))
    }

    fn attempt_options(&mut self, options: &Options) -> bool {
        if *options == self.subject.options {
            return false;
        }
        // Not much longer than before: then it is not simpler.
        let events_max = self.failure.events + self.failure.events / 4;
        let known = self.subject.choices.clone();
        let mut choices = std::iter::once(known).chain((0..OTHER_SEEDS).map(Choices::from_seed));
        choices.any(|choices| self.attempt(Subject { options: options.clone(), choices }, events_max))
    }
}

/// The same with fewer members, and as many Byzantine ones beyond f as before.
fn with_members(options: &Options, members: u16) -> Options {
    let mut options = options.clone();
    let surplus = (options.byzantine.len() as u64).saturating_sub(options.faulty_max());
    options.members = members;
    let kept = usize::try_from(options.faulty_max() + surplus).unwrap_or(usize::MAX);
    let moved = |id: &ReplicaId| ReplicaId(id.0 % members);
    let byzantine: BTreeSet<_> = options.byzantine.iter().map(moved).collect();
    options.byzantine = byzantine.into_iter().take(kept).collect();
    // What they do moves with them.
    options.lying.attacks = options.lying.attacks.iter().map(|(id, plans)| (moved(id), plans.clone())).collect();
    options
}

/// What may take the place of a setting, the smallest first.
fn smaller(setting: Setting) -> Vec<Setting> {
    match setting {
        Setting::Number(0) | Setting::Flag(false) => Vec::new(),
        Setting::Number(1) => vec![Setting::Number(0)],
        Setting::Number(number) => [0, 1, number / 2, number - 1].map(Setting::Number).to_vec(),
        Setting::Flag(true) => vec![Setting::Flag(false)],
        Setting::Duration(duration) if duration.is_zero() => Vec::new(),
        Setting::Duration(duration) => vec![Setting::Duration(duration / 2)],
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_takes_the_place_of_a_setting_is_smaller() {
        assert_eq!(smaller(Setting::Number(0)), []);
        assert_eq!(smaller(Setting::Number(9)), [0, 1, 4, 8].map(Setting::Number));
        assert_eq!(smaller(Setting::Flag(true)), [Setting::Flag(false)]);
        assert_eq!(smaller(Setting::Duration(Duration::ZERO)), []);
    }

    #[test]
    fn a_smaller_committee_keeps_one_byzantine_replica_too_many() {
        let mut options = Options::draw(&mut Choices::from_seed(1), Some(10));
        options.byzantine = [1, 5, 8, 9].map(ReplicaId).to_vec();
        let smaller = with_members(&options, 4);
        assert_eq!((smaller.members, smaller.byzantine), (4, [0, 1].map(ReplicaId).to_vec()));
    }
}
