//! A scenario as a line of text, so that one that breaks a rule can be played again.
//!
//! `n=4 twins=0 / 0a 1 2|0b 3 commits=lost / 0a|0b 1 2 3 commits=2 restart=3`

use std::fmt;
use std::str::FromStr;

use quorate::ReplicaId;

use super::cast::{Cast, Place};
use super::scenario::{Commits, Round, Scenario};

/// Why a line is no scenario.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no scenario: {0}")]
pub struct NotAScenario(String);

impl Round {
    /// The groups by the names of their cores.
    #[must_use]
    pub fn describe(&self, cast: &Cast) -> String {
        let names = |group| self.group(group).map(|place| cast.name(place)).collect::<Vec<_>>().join(" ");
        let mut text = (0..self.group_count()).map(names).collect::<Vec<_>>().join("|");
        match self.commits {
            Commits::Delivered => {}
            Commits::Lost => text.push_str(" commits=lost"),
            Commits::OnlyTo(place) => text.push_str(&format!(" commits={}", cast.name(place))),
        }
        if let Some(place) = self.restarted {
            text.push_str(&format!(" restart={}", cast.name(place)));
        }
        text
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.cast)?;
        self.rounds.iter().try_for_each(|round| write!(f, " / {}", round.describe(&self.cast)))
    }
}

impl FromStr for Scenario {
    type Err = NotAScenario;

    fn from_str(text: &str) -> Result<Self, NotAScenario> {
        let mut parts = text.split('/').map(str::trim);
        let cast = read_cast(parts.next().unwrap_or_default())?;
        let rounds = parts.map(|part| read_round(&cast, part)).collect::<Result<_, _>>()?;
        Ok(Scenario { cast, rounds })
    }
}

fn read_cast(text: &str) -> Result<Cast, NotAScenario> {
    let wrong = || NotAScenario(format!("{text:?} is not like n=4 twins=0"));
    let (members, twins) = text.split_once(' ').ok_or_else(wrong)?;
    let members: u8 = members.strip_prefix("n=").and_then(|number| number.parse().ok()).ok_or_else(wrong)?;
    let twins = twins.trim().strip_prefix("twins=").ok_or_else(wrong)?;
    let twins = twins.split(',').filter(|twin| !twin.is_empty()).map(|twin| twin.parse().map(ReplicaId));
    let twins: Vec<_> = twins.collect::<Result<_, _>>().map_err(|_| wrong())?;
    let are_members = twins.iter().all(|twin| twin.0 < u16::from(members));
    let is_committee = (4..=64).contains(&members) && twins.len() < usize::from(members);
    if are_members && is_committee { Ok(Cast::new(members, twins)) } else { Err(wrong()) }
}

fn read_round(cast: &Cast, text: &str) -> Result<Round, NotAScenario> {
    let place = |name: &str| cast.named(name).ok_or_else(|| NotAScenario(format!("nobody is called {name:?}")));
    let mut groups = vec![None; usize::from(cast.cores())];
    let (mut commits, mut restarted) = (Commits::Delivered, None);
    for (group, names) in (0u8..).zip(text.split('|')) {
        for word in names.split_whitespace() {
            match word.split_once('=') {
                Some(("commits", "lost")) => commits = Commits::Lost,
                Some(("commits", name)) => commits = Commits::OnlyTo(place(name)?),
                Some(("restart", name)) => restarted = Some(restartable(cast, place(name)?)?),
                Some((key, _)) => return Err(NotAScenario(format!("{key:?} is neither commits nor restart"))),
                None => groups[place(word)?.index()] = Some(group),
            }
        }
    }
    let groups: Option<Vec<u8>> = groups.into_iter().collect();
    let groups = groups.ok_or_else(|| NotAScenario(format!("{text:?} leaves somebody out")))?;
    Ok(Round::new(&groups).with(commits, restarted))
}

fn restartable(cast: &Cast, place: Place) -> Result<Place, NotAScenario> {
    if cast.is_paired(place) { Err(NotAScenario("only correct replicas restart".to_owned())) } else { Ok(place) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choices::Choices;

    #[test]
    fn what_is_written_is_read_again() {
        for (seed, members, twins) in [(1, 4, vec![ReplicaId(0)]), (2, 7, vec![ReplicaId(1), ReplicaId(6)])] {
            let mut choices = Choices::from_seed(seed);
            let cast = Cast::new(members, twins);
            for _ in 0..200 {
                let scenario = Scenario::draw(&mut choices, &cast, 3);
                assert_eq!(scenario.to_string().parse(), Ok(scenario));
            }
        }
    }

    #[test]
    fn nonsense_is_refused_with_its_reason() {
        for text in ["", "n=4", "n=3 twins=0", "n=4 twins=4", "n=4 twins=0,1,2,3", "n=4 twins=x"] {
            assert!(text.parse::<Scenario>().is_err(), "{text:?}");
        }
        for round in ["0a 0b 1 2", "0a 0b 1 2 3 4", "0a 0b 1 2 3 votes=lost", "0a 0b 1 2 3 restart=0a"] {
            assert!(format!("n=4 twins=0 / {round}").parse::<Scenario>().is_err(), "{round:?}");
        }
    }
}
