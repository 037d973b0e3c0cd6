//! The clients' side: sessions that submit, wait, repeat themselves and compare answers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use quorate::client::{ClientSession, Identity, Output, Retry, SubmitError};
use quorate::core::Event as CoreEvent;
use quorate::messages::{ClientMessage, ReplicaMessage, Request, SigningContext};
use quorate::outcome::Outcome;
use quorate::{ClientId, Genesis, Instant, ReplicaId, RequestId, RequestNumber, Session};
use quorate_crypto::KeyPair;

use super::network::nanoseconds;
use super::queue::Event;
use super::tracing::fingerprint_of_request;
use super::world::World;
use crate::chart::{Happening, Note, Party, Statement, Topic};
use crate::counters::Counter;
use crate::options::ClientOptions;
use crate::signatures::fingerprint;
use crate::tally::Operation;
use crate::violation::Class;

/// A client with what it has submitted.
#[derive(Debug)]
pub(super) struct SimClient {
    session: ClientSession,
    left: u64,
    waiting: BTreeMap<RequestNumber, (Bytes, u64)>,
    next_submit: u64,
    wakes_at: Option<u64>,
}

impl SimClient {
    pub(super) fn new(options: &ClientOptions, genesis: &Arc<Genesis>, context: &SigningContext, key: KeyPair) -> Self {
        let identity = Identity { genesis: Arc::clone(genesis), context: context.clone(), key };
        let retry = Retry { first: options.retry.0, cap: options.retry.1 };
        SimClient {
            session: ClientSession::new(identity, Session(1), retry),
            left: options.operations,
            waiting: BTreeMap::new(),
            next_submit: 0,
            wakes_at: None,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.left == 0 && self.waiting.is_empty()
    }

    /// When the oldest operation without an answer was submitted.
    pub(super) fn oldest_waiting(&self) -> Option<u64> {
        self.waiting.values().map(|(_, since)| *since).min()
    }

    /// So many operations more.
    pub(super) fn ask_for_more(&mut self, operations: u64) {
        self.left += operations;
    }

    fn may_submit(&self, at_once: usize) -> bool {
        self.left > 0 && self.waiting.len() < at_once
    }
}

impl World {
    pub(super) fn on_client_wake(&mut self, client: usize) {
        let (now, at_once) = (self.now, self.options.clients.at_once);
        let this = &mut self.clients[client];
        if this.wakes_at.is_some_and(|at| at <= now) {
            this.wakes_at = None;
        }
        if this.session.next_deadline().is_some_and(|deadline| deadline.0 <= now) {
            this.session.on_deadline(Instant(now));
        }
        let is_due = this.next_submit <= now || self.is_calm();
        if is_due && self.clients[client].may_submit(at_once) {
            self.submit(client);
        }
        self.carry_out(client);
    }

    fn submit(&mut self, client: usize) {
        let bytes = Operation::draw(&mut self.choices, self.options.clients.keys).encode();
        let pause = self.draw((Duration::ZERO, self.options.clients.pause));
        let now = self.now;
        let this = &mut self.clients[client];
        match this.session.submit(Instant(now), bytes.clone()) {
            Ok(number) => {
                this.left -= 1;
                this.next_submit = now + nanoseconds(pause);
                this.waiting.insert(number, (bytes.clone(), now));
                let id = RequestId { client: this.session.client(), session: this.session.session(), number };
                self.checks.on_submit(id, bytes);
            }
            Err(SubmitError::WindowFull { .. }) => this.next_submit = now + 1_000_000,
            Err(SubmitError::TooLarge { .. }) => {
                self.checks.report(Class::Safety, "client", "an operation is too large".to_owned());
            }
        }
    }

    pub(super) fn on_reply(&mut self, from: ReplicaId, client: usize, message: ReplicaMessage) {
        if matches!(message, ReplicaMessage::Busy(_)) {
            self.counters.add(Counter::Busy);
        }
        self.clients[client].session.on_message(Instant(self.now), from, message);
        self.carry_out(client);
    }

    /// Does what a client's session wants, and wakes it in time.
    fn carry_out(&mut self, client: usize) {
        for output in self.clients[client].session.take_outputs() {
            match output {
                Output::Send { to, message: ClientMessage::Request(request) } => {
                    let arrivals = self.network.arrivals(self.now, &mut self.choices, &mut self.counters);
                    self.transcript.record(self.now, || {
                        let statement = Statement::of_request(&request, fingerprint_of_request(&request));
                        Some(Happening::sent(Party::Client(client), to, statement, &arrivals))
                    });
                    for at in arrivals {
                        self.at(at, Event::Request { to, request: request.clone() });
                    }
                }
                Output::Send { message: ClientMessage::Attest { .. } | ClientMessage::Query { .. }, .. } => {}
                Output::Answered { number, result } => {
                    self.counters.add(Counter::Answers);
                    let this = &mut self.clients[client];
                    let id = this.session.client();
                    this.waiting.remove(&number);
                    self.counters.add_many(Counter::Refusals, u64::from(matches!(result.outcome, Outcome::Refused(_))));
                    self.mark(Party::Client(client), || {
                        Note::new(Topic::Client, format!("accepts #{number}: {:?}", result.outcome)).at(result.seq)
                    });
                    self.checks.on_answer(id, &result);
                }
                Output::Failed { number, failure } => {
                    let text = format!("operation {number} of client {client} failed: {failure}");
                    self.checks.report(Class::Safety, "client", text);
                }
                Output::SessionRenewed { closed, open } => {
                    let text = format!("client {client} was moved from session {closed} to {open}");
                    self.checks.report(Class::Safety, "client", text);
                }
            }
        }
        self.wake_client(client);
    }

    fn wake_client(&mut self, client: usize) {
        let (now, at_once, is_calm) = (self.now, self.options.clients.at_once, self.is_calm());
        let this = &self.clients[client];
        let submit = this.may_submit(at_once).then_some(if is_calm { now + 1_000_000 } else { this.next_submit });
        let deadline = this.session.next_deadline().map(|deadline| deadline.0);
        let Some(at) = submit.into_iter().chain(deadline).min().map(|at| at.max(now)) else { return };
        if this.wakes_at.is_none_or(|known| at < known) {
            self.clients[client].wakes_at = Some(at);
            self.at(at, Event::ClientWake { client });
        }
    }

    /// A client's request has reached a replica.
    pub(super) fn on_request(&mut self, to: ReplicaId, request: Request) {
        if !self.is_running(to) || !self.is_request_heard(to, &request) {
            return;
        }
        match self.verifier.request(request) {
            Ok(request) => self.step(to, CoreEvent::Request(request)),
            Err(reason) => self.checks.report(Class::Safety, "verify", format!("a client's request: {reason}")),
        }
    }

    pub(super) fn client_of(&self, id: ClientId) -> Option<usize> {
        self.clients.iter().position(|client| client.session.client() == id)
    }

    pub(super) fn send_to_client(&mut self, from: ReplicaId, to: ClientId, message: ReplicaMessage) {
        let Some(client) = self.client_of(to) else { return };
        let Some(message) = self.told(from, message) else { return };
        let arrivals = self.network.arrivals(self.now, &mut self.choices, &mut self.counters);
        self.transcript.record(self.now, || {
            let statement = Statement::of_reply(&message, fingerprint(0, &message.encode()));
            Some(Happening::sent(from, Party::Client(client), statement, &arrivals))
        });
        for at in arrivals {
            self.at(at, Event::Reply { from, client, message: message.clone() });
        }
    }
}
