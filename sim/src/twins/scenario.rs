//! What the network does in the rounds of an attack.

use std::collections::BTreeSet;

use super::cast::{Cast, Place};
use crate::choices::Choices;

/// One round: who reaches whom, and whether what is committed there becomes known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Round {
    /// The group of each core, numbered in the order in which they first appear. Messages stay within a group.
    groups: Vec<u8>,
    /// What becomes of Commits.
    pub commits: Commits,
    /// A correct replica that crashed before the round and starts again with it.
    pub restarted: Option<Place>,
}

/// Whom Commits and commit certificates reach within their group: without the former slots are prepared and not
/// committed, which partitions alone do not bring about where messages take no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Commits {
    /// Everybody.
    Delivered,
    /// Nobody.
    Lost,
    /// This core alone.
    OnlyTo(Place),
}

/// A cast and the rounds of an attack on it. A last round in which everybody reaches everybody follows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scenario {
    /// Who plays.
    pub cast: Cast,
    /// The rounds.
    pub rounds: Vec<Round>,
}

impl Round {
    /// A round with these groups, given as any numbers, one for each core.
    #[must_use]
    pub fn new(groups: &[u8]) -> Self {
        let mut seen = Vec::new();
        let mut number = |group: &u8| {
            let known = seen.iter().position(|other| other == group);
            let place = known.unwrap_or_else(|| {
                seen.push(*group);
                seen.len() - 1
            });
            u8::try_from(place).expect("no more groups than cores")
        };
        Round { groups: groups.iter().map(&mut number).collect(), commits: Commits::Delivered, restarted: None }
    }

    /// The same with these Commits and this restart.
    #[must_use]
    pub fn with(self, commits: Commits, restarted: Option<Place>) -> Self {
        Round { commits, restarted, ..self }
    }

    /// A round in which everybody reaches everybody.
    #[must_use]
    pub fn healed(cast: &Cast) -> Self {
        Round::new(&vec![0; usize::from(cast.cores())])
    }

    /// The group of each core.
    #[must_use]
    pub fn groups(&self) -> &[u8] {
        &self.groups
    }

    /// How many groups there are.
    #[must_use]
    pub fn group_count(&self) -> u8 {
        self.groups.iter().max().map_or(0, |last| last + 1)
    }

    /// The cores of a group.
    pub fn group(&self, group: u8) -> impl Iterator<Item = Place> + '_ {
        (0..).map(Place).zip(&self.groups).filter(move |(_, of)| **of == group).map(|(place, _)| place)
    }

    /// Whether a message gets from one core to another.
    #[must_use]
    pub fn lets_through(&self, from: Place, to: Place, tells_of_commits: bool) -> bool {
        let is_heard = match self.commits {
            Commits::Delivered => true,
            Commits::Lost => !tells_of_commits,
            Commits::OnlyTo(only) => !tells_of_commits || only == to,
        };
        is_heard && self.groups[from.index()] == self.groups[to.index()]
    }

    /// The groups in which a quorum of distinct members is together.
    pub fn quorum_groups<'a>(&'a self, cast: &'a Cast) -> impl Iterator<Item = u8> + 'a {
        let members = |group| self.group(group).map(|place| cast.member(place)).collect::<BTreeSet<_>>().len();
        (0..self.group_count()).filter(move |group| members(*group) >= cast.quorum())
    }
}

impl Scenario {
    /// A scenario of up to `rounds_max` rounds: few groups rather than many, since only a group with a quorum decides
    /// anything.
    pub fn draw(choices: &mut Choices, cast: &Cast, rounds_max: u64) -> Self {
        let rounds = choices.between(1, rounds_max.max(1));
        let rounds = (0..rounds).map(|_| draw_round(choices, cast)).collect();
        Scenario { cast: cast.clone(), rounds }
    }
}

fn draw_round(choices: &mut Choices, cast: &Cast) -> Round {
    let groups = choices.pick(&[1, 2, 2, 2, 2, 3, 3, 4]);
    let groups: Vec<_> = cast.places().map(|_| u8::try_from(choices.below(groups)).unwrap_or(0)).collect();
    let mut round = Round::new(&groups);
    let places: Vec<_> = cast.places().collect();
    round.commits = match choices.below(4) {
        0 => Commits::Lost,
        1 => Commits::OnlyTo(choices.pick(&places)),
        _ => Commits::Delivered,
    };
    let correct: Vec<_> = places.into_iter().filter(|place| !cast.is_paired(*place)).collect();
    if choices.chance(150) {
        round.restarted = Some(choices.pick(&correct));
    }
    round
}

#[cfg(test)]
mod tests {
    use quorate::ReplicaId;

    use super::*;

    #[test]
    fn groups_are_numbered_as_they_appear() {
        assert_eq!(Round::new(&[7, 3, 7, 0, 3]).groups(), [0, 1, 0, 2, 1]);
    }

    #[test]
    fn messages_stay_in_their_group_and_commits_may_be_lost() {
        let mut round = Round::new(&[0, 0, 1, 1, 0]);
        assert!(round.lets_through(Place(0), Place(4), true));
        assert!(!round.lets_through(Place(0), Place(2), false));
        round.commits = Commits::OnlyTo(Place(1));
        assert!(round.lets_through(Place(0), Place(1), true));
        assert!(!round.lets_through(Place(1), Place(0), true));
        assert!(round.lets_through(Place(1), Place(0), false));
    }

    #[test]
    fn two_cores_of_one_member_are_one_member_of_a_quorum() {
        let cast = Cast::new(4, vec![ReplicaId(0)]);
        let quorums = |groups: &[u8]| Round::new(groups).quorum_groups(&cast).collect::<Vec<_>>();
        assert_eq!(quorums(&[0, 0, 1, 1, 0]), Vec::<u8>::new());
        assert_eq!(quorums(&[0, 0, 0, 1, 1]), [0]);
        assert_eq!(quorums(&[0, 1, 1, 1, 1]), [1]);
    }
}
