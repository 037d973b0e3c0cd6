//! A primary of a new view that hides something in its proof, from all or from some: a prepared batch that it leaves out,
//! a slot that it fills with the null batch, and, where it holds enough of them, ViewChanges chosen such that the
//! assignments differ. The last is a valid NewView: it is then the second one of its view.

use std::collections::BTreeMap;

use quorate::batch::null_digest;
use quorate::core::new_view::plan;
use quorate::messages::{Message, NewView, PrePrepare, Signed, ViewChange};
use quorate::{ReplicaId, View};
use quorate_crypto::Digest;

use super::attack::{Attack, Heard, Parcel};
use super::board::{Fork, Side};
use super::scene::Scene;
use crate::counters::Counter;

/// So many views are remembered.
const KEPT: usize = 8;

/// The attack with what it has heard and said.
#[derive(Debug, Default)]
pub struct MisleadingNewView {
    heard: BTreeMap<View, BTreeMap<ReplicaId, Signed<ViewChange>>>,
    said: BTreeMap<View, Said>,
}

/// What is said of a view.
#[derive(Clone, Debug)]
enum Said {
    Honestly,
    Misleading {
        new_view: Signed<NewView>,
        /// What it rests on: its receivers ask for it.
        view_changes: Vec<Signed<ViewChange>>,
        /// Those who get it.
        deceived: Vec<ReplicaId>,
    },
}

impl MisleadingNewView {
    fn learn(&mut self, asked: &Signed<ViewChange>) {
        self.heard.entry(asked.payload.target).or_default().entry(asked.signer).or_insert_with(|| asked.clone());
        while self.heard.len() > KEPT {
            self.heard.pop_first();
        }
    }

    fn decide(&mut self, honest: &Signed<NewView>, scene: &mut Scene<'_>) -> Said {
        let target = honest.payload.target;
        if let Some(said) = self.said.get(&target) {
            return said.clone();
        }
        let lies = scene.strikes(&Message::NewView(honest.clone()));
        let said = if lies { self.mislead(honest, scene) } else { Said::Honestly };
        self.said.insert(target, said.clone());
        while self.said.len() > KEPT {
            self.said.pop_first();
        }
        said
    }

    fn mislead(&self, honest: &Signed<NewView>, scene: &mut Scene<'_>) -> Said {
        let others = scene.puppet.others();
        let (some, _) = scene.split(&others);
        let deceived = if scene.choices.chance(300) { others } else { some };
        let chosen = if scene.choices.chance(800) { self.chosen(honest, scene) } else { None };
        if let Some((new_view, view_changes)) = chosen {
            share_fork(honest, &new_view, &deceived, scene);
            scene.count(Counter::ChosenNewViews);
            return Said::Misleading { new_view, view_changes, deceived };
        }
        match doctored(&honest.payload, scene) {
            Some(new_view) => {
                scene.count(Counter::MisleadingNewViews);
                Said::Misleading { new_view: scene.sign(new_view), view_changes: Vec::new(), deceived }
            }
            None => Said::Honestly,
        }
    }

    /// A NewView that rests on the Q ViewChanges that say the least, if it assigns something else.
    fn chosen(
        &self,
        honest: &Signed<NewView>,
        scene: &Scene<'_>,
    ) -> Option<(Signed<NewView>, Vec<Signed<ViewChange>>)> {
        let target = honest.payload.target;
        let mut known = self.heard.get(&target)?.clone();
        if let Some(own) = known.get_mut(&scene.puppet.id) {
            // It has signed one that says everything; nothing keeps it from signing another.
            *own = scene.sign(ViewChange { prepared: Vec::new(), ..own.payload.clone() });
        }
        known.extend(scene.board.view_changes(target).map(|stale| (stale.signer, stale.clone())));
        let mut candidates: Vec<_> = known.into_values().collect();
        candidates.sort_by_key(|asked| (asked.payload.prepared.len(), asked.payload.stable_seq(), asked.signer));
        let quorum = scene.puppet.genesis.committee.quorum();
        let mut view_changes: Vec<_> = candidates.into_iter().take(quorum).collect();
        view_changes.sort_by_key(|asked| asked.signer);
        let plan = plan(view_changes.iter().map(|asked| &asked.payload)).ok()?;
        let said = honest.payload.pre_prepares.iter().map(|header| (header.payload.seq, header.payload.digest));
        if view_changes.len() < quorum || said.eq(plan.assignments.iter().copied()) {
            return None;
        }
        let assign = |(seq, digest): &(_, Digest)| scene.sign(PrePrepare { view: target, seq: *seq, digest: *digest });
        let new_view = NewView {
            target,
            view_changes: view_changes.iter().map(|asked| (asked.signer, asked.digest())).collect(),
            pre_prepares: plan.assignments.iter().map(assign).collect(),
        };
        Some((scene.sign(new_view), view_changes))
    }
}

