//! Partitions: who cannot reach whom.

use std::collections::BTreeSet;
use std::fmt;

use quorate::ReplicaId;

/// A partition, until it heals.
#[derive(Clone, Debug)]
pub(in crate::world) struct Cut {
    pub number: u64,
    pub shape: CutShape,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::world) enum CutShape {
    /// Nothing passes between the side and the rest.
    Split(BTreeSet<ReplicaId>),
    /// Nothing leaves the side.
    Mute(BTreeSet<ReplicaId>),
    /// Nothing reaches the side.
    Deaf(BTreeSet<ReplicaId>),
    /// The side and the rest reach each other through one replica only, which reaches everybody.
    Bridge { side: BTreeSet<ReplicaId>, bridge: ReplicaId },
    /// Each reaches the two neighbours that it has in this order.
    Ring(Vec<ReplicaId>),
}

impl Cut {
    pub(in crate::world) fn blocks(&self, from: ReplicaId, to: ReplicaId) -> bool {
        self.shape.blocks(from, to)
    }
}

impl CutShape {
    fn blocks(&self, from: ReplicaId, to: ReplicaId) -> bool {
        match self {
            CutShape::Split(side) => side.contains(&from) != side.contains(&to),
            CutShape::Mute(side) => side.contains(&from) && !side.contains(&to),
            CutShape::Deaf(side) => !side.contains(&from) && side.contains(&to),
            CutShape::Bridge { side, bridge } => {
                from != *bridge && to != *bridge && side.contains(&from) != side.contains(&to)
            }
            CutShape::Ring(order) => !are_neighbours(order, from, to),
        }
    }
}

fn are_neighbours(ring: &[ReplicaId], from: ReplicaId, to: ReplicaId) -> bool {
    let place = |id| ring.iter().position(|member| *member == id);
    let (Some(from), Some(to)) = (place(from), place(to)) else { return true };
    (from + 1) % ring.len() == to || (to + 1) % ring.len() == from
}

impl fmt::Display for CutShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CutShape::Split(side) => write!(f, "{side:?} is split off"),
            CutShape::Mute(side) => write!(f, "{side:?} is mute"),
            CutShape::Deaf(side) => write!(f, "{side:?} is deaf"),
            CutShape::Bridge { side, bridge } => write!(f, "{side:?} is joined to the rest by {bridge} only"),
            CutShape::Ring(order) => write!(f, "a ring {order:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMBERS: u16 = 5;

    fn side<const N: usize>(members: [u16; N]) -> BTreeSet<ReplicaId> {
        members.into_iter().map(ReplicaId).collect()
    }

    /// The links that pass, as pairs.
    fn open(shape: &CutShape) -> Vec<(u16, u16)> {
        let pairs = (0..MEMBERS).flat_map(|from| (0..MEMBERS).map(move |to| (from, to)));
        let passes = |(from, to): &(u16, u16)| from != to && !shape.blocks(ReplicaId(*from), ReplicaId(*to));
        pairs.filter(passes).collect()
    }

    #[test]
    fn a_bridge_alone_joins_two_sides() {
        let links = open(&CutShape::Bridge { side: side([0, 1]), bridge: ReplicaId(2) });
        assert!(links.contains(&(0, 2)) && links.contains(&(2, 4)) && links.contains(&(0, 1)));
        assert!(!links.contains(&(0, 3)) && !links.contains(&(4, 1)));
    }

    #[test]
    fn everybody_has_two_neighbours_in_a_ring() {
        let links = open(&CutShape::Ring([3, 0, 4, 1, 2].map(ReplicaId).to_vec()));
        assert_eq!(links.len(), 2 * usize::from(MEMBERS));
        assert!(links.contains(&(3, 0)) && links.contains(&(3, 2)) && !links.contains(&(3, 4)));
    }

    #[test]
    fn mute_and_deaf_are_one_way() {
        assert!(open(&CutShape::Mute(side([0]))).contains(&(1, 0)));
        assert!(!open(&CutShape::Mute(side([0]))).contains(&(0, 1)));
        assert!(open(&CutShape::Deaf(side([0]))).contains(&(0, 1)));
        assert!(!open(&CutShape::Deaf(side([0]))).contains(&(1, 0)));
    }
}
