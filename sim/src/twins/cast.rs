//! Who plays: the members of a committee, some of whom run twice.

use std::fmt;

use quorate::ReplicaId;

/// One running core. A member that has a twin runs two of them, under one identity and with one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(pub u8);

impl Place {
    /// As an index.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The members and their twins. The first core of a member stands at the place of its number, the second cores follow in
/// the order of their members.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cast {
    members: u8,
    /// Ascending.
    twins: Vec<ReplicaId>,
}

impl Cast {
    /// A committee of `members` in which these run twice.
    ///
    /// # Panics
    /// When one of them is no member.
    #[must_use]
    pub fn new(members: u8, mut twins: Vec<ReplicaId>) -> Self {
        twins.sort_unstable();
        twins.dedup();
        assert!(twins.iter().all(|twin| twin.0 < u16::from(members)), "a twin is a member");
        Cast { members, twins }
    }

    /// n.
    #[must_use]
    pub fn members(&self) -> u8 {
        self.members
    }

    /// The members that run twice.
    #[must_use]
    pub fn twins(&self) -> &[ReplicaId] {
        &self.twins
    }

    /// f, the number of twins that the protocol bears.
    #[must_use]
    pub fn faulty_max(&self) -> usize {
        usize::from(self.members.saturating_sub(1) / 3)
    }

    /// Q, once more: any two sets of so many members share one that is correct.
    #[must_use]
    pub fn quorum(&self) -> usize {
        (usize::from(self.members) + self.faulty_max() + 1).div_ceil(2)
    }

    /// Whether a member runs twice.
    #[must_use]
    pub fn is_twin(&self, member: ReplicaId) -> bool {
        self.twins.contains(&member)
    }

    /// The members that run once.
    pub fn correct(&self) -> impl Iterator<Item = ReplicaId> + '_ {
        (0..u16::from(self.members)).map(ReplicaId).filter(|member| !self.is_twin(*member))
    }

    /// How many cores run.
    #[must_use]
    pub fn cores(&self) -> u8 {
        self.members + u8::try_from(self.twins.len()).expect("no more twins than members")
    }

    /// Every core.
    pub fn places(&self) -> impl Iterator<Item = Place> + use<> {
        (0..self.cores()).map(Place)
    }

    /// The member that runs there.
    #[must_use]
    pub fn member(&self, place: Place) -> ReplicaId {
        match place.0.checked_sub(self.members) {
            None => ReplicaId(u16::from(place.0)),
            Some(twin) => self.twins[usize::from(twin)],
        }
    }

    /// Whether the core is one of a pair.
    #[must_use]
    pub fn is_paired(&self, place: Place) -> bool {
        self.is_twin(self.member(place))
    }

    /// Where the second core of a member runs, if it has one.
    #[must_use]
    pub fn second(&self, member: ReplicaId) -> Option<Place> {
        let number = self.twins.iter().position(|twin| *twin == member)?;
        Some(Place(self.members + u8::try_from(number).expect("no more twins than members")))
    }

    /// `2` for a member that runs once, `0a` and `0b` for the cores of one that runs twice.
    #[must_use]
    pub fn name(&self, place: Place) -> String {
        let member = self.member(place);
        let copy = match (self.is_twin(member), place.0 < self.members) {
            (false, _) => "",
            (true, true) => "a",
            (true, false) => "b",
        };
        format!("{member}{copy}")
    }

    /// The place that has this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<Place> {
        self.places().find(|place| self.name(*place) == name)
    }
}

impl fmt::Display for Cast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n={} twins=", self.members)?;
        let names: Vec<_> = self.twins.iter().map(ReplicaId::to_string).collect();
        f.write_str(&names.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_core_has_a_name_of_its_own() {
        let cast = Cast::new(4, vec![ReplicaId(2)]);
        let names: Vec<_> = cast.places().map(|place| cast.name(place)).collect();
        assert_eq!(names, ["0", "1", "2a", "3", "2b"]);
        assert!(cast.places().all(|place| cast.named(&cast.name(place)) == Some(place)));
    }

    #[test]
    fn quorums_are_those_of_the_protocol() {
        let quorums = [4, 5, 6, 7, 10].map(|members| Cast::new(members, Vec::new()).quorum());
        assert_eq!(quorums, [3, 4, 4, 5, 7]);
    }
}
