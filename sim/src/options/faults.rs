//! What breaks.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::byzantine::clients::RogueBehaviour;
use crate::choices::Choices;
use crate::world::Mishap;

/// What breaks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultOptions {
    /// How often up to f replicas crash at once.
    pub crashes: u64,
    /// How often all replicas crash at once.
    pub blackouts: u64,
    /// How often the network is cut in some way, for a while or again and again.
    pub partitions: u64,
    /// How often links hold everything back for a while, and then let it go at once.
    pub clogs: u64,
    /// How often one kind of message does not pass for a while.
    pub filters: u64,
    /// How often an adversary holds back, for a while, what completes a quorum.
    pub holds: u64,
    /// The longest that a replica is down or the network cut.
    pub outage: Duration,
    /// Per mille of syncs during which the replica crashes.
    pub crash_in_sync: u64,
    /// Per mille of the other points of a crash at which there is one.
    pub crash_points: u64,
    /// How often the power fails in the middle of an operation on a disk.
    pub fuses: u64,
    /// How often a sync fails.
    pub refused_syncs: u64,
    /// Which of the faults that are planned in advance do not happen, by their numbers: for shrinking.
    #[serde(default)]
    pub spared: Vec<u64>,
    /// How often a home is damaged, as far as the cluster bears it.
    pub mishaps: u64,
    /// What happens to it, instead of something drawn.
    pub mishap: Option<Mishap>,
    /// How often a wall clock jumps, forwards or back.
    pub clock_jumps: u64,
    /// Per mille of syncs that take a hundred times as long.
    pub slow_syncs: u64,
    /// How often a disk becomes full for a while.
    pub full_disks: u64,
    /// Whether those who are not among n-f drawn ones that are whole stay broken when the network has calmed down.
    pub forsakes: bool,
    /// Per mille of a Byzantine source's answers that are lies.
    pub lies: u64,
    /// Per mille of proposals of a Byzantine primary that it makes twice.
    pub equivocation: u64,
    /// The Byzantine clients.
    pub rogues: Vec<RogueBehaviour>,
}

impl FaultOptions {
    /// Nothing breaks.
    #[must_use]
    pub fn none() -> Self {
        FaultOptions {
            crashes: 0,
            blackouts: 0,
            partitions: 0,
            clogs: 0,
            filters: 0,
            holds: 0,
            outage: Duration::from_millis(300),
            crash_in_sync: 0,
            crash_points: 0,
            fuses: 0,
            refused_syncs: 0,
            spared: Vec::new(),
            mishaps: 0,
            mishap: None,
            full_disks: 0,
            clock_jumps: 0,
            slow_syncs: 0,
            forsakes: false,
            lies: 0,
            equivocation: 0,
            rogues: Vec::new(),
        }
    }
}

pub(super) fn draw_faults(choices: &mut Choices) -> FaultOptions {
    FaultOptions {
        crashes: choices.pick(&[0, 1, 3, 8]),
        blackouts: choices.pick(&[0, 0, 1, 2]),
        partitions: choices.pick(&[0, 0, 1, 4]),
        clogs: choices.pick(&[0, 0, 1, 4]),
        filters: choices.pick(&[0, 0, 1, 3]),
        holds: choices.pick(&[0, 0, 1, 2]),
        outage: Duration::from_millis(choices.pick(&[20, 300, 2_000])),
        crash_in_sync: choices.pick(&[0, 0, 2, 10]),
        crash_points: choices.pick(&[0, 0, 1, 3]),
        fuses: choices.pick(&[0, 0, 2, 6]),
        mishaps: choices.pick(&[0, 1, 1, 3]),
        mishap: None,
        forsakes: choices.chance(500),
        clock_jumps: choices.pick(&[0, 0, 2, 6]),
        slow_syncs: choices.pick(&[0, 0, 5, 30]),
        full_disks: choices.pick(&[0, 0, 1, 3]),
        lies: choices.pick(&[100, 500, 1000]),
        refused_syncs: choices.pick(&[0, 0, 1, 3]),
        spared: Vec::new(),
        equivocation: choices.pick(&[200, 500, 1000]),
        rogues: draw_rogues(choices),
    }
}

fn draw_rogues(choices: &mut Choices) -> Vec<RogueBehaviour> {
    let count = choices.pick(&[0, 0, 0, 1, 2]);
    (0..count).map(|_| choices.pick(&RogueBehaviour::ALL)).collect()
}
