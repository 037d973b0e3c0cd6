//! Who is whole and connected when the network calms down, and what becomes of the others: they are mended, or up to f
//! of them, those who lie included, never are.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use quorate::core::Phase;
use quorate::{ReplicaId, SeqNum, View};

use super::failing::Ending;
use super::network::{Cut, CutShape};
use super::node::Node;
use super::queue::Event;
use super::world::World;
use crate::counters::Counter;

/// What stays broken of a replica for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It does not run.
    Down,
    /// It reaches nobody, and nobody reaches it.
    CutOff,
    /// It hears the others, and they do not hear it.
    Mute,
    /// They hear it, and it does not hear them.
    Deaf,
    /// There is no room on its disk.
    FullDisk,
    /// It crashes again and again.
    Crashing,
}

impl Fate {
    const ALL: [Fate; 6] = [Fate::Down, Fate::CutOff, Fate::Mute, Fate::Deaf, Fate::FullDisk, Fate::Crashing];

    fn counter(self) -> Counter {
        match self {
            Fate::Down => Counter::LeftDown,
            Fate::CutOff | Fate::Mute | Fate::Deaf => Counter::LeftCutOff,
            Fate::FullDisk => Counter::LeftWithoutRoom,
            Fate::Crashing => Counter::LeftCrashing,
        }
    }
}

/// What holds from the moment on at which the network is calm.
#[derive(Debug, Default)]
pub(super) struct Aftermath {
    /// The correct replicas that are whole, or will be, and reach each other.
    pub connected: BTreeSet<ReplicaId>,
    /// The correct ones that are not.
    pub fates: BTreeMap<ReplicaId, Fate>,
    /// What the cluster had executed then.
    pub executed: SeqNum,
    /// What it had executed when it was looked at last.
    pub progress: SeqNum,
    /// The highest view that a correct replica had asked for by then.
    pub view: View,
    /// Whether one of the connected ones was seen that may not vote before it has come past what it has lost.
    pub recovers: bool,
    /// How often a primary has handed on the lead since, to let a member back in.
    pub readmissions: u64,
}

impl World {
    /// Draws who stays broken. At least n-f replicas that are whole do not, so that the cluster must go on.
    pub(super) fn draw_aftermath(&mut self) {
        self.forget_mended();
        let correct = self.nodes.iter().filter(|node| node.is_correct());
        let mut connected: BTreeSet<_> = correct.map(Node::id).collect();
        let whole: Vec<_> =
            self.nodes.iter().filter(|node| node.is_correct() && node.broken.is_none()).map(Node::id).collect();
        let needed = usize::from(self.options.members) - usize::try_from(self.options.faulty_max()).unwrap_or(0);
        let mut fates = BTreeMap::new();
        if self.options.faults.forsakes && whole.len() >= needed {
            let chosen: BTreeSet<_> = self.choices.subset(&whole, needed).into_iter().collect();
            for id in connected.difference(&chosen) {
                let fate = self.choices.pick(&Fate::ALL);
                self.counters.add(fate.counter());
                fates.insert(*id, fate);
            }
            connected = chosen;
        }
        self.line(|| format!("connected: {connected:?}, left broken: {fates:?}"));
        let executed = SeqNum(self.checks.slots());
        self.aftermath = Aftermath { connected, fates, executed, ..Aftermath::default() };
    }

    /// Breaks what stays broken.
    pub(super) fn forsake(&mut self) {
        let fates = self.aftermath.fates.clone();
        for (id, fate) in fates {
            let side = || BTreeSet::from([id]);
            match fate {
                Fate::Down => self.crash(id, Ending::PowerLoss),
                Fate::CutOff => self.cut_for_ever(id, CutShape::Split(side())),
                Fate::Mute => self.cut_for_ever(id, CutShape::Mute(side())),
                Fate::Deaf => self.cut_for_ever(id, CutShape::Deaf(side())),
                Fate::FullDisk => self.node(id).disk.leave_room(Some(0)),
                Fate::Crashing => self.crash_again(id),
            }
        }
    }

    fn cut_for_ever(&mut self, id: ReplicaId, shape: CutShape) {
        let cut = Cut { number: u64::MAX - u64::from(id.0), shape };
        self.network.cut(cut.clone());
        self.announce(&cut, false);
    }

    /// What becomes of a replica for ever, if it is not whole.
    pub(super) fn fate(&self, id: ReplicaId) -> Option<Fate> {
        self.aftermath.fates.get(&id).copied()
    }

    /// Plans the next crash of a replica that crashes again and again.
    pub(super) fn crash_again(&mut self, id: ReplicaId) {
        let shortest = Duration::from_millis(100);
        let pause = self.draw((shortest, shortest + self.options.faults.outage * 2));
        self.after(pause, Event::Crash { nodes: vec![id], is_blackout: false });
    }

    /// The highest view that a correct replica has asked for, or is in.
    pub(super) fn highest_target(&self, ids: impl Iterator<Item = ReplicaId>) -> View {
        let target = |id| {
            let replica = self.node(id).running.as_ref().map(|running| &running.replica);
            replica.map_or(View(0), |replica| match replica.phase() {
                Phase::Active => replica.view(),
                Phase::ViewChanging { target } => target,
            })
        };
        ids.map(target).max().unwrap_or(View(0))
    }
}
