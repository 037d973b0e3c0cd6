//! Where frames come in: decoded, verified, and handed to the core or the executor.
//!
//! Each sender's frames stay in order: a sender's votes, its bulk, and a client's messages each go through one verifying
//! thread. Votes have a thread of their own, so that a large batch under verification does not delay them. What does
//! not fit is dropped: the protocol and the clients repeat it.

use std::sync::Arc;

use bytes::Bytes;

use super::executor_thread::ExecutorInput;
use super::metrics::Metrics;
use super::queue::Queue;
use super::state_transfer::{ServerInput, TransferGate};
use super::transport::Transport;
use crate::core::Event;
use crate::execution::Admission;
use crate::messages::{
    ClientMessage, Invalid, Message, RefusalReason, Refused, ReplicaMessage, Request, Verified, Verifier,
};
use crate::types::{ClientId, ReplicaId};

/// Threads that verify bulk and requests, beside the one for votes.
const BULK_THREADS: usize = 2;
/// Frames that wait for one verifying thread at most.
const FRAMES_WAITING_MAX: usize = 4096;

/// Takes frames from the transport. Cloned freely; never blocks.
#[derive(Clone, Debug)]
pub struct Ingress {
    votes: Queue<Frame>,
    bulk: Vec<Queue<Frame>>,
    events: Queue<Event>,
    metrics: Arc<Metrics>,
}

/// A frame with its sender, as the channel authenticates it.
#[derive(Debug)]
enum Frame {
    Replica { from: ReplicaId, frame: Bytes },
    Client { from: ClientId, frame: Bytes },
}

/// What a thread does.
pub(super) type Work = Box<dyn FnOnce() + Send>;

/// What a verifying thread needs.
#[derive(Clone)]
pub(super) struct VerifyContext {
    pub(super) verifier: Arc<Verifier>,
    pub(super) admission: Arc<dyn Admission>,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) executor: Queue<ExecutorInput>,
    pub(super) state_server: Queue<ServerInput>,
    pub(super) gate: TransferGate,
}

impl Ingress {
    pub(super) fn new(events: Queue<Event>, metrics: Arc<Metrics>) -> Self {
        let bulk = (0..BULK_THREADS).map(|_| Queue::new(FRAMES_WAITING_MAX)).collect();
        Ingress { votes: Queue::new(FRAMES_WAITING_MAX), bulk, events, metrics }
    }

    /// A member sent a frame on its channel.
    pub fn deliver_replica(&self, from: ReplicaId, bulk: bool, frame: Bytes) {
        let queue = if bulk { self.bulk_queue(from.index()) } else { Some(&self.votes) };
        self.offer(queue, Frame::Replica { from, frame });
    }

    /// A client sent a frame on its channel.
    pub fn deliver_client(&self, from: ClientId, frame: Bytes) {
        let place = usize::from(from.0.as_bytes().iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte)));
        self.offer(self.bulk_queue(place), Frame::Client { from, frame });
    }

    /// The connection to a member was made or broke.
    pub fn link(&self, peer: ReplicaId, up: bool) {
        self.events.push(Event::Link { peer, up });
    }

    fn bulk_queue(&self, place: usize) -> Option<&Queue<Frame>> {
        self.bulk.get(place % BULK_THREADS)
    }

    fn offer(&self, queue: Option<&Queue<Frame>>, frame: Frame) {
        self.metrics.frames_received.inc();
        if queue.is_none_or(|queue| queue.offer(frame).is_err()) {
            self.metrics.frames_dropped.inc();
        }
    }

    pub(super) fn close(&self) {
        self.votes.close();
        self.bulk.iter().for_each(Queue::close);
    }

    /// The work of the verifying threads, each with its name.
    pub(super) fn verifiers(&self, context: &VerifyContext) -> Vec<(&'static str, Work)> {
        let names = ["verify-votes", "verify-bulk-0", "verify-bulk-1"];
        let queues = std::iter::once(&self.votes).chain(&self.bulk);
        names
            .into_iter()
            .zip(queues)
            .map(|(name, queue)| {
                let (queue, worker) = (queue.clone(), Worker { context: context.clone(), ingress: self.clone() });
                (name, Box::new(move || worker.run(&queue)) as Work)
            })
            .collect()
    }
}

/// One verifying thread.
struct Worker {
    context: VerifyContext,
    ingress: Ingress,
}

