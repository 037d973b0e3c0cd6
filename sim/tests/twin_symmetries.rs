//! The enumeration of twin scenarios against a naive restatement: sets of sets, every renaming, every orbit.

use std::collections::BTreeSet;

use quorate_sim::twins::{Kind, Moves, Scenario, partitions};

/// A member, and which of its cores.
type Core = (u16, u8);
type Partition = BTreeSet<BTreeSet<Core>>;
type Plain = (BTreeSet<u16>, Vec<Partition>);

/// All ways to divide cores into groups: the last one joins any group of the others, or none.
fn all_partitions(cores: &[Core]) -> Vec<Partition> {
    let Some((last, rest)) = cores.split_last() else { return vec![Partition::new()] };
    let mut all = Vec::new();
    for smaller in all_partitions(rest) {
        for group in &smaller {
            let mut larger = smaller.clone();
            let mut group = larger.take(group).expect("a group of it");
            group.insert(*last);
            larger.insert(group);
            all.push(larger);
        }
        let mut alone = smaller;
        alone.insert(BTreeSet::from([*last]));
        all.push(alone);
    }
    all
}

fn permutations(of: &[u16]) -> Vec<Vec<u16>> {
    if of.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for first in of {
        let rest: Vec<_> = of.iter().copied().filter(|other| other != first).collect();
        all.extend(permutations(&rest).into_iter().map(|order| [vec![*first], order].concat()));
    }
    all
}

fn choose(members: u16, twins: usize) -> Vec<BTreeSet<u16>> {
    let all = (0..1u32 << members).map(|bits| (0..members).filter(|member| bits >> member & 1 == 1).collect());
    all.filter(|chosen: &BTreeSet<u16>| chosen.len() == twins).collect()
}

fn all_scenarios(members: u16, twins: usize, rounds: usize) -> Vec<Plain> {
    let mut all = Vec::new();
    for chosen in choose(members, twins) {
        let firsts = (0..members).map(|member| (member, 0));
        let cores: Vec<_> = firsts.chain(chosen.iter().map(|member| (*member, 1))).collect();
        let moves = all_partitions(&cores);
        let mut of_cast: Vec<Vec<Partition>> = vec![Vec::new()];
        for _ in 0..rounds {
            let longer = |begun: &Vec<Partition>| {
                let begun = begun.clone();
                moves.iter().map(move |round| [begun.clone(), vec![round.clone()]].concat()).collect::<Vec<_>>()
            };
            of_cast = of_cast.iter().flat_map(longer).collect();
        }
        all.extend(of_cast.into_iter().map(|rounds| (chosen.clone(), rounds)));
    }
    all
}

/// All scenarios that differ from one in names only: members that lead no view up to the last one that may be entered,
/// and the cores of a twin.
fn orbit((chosen, rounds): &Plain, members: u16) -> BTreeSet<Plain> {
    let fixed = u16::try_from(rounds.len() + 1).expect("few rounds").min(members);
    let movable: Vec<_> = (fixed..members).collect();
    let mut all = BTreeSet::new();
    for order in permutations(&movable) {
        let rename = |member: u16| if member < fixed { member } else { order[usize::from(member - fixed)] };
        for swapped in (0..=chosen.len()).flat_map(|count| choose(members, count)) {
            if !swapped.is_subset(chosen) {
                continue;
            }
            let core = |(member, copy): &Core| (rename(*member), copy ^ u8::from(swapped.contains(member)));
            let round = |round: &Partition| round.iter().map(|group| group.iter().map(core).collect()).collect();
            all.insert((chosen.iter().copied().map(rename).collect(), rounds.iter().map(round).collect()));
        }
    }
    all
}

fn plain(scenario: &Scenario) -> Plain {
    let cast = &scenario.cast;
    let core = |place| (cast.member(place).0, u8::from(cast.second(cast.member(place)) == Some(place)));
    let chosen = cast.twins().iter().map(|twin| twin.0).collect();
    let rounds = scenario.rounds.iter();
    let rounds =
        rounds.map(|round| (0..round.group_count()).map(|group| round.group(group).map(core).collect()).collect());
    (chosen, rounds.collect())
}

#[test]
fn each_scenario_is_played_once_under_one_of_its_names() {
    for (members, twins, rounds) in [(4, 1, 1), (4, 1, 2), (5, 1, 1), (4, 2, 1), (5, 2, 1)] {
        let kind = Kind { members, twins, rounds, moves: Moves::Partitions };
        let all = all_scenarios(u16::from(members), twins, rounds);
        assert_eq!(kind.count(), all.len() as u64, "{kind:?}");
        let mut left: BTreeSet<_> = all.into_iter().collect();
        kind.visit(&mut |scenario| {
            let same = orbit(&plain(scenario), u16::from(members));
            assert!(same.iter().all(|other| left.remove(other)), "{scenario} is another one renamed");
        });
        assert_eq!(left.len(), 0, "{kind:?}: none of these is played: {:?}", left.first());
    }
}

#[test]
fn there_are_as_many_partitions_as_bell_says() {
    let bell = [1, 1, 2, 5, 15, 52, 203, 877, 4140];
    assert_eq!((0..=8).map(|cores| partitions(cores).len()).collect::<Vec<_>>(), bell);
}

/// Four members, one twin: 4 · 52³ scenarios of three rounds. Only the cores of the twin may change places, and 20 of the
/// 52 partitions do not notice (Burnside).
#[test]
fn the_scenarios_of_three_rounds_are_as_many_as_burnside_says() {
    let kind = Kind { members: 4, twins: 1, rounds: 3, moves: Moves::Partitions };
    let mut canonical = 0u64;
    kind.visit(&mut |_| canonical += 1);
    assert_eq!(kind.count(), 4 * 52 * 52 * 52);
    assert_eq!(canonical, 4 * (52 * 52 * 52 + 20 * 20 * 20) / 2);
}
