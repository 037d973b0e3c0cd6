//! What disks do to what was durable, to as many replicas at a time as a cluster bears: one whose promises or state were
//! damaged counts as faulty until it is whole again.

use std::path::PathBuf;
use std::time::Duration;

use quorate::messages::{Bounds, Standing};
use quorate::{ReplicaId, SeqNum};
use serde::{Deserialize, Serialize};

use super::failing::Ending;
use super::node::Node;
use super::queue::Event;
use super::stored_state::StoredState;
use super::world::World;
use crate::chart::{Note, Topic};
use crate::counters::Counter;
use crate::disk::{Damage, DiskCopy};

/// What happens to a home.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Mishap {
    /// Some of its files are damaged.
    Files(Damage),
    /// The file of the promises is damaged, and nothing else.
    Promises(Damage),
    /// The stored state is damaged or lost.
    State,
    /// Everything is lost.
    Wiped,
    /// An older copy of everything takes its place.
    OlderCopy,
}

/// Why a replica counts as faulty, and until when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Broken {
    /// What it had said: it is whole when that binds it no more. `None` when it has lost no promise.
    pub promised: Option<Bounds>,
    /// Up to where it had executed: it is whole when it has come there again.
    pub executed: SeqNum,
}

/// A copy of a home.
#[derive(Clone, Debug)]
pub(super) struct HomeCopy {
    disk: DiskCopy,
    state: StoredState,
}

impl World {
    /// Draws which homes are damaged when.
    pub(super) fn plan_mishaps(&mut self, correct: &[ReplicaId]) {
        for _ in 0..self.options.faults.mishaps {
            let (at, id) = (self.draw_moment(), self.choices.pick(correct));
            let drawn = self.draw_mishap();
            let mishap = self.options.faults.mishap.unwrap_or(drawn);
            if mishap == Mishap::OlderCopy {
                let before = self.draw((Duration::ZERO, at));
                self.after(before, Event::Copy { node: id });
            }
            self.after(at, Event::Mishap { node: id, mishap });
        }
    }

    fn draw_mishap(&mut self) -> Mishap {
        let damage = self.choices.pick(&Damage::ALL);
        self.choices.pick(&[
            Mishap::Files(damage),
            Mishap::Files(damage),
            Mishap::Files(damage),
            Mishap::Promises(damage),
            Mishap::State,
            Mishap::Wiped,
            Mishap::OlderCopy,
        ])
    }

    pub(super) fn on_copy(&mut self, id: ReplicaId) {
        let node = self.node_mut(id);
        node.copy = Some(HomeCopy { disk: node.disk.copy(), state: node.state.clone() });
    }

    pub(super) fn on_mishap(&mut self, id: ReplicaId, mishap: Mishap) {
        if self.is_calm() || !self.bears_another(id) || (mishap == Mishap::OlderCopy && self.node(id).copy.is_none()) {
            return;
        }
        let executed = self.node(id).running.as_ref().map(|running| running.executor.executed());
        // Only a replica that loses nothing else is expected to notice every damage: the file that names the last durable
        // group is not synced.
        let was_down = !self.is_running(id);
        let ending = if self.choices.chance(800) { Ending::Process } else { Ending::PowerLoss };
        self.crash(id, ending);
        self.counters.add(counter_of(mishap));
        self.mark(id, || Note::new(Topic::Fault, format!("suffers a mishap: {mishap:?}")));
        let before = self.node(id).broken.map_or(SeqNum::GENESIS, |broken| broken.executed);
        let broken =
            Broken { promised: Some(self.checks.promised(id)), executed: executed.unwrap_or_default().max(before) };
        self.node_mut(id).broken = Some(broken);
        self.inflict(id, mishap);
        let may_go_unnoticed =
            was_down || ending == Ending::PowerLoss || matches!(mishap, Mishap::Wiped | Mishap::OlderCopy);
        if may_go_unnoticed {
            self.checks.forget(id);
        }
    }

    fn inflict(&mut self, id: ReplicaId, mishap: Mishap) {
        let World { nodes, choices, .. } = self;
        let node = &mut nodes[id.index()];
        match mishap {
            Mishap::Files(damage) => {
                let files = node.disk.files();
                for _ in 0..choices.between(1, 3) {
                    if files.is_empty() {
                        return;
                    }
                    let place = choices.below(files.len() as u64);
                    if let Some(path) = files.get(usize::try_from(place).unwrap_or(0)) {
                        node.disk.inflict(path, damage, choices);
                    }
                }
            }
            Mishap::Promises(damage) => {
                let is_promises = |path: &&PathBuf| path.ends_with("promises");
                for path in node.disk.files().iter().filter(is_promises) {
                    node.disk.inflict(path, damage, choices);
                }
            }
            Mishap::State => node.state.damage(choices),
            Mishap::Wiped => {
                node.disk.wipe();
                node.is_furnished = false;
                node.state = StoredState::default();
            }
            Mishap::OlderCopy => {
                if let Some(HomeCopy { disk, state }) = node.copy.clone() {
                    node.disk.restore(&disk);
                    node.disk.restart();
                    node.state = state;
                }
            }
        }
    }

    /// Whether this replica may be faulty, too.
    fn bears_another(&mut self, id: ReplicaId) -> bool {
        self.forget_mended();
        let faulty = |node: &&Node| !node.is_correct() || (node.broken.is_some() && node.id() != id);
        (self.nodes.iter().filter(faulty).count() as u64) < self.options.faulty_max()
    }

    /// Those who are whole again count as correct.
    pub(super) fn forget_mended(&mut self) {
        for node in &mut self.nodes {
            if node.is_whole() {
                node.broken = None;
                self.checks.remember(node.id());
            }
        }
    }
}

impl Node {
    fn is_whole(&self) -> bool {
        let (Some(broken), Some(running)) = (&self.broken, &self.running) else { return false };
        let replica = &running.replica;
        let keeps_clear = |bounds: Bounds| replica.view() >= bounds.view && replica.watermarks().0 >= bounds.seq;
        replica.standing() == Standing::Voting
            && running.executor.executed() >= broken.executed
            && broken.promised.is_none_or(keeps_clear)
    }
}

fn counter_of(mishap: Mishap) -> Counter {
    match mishap {
        Mishap::Files(_) => Counter::DamagedFiles,
        Mishap::Promises(_) => Counter::DamagedPromises,
        Mishap::State => Counter::DamagedStates,
        Mishap::Wiped => Counter::WipedHomes,
        Mishap::OlderCopy => Counter::OlderCopies,
    }
}
