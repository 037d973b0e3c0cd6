//! What happened, event by event: hashed into the trace, and as text for people.

use super::network::Cut;
use super::queue::Event;
use super::world::World;
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
        };
        for word in [self.now, kind, who, what] {
            self.trace = fingerprint(self.trace, &word.to_le_bytes());
        }
        self.transcript.line(self.now, || describe(event));
    }
}

fn describe(event: &Event) -> String {
    match event {
        Event::Deliver { from, to, envelope } => format!("{from} -> {to} {:?}", envelope.message.get()),
        Event::Request { to, request } => format!("client -> {to} request {:?}", request.id),
        Event::Reply { from, client, message } => format!("{from} -> client {client} {message:?}"),
        Event::Cut(Cut { number, shape }) => format!("cut {number}: {shape}"),
        Event::Timer(life) => format!("{} deadline", life.node),
        Event::Synced(life) => format!("{} synced", life.node),
        Event::Worked(life) => format!("{} executor", life.node),
        Event::Transfer(life) => format!("{} transfer", life.node),
        Event::StateDurable { life, .. } => format!("{} fetched state is durable", life.node),
        Event::SnapshotWritten { life, seq, .. } => format!("{} wrote snapshot {seq}", life.node),
        Event::Link { life, peer, up } => format!("{} link to {peer} up: {up}", life.node),
        Event::ClientWake { .. }
        | Event::Crash { .. }
        | Event::CrashInSync(_)
        | Event::Restart { .. }
        | Event::Fuse { .. }
        | Event::SyncRefused { .. }
        | Event::Copy { .. }
        | Event::Space { .. }
        | Event::FullDisk { .. }
        | Event::RoomAgain { .. }
        | Event::Mishap { .. }
        | Event::Heal { .. }
        | Event::Clog(_)
        | Event::Filter(_)
        | Event::Hold(_)
        | Event::HoldEnds
        | Event::Calm
        | Event::Check => format!("{event:?}"),
    }
}