/// Assignments that do not follow from the ViewChanges: one filled with the null batch or with something else, the last
/// one left out, or one too many. `None` when that would be what is honest.
fn doctored(honest: &NewView, scene: &mut Scene<'_>) -> Option<NewView> {
    let mut doctored = honest.clone();
    let place = usize::try_from(scene.choices.below(honest.pre_prepares.len().max(1) as u64)).unwrap_or(0);
    let kind = scene.choices.below(4);
    match doctored.pre_prepares.get(place).map(|header| header.payload) {
        Some(PrePrepare { view, seq, digest }) if kind < 2 => {
            let other = if kind == 0 { null_digest(seq) } else { Digest::from_bytes([9; 32]) };
            if other == digest {
                return None;
            }
            let header = scene.sign(PrePrepare { view, seq, digest: other });
            doctored.pre_prepares.splice(place..=place, [header]);
        }
        Some(_) if kind == 2 => drop(doctored.pre_prepares.pop()),
        Some(_) | None => {
            let last = doctored.pre_prepares.last().map_or(scene.place.seq, |header| header.payload.seq);
            let seq = last.next();
            doctored.pre_prepares.push(scene.sign(PrePrepare { view: honest.target, seq, digest: null_digest(seq) }));
        }
    }
    Some(doctored)
}

/// Colluders vote for both sides.
fn share_fork(honest: &Signed<NewView>, other: &Signed<NewView>, deceived: &[ReplicaId], scene: &mut Scene<'_>) {
    for header in &honest.payload.pre_prepares {
        let PrePrepare { view, seq, digest } = header.payload;
        let there = other.payload.pre_prepares.iter().find(|there| there.payload.seq == seq);
        if let Some(there) = there.filter(|there| there.payload.digest != digest) {
            let sides = [header, there].map(|header| Side { header: header.clone(), batch: None });
            let shown = deceived.iter().map(|id| (*id, 1)).collect();
            scene.board.add_fork(view, seq, Fork::new(sides.into(), shown));
        }
    }
}

impl Attack for MisleadingNewView {
    fn on_send(&mut self, parcel: Parcel, scene: &mut Scene<'_>) -> Vec<Parcel> {
        if let Message::ViewChange(asked) = &parcel.message {
            self.learn(asked);
        }
        let Message::NewView(honest) = &parcel.message else { return vec![parcel] };
        if honest.signer != scene.puppet.id {
            return vec![parcel];
        }
        match self.decide(honest, scene) {
            Said::Honestly => vec![parcel],
            Said::Misleading { new_view, deceived, .. } => {
                let (to, rest) = parcel.to.iter().partition(|id| deceived.contains(id));
                vec![parcel.towards(to).with(Message::NewView(new_view)), parcel.towards(rest)]
            }
        }
    }

    fn on_receive(&mut self, from: ReplicaId, message: &Message, scene: &mut Scene<'_>) -> Heard {
        if let Message::ViewChange(asked) = message {
            self.learn(asked);
        }
        if let Message::FetchViewChange { signer, digest } = message {
            let said = self.said.values().filter_map(|said| match said {
                Said::Honestly => None,
                Said::Misleading { view_changes, .. } => Some(view_changes),
            });
            let wanted = said.flatten().find(|asked| asked.signer == *signer && asked.digest() == *digest);
            if let Some(wanted) = wanted {
                scene.send(Parcel::new(vec![from], Message::ViewChange(wanted.clone())));
            }
        }
        Heard::Everything
    }
}
