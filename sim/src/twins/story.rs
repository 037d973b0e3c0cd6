//! A fork, told for people.

use std::fmt::Write;

use quorate::SeqNum;
use quorate_crypto::Digest;

use super::canary::Found;
use super::cast::Place;
use super::watch::{DoubleVote, Execution, Said};

impl Found {
    /// Who was where, who said two things, and what came of it.
    #[must_use]
    pub fn story(&self) -> String {
        let mut text = String::new();
        let cast = &self.scenario.cast;
        let twins: Vec<_> = cast.twins().iter().map(ToString::to_string).collect();
        let (members, twins) = (cast.members(), twins.join(" and "));
        let bears = cast.faulty_max();
        let mut say = |line: String| writeln!(text, "{line}").expect("a string takes everything");
        say(format!("seed {}: {members} members; {twins} run twice, the protocol bears {bears}", self.seed));
        for (number, round) in (1..).zip(&self.scenario.rounds) {
            say(format!("round {number}: {}", self.partition(round.describe(cast))));
        }
        let Some((seq, first, second)) = self.world.watch().fork() else { return text };
        for vote in self.world.watch().double_votes.iter().filter(|vote| vote.seq == seq) {
            say(self.tell_vote(vote));
        }
        say(format!("fork at slot {seq}:"));
        for execution in [first, second] {
            say(self.tell_execution(seq, &execution));
        }
        let class = format!("{:?}", self.violation.class).to_lowercase();
        say(format!("found by the checker {} ({class}): {}", self.violation.checker, self.violation.text));
        text
    }

    fn partition(&self, groups: String) -> String {
        groups.split('|').map(|group| format!("{{{group}}}")).collect::<Vec<_>>().join(" ")
    }

    fn name(&self, place: Place) -> String {
        self.scenario.cast.name(place)
    }

    fn tell_vote(&self, vote: &DoubleVote) -> String {
        let does = match vote.said {
            Said::Assigned => "assigns",
            Said::Prepared => "prepares",
            Said::Committed => "commits",
        };
        let DoubleVote { round, view, seq, first, second, .. } = *vote;
        let side = |(place, digest): (Place, Digest)| format!("{} {does} {digest:?}", self.name(place));
        format!("round {round}: at slot {seq} in view {view} {}, {}", side(first), side(second))
    }

    fn tell_execution(&self, seq: SeqNum, execution: &Execution) -> String {
        let Execution { round, view, place, digest } = *execution;
        format!("  {} executes {digest:?} at {seq}, committed in view {view}, in round {round}", self.name(place))
    }
}
