//! The numbers of the protocol, found once more by searching for what they must mean instead of by the engine's formulas.

use quorate::{Genesis, ReplicaId, SeqNum, View};

/// What follows from the genesis.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// n.
    pub members: u64,
    /// Q: the fewest of whom any two sets share a correct member.
    pub quorum: u64,
    /// K.
    pub interval: u64,
    /// L = 2K.
    pub window: u64,
    /// C.
    pub client_window: u64,
    /// How many clients there are.
    pub clients: u64,
}

impl Rules {
    pub(super) fn new(genesis: &Genesis) -> Self {
        let limits = &genesis.limits;
        let rules = Rules::of(genesis.committee.size() as u64);
        Rules {
            interval: limits.checkpoint_interval,
            window: limits.checkpoint_interval * 2,
            client_window: limits.client_window,
            clients: genesis.clients.len() as u64,
            ..rules
        }
    }

    fn of(members: u64) -> Self {
        // f: the most that are fewer than a third.
        let faulty = (0..members).take_while(|faulty| 3 * faulty < members).last().unwrap_or(0);
        let meets = |quorum: &u64| 2 * quorum > members + faulty;
        let quorum = (1..=members).find(meets).unwrap_or(members);
        Rules { members, quorum, interval: 1, window: 2, client_window: 1, clients: 0 }
    }

    /// The only one who may assign slots in a view.
    pub(super) fn leader(&self, view: View) -> ReplicaId {
        ReplicaId(u16::try_from(view.0 % self.members).unwrap_or(u16::MAX))
    }

    pub(super) fn is_checkpoint(&self, seq: SeqNum) -> bool {
        seq.0 != 0 && seq.0.is_multiple_of(self.interval)
    }

    /// Whether a slot lies between the watermarks of a replica with this low one.
    pub(super) fn is_inside(&self, low: SeqNum, seq: SeqNum) -> bool {
        seq.0 > low.0 && seq.0 - low.0 <= self.window
    }
}

#[cfg(test)]
pub(super) fn rules(members: u64, interval: u64) -> Rules {
    Rules { interval, window: interval * 2, client_window: 2, clients: 2, ..Rules::of(members) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_two_quorums_share_a_correct_member_and_the_correct_ones_are_one() {
        for members in 4..=64 {
            let (faulty, quorum) = ((members - 1) / 3, Rules::of(members).quorum);
            assert!(2 * quorum - members > faulty && quorum <= members - faulty, "n = {members}: Q = {quorum}");
            assert!(2 * (quorum - 1) <= members + faulty, "n = {members}: {quorum} is more than is needed");
        }
    }

    #[test]
    fn the_members_lead_in_turn() {
        let rules = rules(4, 8);
        let leaders: Vec<_> = (0..6).map(|view| rules.leader(View(view)).0).collect();
        assert_eq!(leaders, [0, 1, 2, 3, 0, 1]);
    }
}
