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
use crate::disk::{Damage, DiskCopy, Lie};

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
    /// Its disk lies: what it confirmed is gone when the power fails, a while later.
    Lie(Lie),
    /// A bit flips while the replica runs and reads nothing there.
    Rot,
}

/// Why a replica counts as faulty, and until when.
#[derive(Clone, Copy, Debug)]
pub(super) enum Broken {
    /// Its disk may do something that nobody knows before the process ends.
    Latent {
        /// What it may do.
        mishap: Mishap,
        /// Up to where it had executed.
        executed: SeqNum,
        /// What it had said when something was lost before.
        lost: Option<Bounds>,
    },
    /// Something is lost.
    Lost {
        /// What it had said: it is whole when that binds it no more.
        promised: Bounds,
        /// Up to where it had executed: it is whole when it has come there again.
        executed: SeqNum,
    },
}

impl Broken {
    fn executed(self) -> SeqNum {
        match self {
            Broken::Latent { executed, .. } | Broken::Lost { executed, .. } => executed,
        }
    }

    fn lost(self) -> Option<Bounds> {
        match self {
            Broken::Latent { lost, .. } => lost,
            Broken::Lost { promised, .. } => Some(promised),
        }
    }
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
            Mishap::Lie(Lie::Sync),
            Mishap::Lie(Lie::Rename),
            Mishap::Lie(Lie::Write),
            Mishap::Rot,
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
        match mishap {
            Mishap::Lie(_) | Mishap::Rot => self.begin_latent(id, mishap),
            Mishap::Files(_) | Mishap::Promises(_) | Mishap::State | Mishap::Wiped | Mishap::OlderCopy => {
                self.damage(id, mishap)
            }
        }
    }

    /// The process ends, and its home is damaged before the next one starts.
    fn damage(&mut self, id: ReplicaId, mishap: Mishap) {
        let executed = self.executed_by(id);
        // Only a replica that loses nothing else is expected to notice every damage: the file that names the last durable
        // group is not synced.
        let was_down = !self.is_running(id);
        let ending = if self.choices.chance(800) { Ending::Process } else { Ending::PowerLoss };
        self.crash(id, ending);
        self.counters.add(counter_of(mishap));
        self.mark(id, || Note::new(Topic::Fault, format!("suffers a mishap: {mishap:?}")));
        let promised = self.checks.promised(id);
        self.node_mut(id).broken = Some(Broken::Lost { promised, executed });
        self.inflict(id, mishap);
        let may_go_unnoticed =
            was_down || ending == Ending::PowerLoss || matches!(mishap, Mishap::Wiped | Mishap::OlderCopy);
        if may_go_unnoticed {
            self.checks.forget(id);
        }
    }

    /// The disk of a running replica begins to lie, or to rot. The power fails some time later.
    fn begin_latent(&mut self, id: ReplicaId, mishap: Mishap) {
        if !self.is_running(id) {
            return;
        }
        self.mark(id, || Note::new(Topic::Fault, format!("has a disk that is not what it seems: {mishap:?}")));
        let executed = self.executed_by(id);
        if mishap == Mishap::Lie(Lie::Rename) {
            // Most files get their names at a start.
            self.crash(id, Ending::Process);
        }
        let lost = self.node(id).broken.and_then(Broken::lost);
        self.node_mut(id).broken = Some(Broken::Latent { mishap, executed, lost });
        self.inflict(id, mishap);
        let later = self.draw((Duration::ZERO, self.until_calm()));
        self.after(later, Event::PowerLoss { node: id });
    }

    /// A process ends on a disk that lied, or rots: from now on it shows, and what was said since counts, too. Where the
    /// disk found no occasion to lie, nothing is lost.
    pub(super) fn come_to_light(&mut self, id: ReplicaId, reached: SeqNum, ending: Ending) -> Ending {
        let Some(Broken::Latent { mishap, executed, lost }) = self.node(id).broken else { return ending };
        let executed = executed.max(reached);
        if mishap != Mishap::Rot && !self.node(id).disk.has_lied() {
            self.node_mut(id).broken = lost.map(|promised| Broken::Lost { promised, executed });
            return Ending::PowerLoss;
        }
        self.counters.add(counter_of(mishap));
        let promised = self.checks.promised(id);
        self.node_mut(id).broken = Some(Broken::Lost { promised, executed });
        self.checks.forget(id);
        Ending::PowerLoss
    }

    /// What no failure has brought to light yet comes to light now.
    pub(super) fn end_latent(&mut self) {
        let is_latent = |node: &&Node| matches!(node.broken, Some(Broken::Latent { .. }));
        let latent: Vec<_> = self.nodes.iter().filter(is_latent).map(Node::id).collect();
        for id in latent {
            self.crash(id, Ending::PowerLoss);
        }
    }

    /// Up to where a replica has executed, in any of its lives.
    fn executed_by(&self, id: ReplicaId) -> SeqNum {
        let node = self.node(id);
        let now = node.running.as_ref().map(|running| running.executor.executed());
        now.unwrap_or_default().max(node.broken.map(Broken::executed).unwrap_or_default())
    }

    pub(super) fn inflict(&mut self, id: ReplicaId, mishap: Mishap) {
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
            Mishap::Lie(lie) => node.disk.lie(lie, choices.below(1 << 32)),
            Mishap::Rot => {
                let files = node.disk.files();
                if !files.is_empty() {
                    let place = usize::try_from(choices.below(files.len() as u64)).unwrap_or(0);
                    node.disk.inflict(&files[place], Damage::FlippedBit, choices);
                }
            }
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
        let (Some(Broken::Lost { promised, executed }), Some(running)) = (&self.broken, &self.running) else {
            return false;
        };
        let replica = &running.replica;
        replica.standing() == Standing::Voting
            && running.executor.executed() >= *executed
            && replica.view() >= promised.view
            && replica.watermarks().0 >= promised.seq
    }
}

fn counter_of(mishap: Mishap) -> Counter {
    match mishap {
        Mishap::Files(_) => Counter::DamagedFiles,
        Mishap::Promises(_) => Counter::DamagedPromises,
        Mishap::State => Counter::DamagedStates,
        Mishap::Wiped => Counter::WipedHomes,
        Mishap::OlderCopy => Counter::OlderCopies,
        Mishap::Lie(Lie::Sync) => Counter::ForgottenSyncs,
        Mishap::Lie(Lie::Rename) => Counter::ForgottenRenames,
        Mishap::Lie(Lie::Write) => Counter::MisdirectedWrites,
        Mishap::Rot => Counter::RottenFiles,
    }
}
