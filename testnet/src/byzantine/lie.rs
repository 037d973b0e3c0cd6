//! Who shall lie and how, as it is written on the command line.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use clap::ValueEnum;
use quorate::ReplicaId;

use crate::error::TestnetError;

/// How a replica lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BehaviourName {
    /// As the primary it assigns two batches to one slot, and votes for both.
    Equivocate,
    /// It says nothing, to nobody.
    Silent,
    /// As the primary it holds every batch back for nine tenths of the time-out.
    Slow,
    /// It ignores the first client.
    Censor,
    /// It signs wrong roots at its checkpoints.
    WrongCheckpoint,
    /// It votes for different batches towards different members.
    ConflictingVotes,
    /// It proves new views that hide what was prepared.
    MisleadingNewView,
    /// It sends old messages again.
    Replays,
    /// It floods the others with messages of the far future.
    Flood,
    /// One field of what it says is a little off.
    Mutate,
    /// It tells clients wrong results.
    LyingReplies,
    /// It says of itself what is not so.
    LyingStatus,
}

impl BehaviourName {
    /// As it is written.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

impl fmt::Display for BehaviourName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

/// One replica that lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lie {
    replica: u16,
    behaviour: BehaviourName,
}

impl FromStr for Lie {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (replica, behaviour) = text.split_once('=').ok_or("a replica and what it does: 0=equivocate")?;
        let replica = replica.parse().map_err(|_| format!("`{replica}` is no replica: 0=equivocate"))?;
        let behaviour = BehaviourName::from_str(behaviour, false).map_err(|_| {
            let names: Vec<_> = BehaviourName::value_variants().iter().map(|known| known.name()).collect();
            format!("`{behaviour}` is none of {}", names.join(", "))
        })?;
        Ok(Lie { replica, behaviour })
    }
}

/// All that lie in a network.
pub type Liars = BTreeMap<ReplicaId, BehaviourName>;

impl Lie {
    /// All of them, if so many replicas bear them and this program can.
    pub(crate) fn collect(lies: &[Lie], replicas: u16) -> Result<Liars, TestnetError> {
        if !lies.is_empty() && !cfg!(feature = "byzantine") {
            let how = "cargo run --release -p quorate-testnet --features byzantine -- …";
            return Err(TestnetError::Usage(format!("this program was built without replicas that lie: {how}")));
        }
        let liars: Liars = lies.iter().map(|lie| (ReplicaId(lie.replica), lie.behaviour)).collect();
        if let Some(stranger) = liars.keys().find(|liar| liar.0 >= replicas) {
            let last = replicas.saturating_sub(1);
            return Err(TestnetError::Usage(format!("there is no replica {stranger}: they are 0 to {last}")));
        }
        if liars.len() < lies.len() {
            return Err(TestnetError::Usage("a replica lies in one way: --byzantine 0=equivocate".into()));
        }
        let most = usize::from(replicas.saturating_sub(1) / 3);
        if liars.len() > most {
            let count = liars.len();
            return Err(TestnetError::Usage(format!("{replicas} replicas tolerate {most} that lie, not {count}")));
        }
        Ok(liars)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lie_names_a_replica_and_what_it_does() {
        let lie = |text: &str| text.parse::<Lie>();
        assert_eq!(lie("2=wrong-checkpoint"), Ok(Lie { replica: 2, behaviour: BehaviourName::WrongCheckpoint }));
        assert!(lie("equivocate").is_err_and(|error| error.contains("0=equivocate")));
        assert!(lie("x=silent").is_err_and(|error| error.contains("`x`")));
        assert!(lie("1=sleep").is_err_and(|error| error.contains("equivocate, silent, slow, censor")));
    }

    #[cfg(feature = "byzantine")]
    #[test]
    fn no_more_replicas_lie_than_the_others_tolerate() {
        let collect = |lies: &[&str], replicas| {
            let lies: Vec<Lie> = lies.iter().map(|lie| lie.parse().unwrap()).collect();
            Lie::collect(&lies, replicas).map_err(|error| error.to_string())
        };
        assert_eq!(collect(&["0=silent", "6=slow"], 7).map(|liars| liars.len()), Ok(2));
        assert!(collect(&["0=silent", "1=slow"], 4).is_err_and(|error| error.contains("tolerate 1")));
        assert!(collect(&["4=silent"], 4).is_err_and(|error| error.contains("no replica 4")));
        assert!(collect(&["1=silent", "1=slow"], 7).is_err_and(|error| error.contains("one way")));
    }

    #[cfg(not(feature = "byzantine"))]
    #[test]
    fn a_program_without_them_says_how_it_is_built_with_them() {
        let lies = ["0=silent".parse().unwrap()];
        assert!(Lie::collect(&lies, 4).is_err_and(|error| error.to_string().contains("--features byzantine")));
    }
}
