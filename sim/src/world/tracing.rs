//! What happened, event by event: hashed into the trace, and as text for people.

use quorate::ReplicaId;
use quorate::messages::Request;

use super::network::{Clog, Cut, Filter};
use super::queue::Event;
use super::world::World;
use crate::chart::{Happening, Note, Party, Topic};
use crate::signatures::fingerprint;

impl World {
    /// Adds an event to the trace and the transcript.
    pub(super) fn note(&mut self, event: &Event) {
        let (kind, who, what) = match event {
            Event::Deliver { from, to, envelope } => {
                (1, u64::from(from.0) << 16 | u64::from(to.0), envelope.fingerprint)
            }
            Event::Request { to, request } => (2, u64::from(to.0), request.id.number.0),
            Event::Reply { from, client, .. } => (3, u64::from(from.0), *client as u64),
            Event::Timer(life) => (4, u64::from(life.node.0), life.incarnation),
            Event::Synced(life) => (5, u64::from(life.node.0), life.incarnation),
            Event::Worked(life) => (6, u64::from(life.node.0), life.incarnation),
            Event::SnapshotWritten { life, seq, .. } => (7, u64::from(life.node.0), seq.0),
            Event::Link { life, peer, up } => (8, u64::from(life.node.0) << 16 | u64::from(peer.0), u64::from(*up)),
            Event::ClientWake { client } => (9, *client as u64, 0),
            Event::Crash { nodes, .. } => (10, nodes.len() as u64, nodes.iter().map(|node| u64::from(node.0)).sum()),
            Event::CrashInSync(life) => (11, u64::from(life.node.0), life.incarnation),
            Event::Restart { node } => (12, u64::from(node.0), 0),
            Event::Cut(Cut { number, .. }) => (13, *number, 0),
            Event::Heal { cut } => (14, *cut, 0),
            Event::Clog(clog) => (26, clog.until, 0),
            Event::Filter(filter) => (27, filter.until, 0),
            Event::Hold(hold) => (28, hold.until, 0),
            Event::HoldEnds => (29, 0, 0),
            Event::ClockJump { node } => (33, u64::from(node.0), 0),
            Event::PowerLoss { node } => (32, u64::from(node.0), 0),
            Event::Calm => (15, 0, 0),
            Event::Check => (16, 0, 0),
            Event::Fuse { node } => (17, u64::from(node.0), 0),
            Event::SyncRefused { node } => (18, u64::from(node.0), 0),
            Event::Copy { node } => (19, u64::from(node.0), 0),
            Event::Mishap { node, .. } => (20, u64::from(node.0), 0),
            Event::Transfer(life) => (21, u64::from(life.node.0), life.incarnation),
            Event::Space { life, .. } => (22, u64::from(life.node.0), life.incarnation),
            Event::StateDurable { life, .. } => (25, u64::from(life.node.0), life.incarnation),
            Event::FullDisk { node } => (23, u64::from(node.0), 0),
            Event::RoomAgain { node } => (24, u64::from(node.0), 0),
            Event::Lie { node } => (30, u64::from(node.0), 0),
            Event::SetBack { node } => (32, u64::from(node.0), 0),
            Event::Rogue { rogue, left } => (33, *rogue as u64, *left),
            Event::RogueRequest { to, request } => (34, u64::from(to.0), fingerprint_of_request(request)),
            Event::Parcel { from, parcel } => (31, u64::from(from.0), parcel.to.len() as u64),
        };
        for word in [self.now, kind, who, what] {
            self.trace = fingerprint(self.trace, &word.to_le_bytes());
        }
        self.transcript.record(self.now, || self.describe(event));
    }

    /// What people see of an event; the rest is seen in what follows from it.
    fn describe(&self, event: &Event) -> Option<Happening> {
        let marked = |id: ReplicaId, topic, text: String| Some(Happening::Noted(id.into(), Note::new(topic, text)));
        match event {
            Event::Deliver { from, to, envelope } => Some(arrival(*from, *to, envelope.fingerprint)),
            Event::Request { to, request } => {
                let client = self.client_of(request.id.client)?;
                Some(arrival(Party::Client(client), *to, fingerprint_of_request(request)))
            }
            Event::Reply { from, client, message } => {
                Some(arrival(*from, Party::Client(*client), fingerprint(0, &message.encode())))
            }
            Event::Cut(Cut { number, shape }) => Some(Happening::World(format!("cut {number}: {shape}"))),
            Event::Clog(Clog { from, to, .. }) => {
                Some(Happening::World(format!("a clog holds back what {from:?} send to {to:?}")))
            }
            Event::Filter(Filter { kind, side, members, .. }) => {
                Some(Happening::World(format!("no {kind} passes, {side:?} {members:?}")))
            }
            Event::Hold(_) => Some(Happening::World("an adversary holds back what completes quorums".to_owned())),
            Event::HoldEnds => Some(Happening::World("the adversary lets go".to_owned())),
            Event::Heal { cut } => Some(Happening::World(format!("cut {cut} is healed"))),
            Event::Copy { node } => marked(*node, Topic::Fault, "is copied".to_owned()),
            Event::FullDisk { node } => marked(*node, Topic::Fault, "gets little room on its disk".to_owned()),
            Event::RoomAgain { node } => marked(*node, Topic::Fault, "gets room on its disk".to_owned()),
            Event::SnapshotWritten { life, seq, .. } => {
                marked(life.node, Topic::Checkpoint, format!("has a durable snapshot of s{seq}"))
            }
            Event::Link { life, peer, up } => {
                let what = if *up { "reaches" } else { "has lost" };
                marked(life.node, Topic::Noise, format!("{what} R{peer}"))
            }
            Event::Timer(_)
            | Event::Synced(_)
            | Event::Worked(_)
            | Event::Transfer(_)
            | Event::StateDurable { .. }
            | Event::ClientWake { .. }
            | Event::Crash { .. }
            | Event::CrashInSync(_)
            | Event::Restart { .. }
            | Event::PowerLoss { .. }
            | Event::ClockJump { .. }
            | Event::Lie { .. }
            | Event::SetBack { .. }
            | Event::Rogue { .. }
            | Event::RogueRequest { .. }
            | Event::Parcel { .. }
            | Event::Fuse { .. }
            | Event::SyncRefused { .. }
            | Event::Space { .. }
            | Event::Mishap { .. }
            | Event::Calm
            | Event::Check => None,
        }
    }
}

fn arrival(from: impl Into<Party>, to: impl Into<Party>, fingerprint: u64) -> Happening {
    Happening::Arrived { from: from.into(), to: to.into(), fingerprint }
}

/// Equal for equal requests.
pub(super) fn fingerprint_of_request(request: &Request) -> u64 {
    fingerprint(request.id.number.0, request.signature.as_bytes())
}
