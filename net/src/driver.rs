//! The task that owns a swarm: it dials, starts and ends links, and tells their peers' sinks. No frame passes here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use libp2p::core::ConnectedPoint;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, DialError, NetworkBehaviour, SwarmEvent};
use libp2p::{PeerId, Swarm};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};

use crate::dials::Dials;
use crate::frame::FrameError;
use crate::gate::Gate;
use crate::link::{Link, LinkContext, LinkError, Progress, Report};
use crate::peers::Peers;
use crate::quiet_log::QuietLog;
use crate::stats::ListenerCounters;
use crate::streams::{StreamEvent, Streams};

/// How long the driver may wait when no deadline is set.
const IDLE: Duration = Duration::from_secs(3600);

/// What a swarm does: refuse strangers, and pass on streams.
#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    pub(crate) gate: Gate,
    pub(crate) streams: Streams,
}

/// See the module.
pub(crate) struct Driver {
    swarm: Swarm<Behaviour>,
    peers: Peers,
    context: LinkContext,
    reports: mpsc::UnboundedReceiver<Report>,
    /// By age: identifiers of connections only grow.
    links: BTreeMap<ConnectionId, Entry>,
    dials: Dials,
    counters: Arc<ListenerCounters>,
    log: QuietLog,
}

struct Entry {
    link: Arc<Link>,
    readers: Vec<AbortHandle>,
    writers: Vec<AbortHandle>,
    stage: Stage,
}

enum Stage {
    /// Some of the streams are not open yet.
    Opening { ready: usize, deadline: Instant },
    /// Frames pass. At `check_at` something must have been heard since `heard`.
    Up { heard: u64, check_at: Instant },
    /// One side has finished. The connection is closed when the `left` other streams are too, or at `deadline`.
    Ending { left: usize, deadline: Instant },
}

/// What [`Driver::new`] needs.
pub(crate) struct DriverParts {
    pub(crate) swarm: Swarm<Behaviour>,
    pub(crate) peers: Peers,
    pub(crate) context: LinkContext,
    pub(crate) reports: mpsc::UnboundedReceiver<Report>,
    pub(crate) counters: Arc<ListenerCounters>,
}

impl Driver {
    pub(crate) fn new(parts: DriverParts) -> Self {
        let DriverParts { swarm, peers, context, reports, counters } = parts;
        let dials = Dials::new(&peers, &context.limits, swarm.local_peer_id());
        Driver { swarm, peers, context, reports, links: BTreeMap::new(), dials, counters, log: QuietLog::default() }
    }

