//! A primary that assigns several batches to one slot of its view, and shows each of the others one of them. It and its
//! colluders vote for all of them, each towards those who were shown it.

use std::collections::{BTreeMap, BTreeSet};

use quorate::batch::Batch;
use quorate::messages::{Commit, Message, PrePrepare, Prepare, Proposal, Signed};
use quorate::{SeqNum, View, WallTime};

use super::attack::{Attack, Parcel};
use super::board::{Fork, Side};
use super::scene::Scene;
use crate::counters::Counter;

/// So many slots are remembered as decided.
const KEPT: usize = 1024;

/// The attack with the slots that it has looked at.
#[derive(Debug)]
pub struct EquivocatingPrimary {
    ways: u64,
    seen: BTreeSet<(View, SeqNum)>,
}

impl EquivocatingPrimary {
    /// Assigns up to `ways` batches to a slot.
    #[must_use]
    pub fn new(ways: u64) -> Self {
        EquivocatingPrimary { ways: ways.max(2), seen: BTreeSet::new() }
    }

    /// Decides once for each own assignment whether it is made several times, and who sees which.
    fn fork(&mut self, proposal: &Proposal, parcel: &Parcel, scene: &mut Scene<'_>) {
        let PrePrepare { view, seq, .. } = proposal.header.payload;
        let Some(batch) = &proposal.batch else { return };
        if !self.seen.insert((view, seq)) || !scene.strikes(&parcel.message) {
            return;
        }
        while self.seen.len() > KEPT {
            self.seen.pop_first();
        }
        let first = Side { header: proposal.header.clone(), batch: Some(batch.clone()) };
        let ways = scene.choices.between(2, self.ways);
        let sides: Vec<_> = std::iter::once(first)
            .chain((1..ways).map(|way| {
                let other = variant(batch, way);
                let header = scene.sign(PrePrepare { view, seq, digest: other.digest(seq) });
                Side { header, batch: Some(other) }
            }))
            .collect();
        let others = scene.puppet.others();
        let deceived = usize::try_from(scene.choices.between(1, others.len() as u64)).unwrap_or(others.len());
        let deceived = scene.choices.subset(&others, deceived);
        let shown: BTreeMap<_, _> = deceived
            .into_iter()
            .map(|id| (id, usize::try_from(scene.choices.between(1, ways - 1)).unwrap_or(1)))
            .collect();
        scene.board.add_fork(view, seq, Fork::new(sides, shown));
        scene.count(Counter::Equivocations);
    }

    /// Each sees its side, with the primary's Commit at once: it does not wait for Prepares.
    fn proposals(parcel: &Parcel, scene: &Scene<'_>, header: &Signed<PrePrepare>) -> Option<Vec<Parcel>> {
        let PrePrepare { view, seq, .. } = header.payload;
        let fork = scene.board.fork(view, seq)?;
        let sides = fork.sides_of(&parcel.to).flat_map(|(side, to)| {
            let Side { header, batch } = side.clone();
            let commit = scene.sign(Commit { view, seq, digest: side.digest() });
            let proposal = Message::PrePrepare(Proposal { header, batch });
            [parcel.towards(to.clone()).with(proposal), parcel.towards(to).with(Message::Commit(commit))]
        });
        Some(sides.collect())
    }

    /// A vote for the side that each was shown.
    fn votes(parcel: &Parcel, scene: &Scene<'_>) -> Option<Vec<Parcel>> {
        let place = scene.place.of(&parcel.message);
        let (view, seq) = (place.view, place.seq);
        let fork = scene.board.fork(view, seq)?;
        let is_commit = matches!(parcel.message, Message::Commit(_));
        let votes = fork.sides_of(&parcel.to).map(|(side, to)| {
            let digest = side.digest();
            let vote = if is_commit {
                Message::Commit(scene.sign(Commit { view, seq, digest }))
            } else {
                Message::Prepare(scene.sign(Prepare { view, seq, digest }))
            };
            parcel.towards(to).with(vote)
        });
        Some(votes.collect())
    }
}

/// Another batch for the same slot: the same requests in another order, at another time.
fn variant(batch: &Batch, way: u64) -> Batch {
    let mut requests = batch.requests().to_vec();
    requests.reverse();
    if let Some(by) = usize::try_from(way - 1).ok().and_then(|way| way.checked_rem(requests.len())) {
        requests.rotate_left(by);
    }
    Batch::new(WallTime(batch.time().0.saturating_add(way)), requests)
}

impl Attack for EquivocatingPrimary {
    fn on_send(&mut self, parcel: Parcel, scene: &mut Scene<'_>) -> Vec<Parcel> {
        let own = scene.puppet.id;
        #[expect(clippy::wildcard_enum_match_arm, reason = "only assignments and own votes differ from what is honest")]
        let split = match &parcel.message {
            Message::PrePrepare(proposal) if proposal.header.signer == own => {
                self.fork(proposal, &parcel, scene);
                Self::proposals(&parcel, scene, &proposal.header)
            }
            Message::Prepare(Signed { signer, .. }) | Message::Commit(Signed { signer, .. }) if *signer == own => {
                Self::votes(&parcel, scene)
            }
            _ => None,
        };
        split.unwrap_or_else(|| vec![parcel])
    }
}
