//! One stage after the other.

use super::schedule_file::ScheduleFile;
use super::shrinker::{Progress, Shrinker};
use super::subject::{Failure, Subject};
use crate::campaign::run_caught;
use crate::chart::Chart;
use crate::transcript::Transcript;

/// How much of the small world is remembered for its chart.
const ENTRIES_MAX: usize = 1 << 17;

/// Until which share of the time each stage may last.
const OPTIONS_UNTIL: f64 = 0.55;
const HASTENING_UNTIL: f64 = 0.7;
const OPTIONS_AGAIN_UNTIL: f64 = 0.8;
const FAULTS_UNTIL: f64 = 0.85;

/// A small world that fails as a large one did.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The small world.
    pub subject: Subject,
    /// How it fails.
    pub failure: Failure,
    /// After how many events the large one failed.
    pub events_before: u64,
    /// How many worlds were tried.
    pub attempts: u64,
}

/// Makes a failing world smaller; `None` if it does not fail. `used` is asked again and again which share of the time is
/// used up: the work ends when that is 1.
pub fn shrink(subject: Subject, used: &mut dyn FnMut(&Progress) -> f64) -> Option<Shrunk> {
    shrink_as(subject, &Subject::fail, used)
}

/// The same for worlds of which `fails` says how they fail within so many events: with a broken engine, say.
pub fn shrink_as(
    subject: Subject,
    fails: &dyn Fn(&Subject, u64) -> Option<Failure>,
    used: &mut dyn FnMut(&Progress) -> f64,
) -> Option<Shrunk> {
    let mut shrinker = Shrinker::new(subject, fails, used)?;
    let events_before = shrinker.failure.events;
    shrinker.begin("smaller options", OPTIONS_UNTIL);
    shrinker.shrink_options();
    shrinker.begin("an earlier end", HASTENING_UNTIL);
    shrinker.hasten();
    shrinker.begin("still smaller options", OPTIONS_AGAIN_UNTIL);
    shrinker.shrink_options();
    shrinker.begin("fewer faults", FAULTS_UNTIL);
    if shrinker.fix_schedule() {
        shrinker.spare_faults();
        shrinker.begin("simpler answers", 1.0);
        shrinker.zero_answers();
    }
    let Shrinker { subject, failure, attempts, .. } = shrinker;
    Some(Shrunk { subject, failure, events_before, attempts })
}

impl Shrunk {
    /// What happened in the small world, in at most so many lines, with the violation in words at the end.
    #[must_use]
    pub fn chart(&self, lines_max: usize) -> Vec<String> {
        let transcript = Transcript::keeping(ENTRIES_MAX);
        // It fails as before; what remains is what was recorded.
        let _ = run_caught(|| self.subject.world(transcript.clone()).run());
        let chart = Chart::new(&self.subject.options, transcript.entries());
        let mut lines = vec![self.title()];
        lines.extend(chart.explain(&self.failure.violation, lines_max.saturating_sub(1)));
        lines
    }

    /// The small world as a file.
    #[must_use]
    pub fn to_file(&self) -> ScheduleFile {
        ScheduleFile::new(&self.subject.options, &self.failure)
    }

    fn title(&self) -> String {
        let options = &self.subject.options;
        let (members, byzantine) = (options.members, options.byzantine.len());
        let (events, before) = (self.failure.events, self.events_before);
        format!("{members} replicas, {byzantine} of them Byzantine; {events} events, {before} before shrinking")
    }
}
