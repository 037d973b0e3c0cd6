//! Scenarios that differ in nothing but names are played once.
//!
//! 1. The two cores of a twin are interchangeable: they run the same code with the same key.
//! 2. Members that lead no view during the rounds are interchangeable. A round lasts for one time-out, so that no view
//!    later than R is entered in R rounds, and the members above R lead none (PBFT: the primary of view v is v mod n).
//! 3. A partition is a set of sets: its groups have no order.
//!
//! Of all scenarios that a renaming makes of one another the least is canonical.

use quorate::ReplicaId;

use super::cast::{Cast, Place};
use super::scenario::{Commits, Round, Scenario};

/// Which rounds are played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moves {
    /// Every partition.
    Partitions,
    /// Every partition, and in the group that has a quorum Commits for all, for nobody, or for one core alone.
    Masks,
    /// Every partition, and before each round but the first a correct replica may crash and start again.
    Restarts,
}

/// The rounds of a kind of scenario on one cast.
#[derive(Clone, Debug)]
pub struct RoundChoices {
    first: Vec<Round>,
    later: Vec<Round>,
}

/// A renaming that makes no difference.
#[derive(Clone, Debug)]
struct Renaming {
    /// The new name of each member.
    members: Vec<ReplicaId>,
    /// The members whose cores change places.
    swapped: Vec<ReplicaId>,
}

/// The renamings for scenarios of so many rounds on casts of one size.
#[derive(Clone, Debug)]
pub struct Symmetries(Vec<Renaming>);

/// All partitions of `cores` cores, each as the group of every core, numbered as they appear.
#[must_use]
pub fn partitions(cores: u8) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = vec![Vec::new()];
    for _ in 0..cores {
        let extend = |groups: Vec<u8>| {
            let next = groups.iter().max().map_or(0, |last| last + 1);
            (0..=next).map(move |group| groups.iter().copied().chain([group]).collect::<Vec<_>>())
        };
        all = all.into_iter().flat_map(extend).collect();
    }
    all
}

impl Moves {
    /// All rounds of this kind.
    #[must_use]
    pub fn rounds(self, cast: &Cast) -> RoundChoices {
        let plain: Vec<_> = partitions(cast.cores()).into_iter().map(|groups| Round::new(&groups)).collect();
        let with_variants = |variants: &dyn Fn(&Round) -> Vec<Round>| {
            plain.iter().flat_map(|round| [round.clone()].into_iter().chain(variants(round))).collect()
        };
        match self {
            Moves::Partitions => RoundChoices { first: plain.clone(), later: plain },
            Moves::Masks => {
                let masked: Vec<_> = with_variants(&|round| masked(cast, round));
                RoundChoices { first: masked.clone(), later: masked }
            }
            Moves::Restarts => {
                let restarted = with_variants(&|round| restarted(cast, round));
                RoundChoices { first: plain, later: restarted }
            }
        }
    }
}

impl RoundChoices {
    /// Those for the round after so many others.
    #[must_use]
    pub fn after(&self, rounds: usize) -> &[Round] {
        if rounds == 0 { &self.first } else { &self.later }
    }
}

/// The ways to lose Commits that make a difference: nobody sends any where no quorum is together.
fn masked(cast: &Cast, round: &Round) -> Vec<Round> {
    let quorums: Vec<_> = round.quorum_groups(cast).collect();
    if quorums.is_empty() {
        return Vec::new();
    }
    let cores = quorums.into_iter().flat_map(|group| round.group(group));
    let masks = [Commits::Lost].into_iter().chain(cores.map(Commits::OnlyTo));
    masks.map(|commits| round.clone().with(commits, None)).collect()
}

fn restarted(cast: &Cast, round: &Round) -> Vec<Round> {
    let correct = cast.places().filter(|place| !cast.is_paired(*place));
    correct.map(|place| round.clone().with(Commits::Delivered, Some(place))).collect()
}