impl Worker {
    fn run(&self, queue: &Queue<Frame>) {
        while let Some(frames) = queue.take(64, None) {
            for frame in frames {
                match frame {
                    Frame::Replica { from, frame } => self.on_replica_frame(from, &frame),
                    Frame::Client { from, frame } => self.on_client_frame(from, &frame),
                }
            }
        }
    }

    fn on_replica_frame(&self, from: ReplicaId, frame: &[u8]) {
        let message = match Message::decode(frame) {
            Ok(message) => message,
            Err(error) => {
                self.ingress.metrics.frames_malformed.inc();
                tracing::debug!(%from, %error, "a member sent a malformed frame");
                return;
            }
        };
        let kind = message.kind();
        match self.context.verifier.message(message) {
            Ok(message) => self.hand_on(from, message),
            Err(reason) => {
                self.ingress.metrics.messages_invalid.inc();
                tracing::debug!(%from, kind, %reason, "a member sent an invalid message");
            }
        }
    }

    /// A state transfer goes past the core.
    fn hand_on(&self, from: ReplicaId, message: Verified<Message>) {
        match message.get() {
            Message::FetchState { seq } => self.ask_for_state(ServerInput::FetchState { from, seq: *seq }),
            Message::FetchNodes(question) => {
                self.ask_for_state(ServerInput::FetchNodes { from, question: question.clone() });
            }
            Message::StateHead(head) if self.context.gate.admits_head(from, head) => {
                self.context.executor.push(ExecutorInput::StateHead { from, head: head.clone() });
            }
            Message::Nodes(nodes) if self.context.gate.admits_nodes(from, nodes) => {
                self.context.executor.push(ExecutorInput::Nodes { from, nodes: nodes.clone() });
            }
            Message::StateHead(_) | Message::Nodes(_) => {
                self.ingress.metrics.frames_dropped.inc();
            }
            Message::Forward(_)
            | Message::PrePrepare(_)
            | Message::Prepare(_)
            | Message::Commit(_)
            | Message::Checkpoint(_)
            | Message::ViewChange(_)
            | Message::NewView(_)
            | Message::Status(_)
            | Message::FetchBatch { .. }
            | Message::Batch { .. }
            | Message::FetchCommitted { .. }
            | Message::Committed(_)
            | Message::FetchViewChange { .. }
            | Message::FetchVotes { .. }
            | Message::FetchCheckpoint
            | Message::CheckpointCertificate(_)
            | Message::FetchChain { .. }
            | Message::Chain(_)
            | Message::Votes(_)
            | Message::HistoryGone { .. } => self.ingress.events.push_when_room(Event::Message { from, message }),
        }
    }

    fn ask_for_state(&self, question: ServerInput) {
        if self.context.state_server.offer(question).is_err() {
            self.ingress.metrics.frames_dropped.inc();
        }
    }

    fn on_client_frame(&self, from: ClientId, frame: &[u8]) {
        match ClientMessage::decode(frame) {
            Ok(ClientMessage::Request(request)) => self.on_request(from, request),
            Ok(ClientMessage::Attest { seq, index }) => self.ask(ExecutorInput::Attest { from, seq, index }),
            Ok(ClientMessage::Query { tag, key }) => self.ask(ExecutorInput::Query { from, tag, key }),
            Err(error) => {
                self.ingress.metrics.frames_malformed.inc();
                tracing::debug!(%from, %error, "a client sent a malformed frame");
            }
        }
    }

    /// A client speaks for itself only: its answers go over this channel.
    fn on_request(&self, from: ClientId, request: Request) {
        let refuse = |request: &Request, reason| {
            let (session, number, operation) = (request.id.session, request.id.number, request.operation_digest());
            let refused = ReplicaMessage::Refused(Refused { session, number, operation, reason });
            self.context.transport.to_client(from, refused.encode());
        };
        if request.client() != from {
            return refuse(&request, RefusalReason::NotAuthentic);
        }
        if let Err(refusal) = self.context.admission.admit(&request.operation) {
            return refuse(&request, RefusalReason::NotAdmitted(refusal.0));
        }
        match self.context.verifier.request(request.clone()) {
            Ok(verified) => self.ingress.events.push_when_room(Event::Request(verified)),
            Err(Invalid::Limit(_)) => refuse(&request, RefusalReason::TooLarge),
            Err(_) => {
                self.ingress.metrics.messages_invalid.inc();
                refuse(&request, RefusalReason::NotAuthentic);
            }
        }
    }

    fn ask(&self, question: ExecutorInput) {
        if self.context.executor.offer(question).is_err() {
            self.ingress.metrics.frames_dropped.inc();
        }
    }
}