    /// Runs until `stop` is sent or dropped, and then until what is queued has reached the peers, within `close_timeout`.
    /// Links that end then are not reported: the owner knows.
    pub(crate) async fn run(mut self, mut stop: oneshot::Receiver<()>) {
        loop {
            self.dial_due();
            let deadline = self.next_deadline();
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_swarm_event(event),
                Some(report) = self.reports.recv() => self.on_report(report),
                () = tokio::time::sleep_until(deadline) => self.on_deadline(Instant::now()),
                _ = &mut stop => break,
            }
        }
        // A timeout means that a peer does not read: it loses the rest.
        let _ = timeout(self.context.limits.close_timeout, self.finish()).await;
    }

    /// Ends all links in order. Each writer finishes its queue and then its stream; the peer has read everything when it
    /// closes the connection. Reading goes on until then: to close with something unread would make TCP cut the
    /// connection, and with it what the peer has not read.
    async fn finish(&mut self) {
        let deadline = Instant::now() + self.context.limits.close_timeout;
        for (connection, entry) in &mut self.links {
            entry.link.peer.withdraw(&entry.link.outbox);
            match entry.stage {
                Stage::Opening { .. } | Stage::Ending { .. } => drop(self.swarm.close_connection(*connection)),
                Stage::Up { .. } => entry.link.outbox.finish(),
            }
            entry.stage = Stage::Ending { left: entry.readers.len() + entry.writers.len(), deadline };
        }
        while !self.links.is_empty() {
            tokio::select! {
                event = self.swarm.select_next_some() => {
                    if let SwarmEvent::ConnectionClosed { connection_id, .. } = event {
                        self.links.remove(&connection_id);
                    }
                }
                Some(report) = self.reports.recv() => self.on_report(report),
            }
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "libp2p's enum: what is left out needs no answer")]
    fn on_swarm_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.on_established(peer_id, connection_id, &endpoint);
            }
            SwarmEvent::ConnectionClosed { connection_id, .. } => self.end_link(connection_id, &LinkError::Closed),
            SwarmEvent::Behaviour(BehaviourEvent::Streams((connection, event))) => self.on_stream(connection, event),
            SwarmEvent::Behaviour(BehaviourEvent::Gate(never)) => match never {},
            SwarmEvent::OutgoingConnectionError { peer_id: Some(peer), error, .. } => self.on_dial_failed(peer, &error),
            SwarmEvent::IncomingConnectionError { peer_id: None, .. } => self.counters.handshakes_failed.add(1),
            SwarmEvent::ListenerError { error, .. } => {
                self.log.warn(format_args!("the listener reports: {error}"));
            }
            SwarmEvent::ListenerClosed { reason, .. } => {
                tracing::error!("the listener closed ({reason:?}): nobody can connect any more");
            }
            _ => {}
        }
    }

    fn on_established(&mut self, peer: PeerId, connection: ConnectionId, endpoint: &ConnectedPoint) {
        let Some(peer) = self.peers.get(&peer).cloned() else { return };
        if endpoint.is_dialer() {
            self.dials.on_connected(&peer.id, connection);
        }
        self.make_room(&peer.id);
        let deadline = Instant::now() + self.context.limits.handshake_timeout;
        let link = Link::new(connection, peer, &self.context);
        let stage = Stage::Opening { ready: 0, deadline };
        self.links.insert(connection, Entry { link, readers: Vec::new(), writers: Vec::new(), stage });
    }

    /// Ends the oldest links of a peer, so that it has room for one more. A process that restarted must get in although
    /// its old connection does not look broken yet.
    fn make_room(&mut self, peer: &PeerId) {
        let in_use = |entry: &Entry| entry.link.peer.id == *peer && !matches!(entry.stage, Stage::Ending { .. });
        let of_peer: Vec<_> = self.links.iter().filter(|(_, entry)| in_use(entry)).map(|(id, _)| *id).collect();
        let surplus = (of_peer.len() + 1).saturating_sub(self.context.limits.connections_per_peer);
        for oldest in of_peer.into_iter().take(surplus) {
            self.end_link(oldest, &LinkError::Replaced);
        }
    }

    fn on_stream(&mut self, connection: ConnectionId, event: StreamEvent) {
        let classes = self.context.classes;
        let Some(entry) = self.links.get_mut(&connection) else { return };
        let link = entry.link.clone();
        match event {
            StreamEvent::Outbound(stream) => {
                // This side asks for one stream per class.
                let Some(class) = classes.get(entry.writers.len()) else { return };
                entry.writers.push(tokio::spawn(link.run_outbound(stream, *class)).abort_handle());
            }
            StreamEvent::Inbound(stream) if entry.readers.len() < classes.len() => {
                entry.readers.push(tokio::spawn(link.run_inbound(stream, classes)).abort_handle());
            }
            StreamEvent::Inbound(_) => self.end_link(connection, &LinkError::TooManyStreams),
            StreamEvent::Failed(reason) => self.end_link(connection, &LinkError::NoStream(reason)),
        }
    }

    fn on_report(&mut self, report: Report) {
        match report.what {
            Progress::Ready => self.on_ready(report.connection),
            Progress::Finished => self.on_finished(report.connection),
            Progress::Ended(LinkError::Frame(FrameError::Ended)) => self.on_finished(report.connection),
            Progress::Ended(error) => self.end_link(report.connection, &error),
        }
    }

    /// A stream has come to its end in order. The others may still carry what was sent before.
    fn on_finished(&mut self, connection: ConnectionId) {
        let Some(entry) = self.links.get_mut(&connection) else { return };
        let left = match &entry.stage {
            Stage::Opening { .. } => 0,
            Stage::Ending { left, .. } => left.saturating_sub(1),
            Stage::Up { .. } => {
                abort(&entry.writers);
                take_down(entry, &mut self.dials);
                entry.readers.len().saturating_sub(1)
            }
        };
        if left == 0 {
            return self.end_link(connection, &LinkError::Closed);
        }
        let deadline = Instant::now() + self.context.limits.close_timeout;
        entry.stage = Stage::Ending { left, deadline };
    }

    /// One more stream of a connection is open. The link is up with the last one.
    fn on_ready(&mut self, connection: ConnectionId) {
        let silence_max = self.context.limits.silence_max;
        let Some(entry) = self.links.get_mut(&connection) else { return };
        let Stage::Opening { ready, .. } = &mut entry.stage else { return };
        *ready += 1;
        if *ready < 2 * self.context.classes.len() {
            return;
        }
        entry.stage = Stage::Up { heard: entry.link.heard(), check_at: Instant::now() + silence_max };
        let peer = &entry.link.peer;
        self.dials.on_link_up(&peer.id);
        tracing::debug!("the link to {} is up", peer.name);
        if peer.publish(entry.link.outbox.clone()) {
            peer.sink.link(true);
        }
    }

    /// Ends the link of a connection, and the connection. Nothing happens when it has ended before.
    fn end_link(&mut self, connection: ConnectionId, reason: &LinkError) {
        let Some(entry) = self.links.remove(&connection) else { return };
        abort(&entry.writers);
        if !reason.is_end_of_stream() {
            abort(&entry.readers);
        }
        let name = &entry.link.peer.name;
        if reason.is_violation() {
            self.counters.violations.add(1);
            self.log.warn(format_args!("disconnected {name}: {reason}"));
        } else {
            tracing::debug!("the connection to {name} ended: {reason}");
        }
        take_down(&entry, &mut self.dials);
        self.swarm.close_connection(connection);
    }

    fn dial_due(&mut self) {
        for (peer, address) in self.dials.take_due(Instant::now()) {
            let options = DialOpts::peer_id(peer)
                .condition(PeerCondition::Always)
                .addresses(vec![address])
                // A port of its own: from the listening port, a broken connection would block its successor.
                .allocate_new_port()
                .build();
            if let Err(error) = self.swarm.dial(options) {
                self.on_dial_failed(peer, &error);
            }
        }
    }

    fn on_dial_failed(&mut self, peer: PeerId, error: &DialError) {
        self.dials.on_failed(&peer);
        let Some(peer) = self.peers.get(&peer) else { return };
        if let DialError::WrongPeerId { .. } = error {
            self.log.warn(format_args!("at the address of {} answers somebody else: {error}", peer.name));
        } else {
            tracing::debug!("cannot connect to {}: {error}", peer.name);
        }
    }

    fn next_deadline(&self) -> Instant {
        let links = self.links.values().map(|entry| match entry.stage {
            Stage::Opening { deadline, .. } | Stage::Ending { deadline, .. } => deadline,
            Stage::Up { check_at, .. } => check_at,
        });
        links.chain(self.dials.next_due()).min().unwrap_or_else(|| Instant::now() + IDLE)
    }

    fn on_deadline(&mut self, now: Instant) {
        let silence_max = self.context.limits.silence_max;
        let mut ended = Vec::new();
        for (connection, entry) in &mut self.links {
            match &mut entry.stage {
                Stage::Opening { deadline, .. } if *deadline <= now => {
                    ended.push((*connection, LinkError::OpeningTimeout));
                }
                Stage::Up { heard, check_at } if *check_at <= now => {
                    let heard_before = std::mem::replace(heard, entry.link.heard());
                    *check_at = now + silence_max;
                    if heard_before == *heard {
                        ended.push((*connection, LinkError::Silence));
                    }
                }
                Stage::Ending { deadline, .. } if *deadline <= now => ended.push((*connection, LinkError::Closed)),
                Stage::Opening { .. } | Stage::Up { .. } | Stage::Ending { .. } => {}
            }
        }
        for (connection, reason) in ended {
            self.end_link(connection, &reason);
        }
    }
}

/// Takes a link out of use, if it is in use, and says so.
fn take_down(entry: &Entry, dials: &mut Dials) {
    let peer = &entry.link.peer;
    dials.on_disconnected(&peer.id, entry.link.connection);
    if let Stage::Up { .. } = entry.stage {
        peer.counters.links_broken.add(1);
        if peer.withdraw(&entry.link.outbox) {
            peer.sink.link(false);
        }
    }
}

fn abort(tasks: &[AbortHandle]) {
    for task in tasks {
        task.abort();
    }
}