impl Symmetries {
    /// Those of scenarios of `rounds` rounds on committees of `members`, `twins` of whom run twice.
    #[must_use]
    pub fn of(members: u8, twins: usize, rounds: usize) -> Self {
        let first = rounds.saturating_add(1).min(usize::from(members));
        let (leading, rest) = (0..u16::from(members)).map(ReplicaId).partition::<Vec<_>, _>(|id| id.index() < first);
        let orders = permutations(&rest).into_iter().map(|order| leading.iter().copied().chain(order).collect());
        let all: Vec<ReplicaId> = (0..u16::from(members)).map(ReplicaId).collect();
        let swaps: Vec<_> = subsets(&all).into_iter().filter(|subset| subset.len() <= twins).collect();
        let renamings = orders.flat_map(|members: Vec<ReplicaId>| {
            swaps.iter().map(move |swapped| Renaming { members: members.clone(), swapped: swapped.clone() })
        });
        Symmetries(renamings.collect())
    }

    /// Whether no renaming makes a lesser scenario of this one. A scenario whose first rounds are not canonical is not
    /// canonical, since the first difference decides.
    #[must_use]
    pub fn is_canonical(&self, scenario: &Scenario) -> bool {
        let applies = |renaming: &&Renaming| renaming.swapped.iter().all(|member| scenario.cast.is_twin(*member));
        self.0.iter().filter(applies).all(|renaming| renaming.apply(scenario) >= *scenario)
    }
}

impl Renaming {
    fn apply(&self, scenario: &Scenario) -> Scenario {
        let rename = |member: ReplicaId| self.members[member.index()];
        let cast = &scenario.cast;
        let renamed = Cast::new(cast.members(), cast.twins().iter().map(|twin| rename(*twin)).collect());
        let move_to = |place: Place| {
            let member = cast.member(place);
            let is_second = (place.0 >= cast.members()) != self.swapped.contains(&member);
            let first = Place(u8::try_from(rename(member).0).expect("a cast has at most 255 members"));
            if is_second { renamed.second(rename(member)).unwrap_or(first) } else { first }
        };
        let rounds = scenario.rounds.iter().map(|round| rename_round(round, cast, move_to)).collect();
        Scenario { cast: renamed, rounds }
    }
}

fn rename_round(round: &Round, cast: &Cast, move_to: impl Fn(Place) -> Place) -> Round {
    let mut groups = vec![0; round.groups().len()];
    for place in cast.places() {
        groups[move_to(place).index()] = round.groups()[place.index()];
    }
    let commits = match round.commits {
        Commits::OnlyTo(place) => Commits::OnlyTo(move_to(place)),
        Commits::Delivered | Commits::Lost => round.commits,
    };
    Round::new(&groups).with(commits, round.restarted.map(move_to))
}

fn permutations<T: Copy>(of: &[T]) -> Vec<Vec<T>> {
    let Some((first, rest)) = of.split_first() else { return vec![Vec::new()] };
    let insert = |order: Vec<T>| {
        (0..=order.len()).map(move |at| {
            let mut longer = order.clone();
            longer.insert(at, *first);
            longer
        })
    };
    permutations(rest).into_iter().flat_map(insert).collect()
}

fn subsets<T: Copy>(of: &[T]) -> Vec<Vec<T>> {
    let Some((first, rest)) = of.split_first() else { return vec![Vec::new()] };
    let without = subsets(rest);
    let with = without.iter().map(|subset| [*first].into_iter().chain(subset.iter().copied()).collect());
    let with: Vec<_> = with.collect();
    without.into_iter().chain(with).collect()
}

/// Every cast of `members` with `twins` of them running twice.
#[must_use]
pub fn casts(members: u8, twins: usize) -> Vec<Cast> {
    let all: Vec<_> = (0..u16::from(members)).map(ReplicaId).collect();
    let mut casts: Vec<_> = subsets(&all)
        .into_iter()
        .filter(|subset| subset.len() == twins)
        .map(|subset| Cast::new(members, subset))
        .collect();
    casts.sort();
    casts
}
