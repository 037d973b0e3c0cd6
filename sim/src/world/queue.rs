//! What will happen, by time. Events of one moment come in a drawn order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;

use quorate::core::Space;
use quorate::execution::ReplicatedState;
use quorate::messages::{CheckpointCertificate, Message, ReplicaMessage, Request, Verified};
use quorate::{ReplicaId, SeqNum};

use super::damaging::Mishap;
use super::network::{Clog, Cut, Filter, Hold};
use crate::byzantine::Parcel;

/// A message on its way, verified once for all who receive it: validity is a function of the message and the genesis.
#[derive(Debug)]
pub(super) struct Envelope {
    pub message: Verified<Message>,
    /// A hash of its bytes, for the trace.
    pub fingerprint: u64,
}

/// Which life of a replica an event belongs to: a crash ends all that was under way inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Life {
    pub node: ReplicaId,
    pub incarnation: u64,
}

#[derive(Clone, Debug)]
pub(super) enum Event {
    Deliver { from: ReplicaId, to: ReplicaId, envelope: Rc<Envelope> },
    Request { to: ReplicaId, request: Request },
    Reply { from: ReplicaId, client: usize, message: ReplicaMessage },
    Lie { node: ReplicaId },
    SetBack { node: ReplicaId },
    Rogue { rogue: usize, left: u64 },
    RogueRequest { to: ReplicaId, request: Box<Request> },
    Parcel { from: ReplicaId, parcel: Box<Parcel> },
    Timer(Life),
    Synced(Life),
    Worked(Life),
    Transfer(Life),
    Space { life: Life, space: Space },
    StateDurable { life: Life, state: Box<ReplicatedState>, certificate: Box<CheckpointCertificate> },
    FullDisk { node: ReplicaId },
    RoomAgain { node: ReplicaId },
    SnapshotWritten { life: Life, seq: SeqNum, state: Box<ReplicatedState> },
    Link { life: Life, peer: ReplicaId, up: bool },
    ClientWake { client: usize },
    Crash { nodes: Vec<ReplicaId>, is_blackout: bool },
    CrashInSync(Life),
    PowerLoss { node: ReplicaId },
    ClockJump { node: ReplicaId },
    Restart { node: ReplicaId },
    Fuse { node: ReplicaId },
    SyncRefused { node: ReplicaId },
    Copy { node: ReplicaId },
    Mishap { node: ReplicaId, mishap: Mishap },
    Cut(Cut),
    Heal { cut: u64 },
    Clog(Clog),
    Filter(Filter),
    Hold(Hold),
    HoldEnds,
    Calm,
    Check,
}

#[derive(Debug)]
struct Scheduled {
    at: u64,
    tie: u64,
    number: u64,
    event: Event,
}

impl Scheduled {
    fn key(&self) -> (u64, u64, u64) {
        (self.at, self.tie, self.number)
    }
}

impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Scheduled {}

impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scheduled {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

/// The events to come.
#[derive(Debug, Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Reverse<Scheduled>>,
    number: u64,
}

impl Queue {
    pub(super) fn push(&mut self, at: u64, tie: u64, event: Event) {
        self.number += 1;
        self.heap.push(Reverse(Scheduled { at, tie, number: self.number, event }));
    }

    pub(super) fn pop(&mut self) -> Option<(u64, Event)> {
        self.heap.pop().map(|Reverse(scheduled)| (scheduled.at, scheduled.event))
    }
}
