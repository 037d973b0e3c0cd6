//! One session of one client, sans-I/O: requests and replies in, messages and results out, time handed in.
//!
//! 1. A request goes to the member that is believed to be the primary; without an answer in time it goes to all, again
//!    and again with growing pauses. Backups forward what they get, so a wrong belief costs one hop.
//! 2. A result counts when W members have sent the same over their own channels: one of them is correct. One claim per
//!    member and request is kept, the newest, in constant space.
//! 3. Number N is sent only when every number up to N - C has been answered, because replicas remember results for C
//!    numbers only. A number that was refused is not answered: the next operation takes it, or the replicas' windows
//!    would never move past it.
//! 4. When W members say that a later session is open, the session moves behind it. Requests move along only if no
//!    request of the closed session was ever answered: then it never was open, and none of them was executed. Otherwise
//!    another process uses the key, their fate is unknown, and they fail rather than being executed twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use quorate_crypto::{Digest, KeyPair};

use super::claim::{Answers, Claim, Claims, Refusal};
use crate::genesis::Genesis;
use crate::messages::request::operation_digest;
use crate::messages::{
    Busy, ClientMessage, RefusalReason, Refused, ReplicaMessage, Request, RequestResult, SigningContext,
};
use crate::mutants::Mutant;
use crate::types::{ClientId, Instant, ReplicaId, RequestId, RequestNumber, Session};

/// Who a client is and to which network it belongs.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The network.
    pub genesis: Arc<Genesis>,
    /// How its signatures are made.
    pub context: SigningContext,
    /// The client's key, which names it.
    pub key: KeyPair,
}

/// No pause is shorter, whatever the options say.
const PAUSE_MIN: Duration = Duration::from_millis(1);

/// When a request without an answer is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// The first pause; every further one is twice as long.
    pub first: Duration,
    /// The longest pause.
    pub cap: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Retry { first: Duration::from_millis(500), cap: Duration::from_secs(8) }
    }
}

impl Retry {
    /// The pause after a request was sent for the `attempts`th time again.
    #[must_use]
    pub fn pause(&self, attempts: u32) -> Duration {
        self.first.saturating_mul(1 << attempts.min(20)).min(self.cap).max(PAUSE_MIN)
    }
}

/// Why an operation is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// C requests wait already, counted from the oldest without an answer.
    #[error("the window is full: request {oldest} has no answer yet")]
    WindowFull {
        /// The request that the window waits for.
        oldest: RequestNumber,
    },
    /// The operation is larger than the genesis allows.
    #[error("the operation has {bytes} bytes, the network takes at most {max}")]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The limit.
        max: u64,
    },
}

/// What the session wants done or has found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send this to a member. It may get lost: the session repeats itself.
    Send {
        /// The member.
        to: ReplicaId,
        /// What.
        message: ClientMessage,
    },
    /// W members say that this became of the request.
    Answered {
        /// The request.
        number: RequestNumber,
        /// What became of it.
        result: RequestResult,
    },
    /// The request will get no result.
    Failed {
        /// The request.
        number: RequestNumber,
        /// Why.
        failure: Failure,
    },
    /// The session was an old one. Requests that were under way and have not failed are sent in the new one, under
    /// their numbers.
    SessionRenewed {
        /// The session that was closed by a later one.
        closed: Session,
        /// The session that is used now.
        open: Session,
    },
}

/// Why a request gets no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// W members do not order it. Only a faulty primary can still have it executed.
    #[error("the replicas refuse it: {}", Refusal::from(.0))]
    Refused(RefusalReason),
    /// Another operation was executed under its number. This one was not and will not be.
    #[error("another operation of this client was executed under its number")]
    NumberTaken,
    /// Another process opened a later session with the same key. The operation may or may not have been executed.
    #[error("another process uses this client's key; whether the operation was executed is not known")]
    SessionClosed,
}

/// A client's requests in one session.
#[derive(Clone, Debug)]
pub struct ClientSession {
    identity: Identity,
    retry: Retry,
    session: Session,
    next: RequestNumber,
    /// Numbers below `next` that were refused: the replicas still wait for something under them.
    vacant: BTreeSet<RequestNumber>,
    pending: BTreeMap<RequestNumber, Pending>,
    /// How many requests of this session were executed.
    answered: u64,
    /// What each member says is the open session, if it is a later one than this.
    later_sessions: BTreeMap<ReplicaId, Session>,
    /// The member that gets a request first, because it is believed to be the primary.
    first_contact: ReplicaId,
    links_down: BTreeSet<ReplicaId>,
    outputs: Vec<Output>,
}

#[derive(Clone, Debug)]
struct Pending {
    request: Request,
    operation: Digest,
    claims: Claims,
    /// Who got it first.
    contact: ReplicaId,
    attempts: u32,
    retry_at: Instant,
}

impl ClientSession {
    /// A session, numbered larger than any before of this client: the wall clock's nanoseconds do.
    #[must_use]
    pub fn new(identity: Identity, session: Session, retry: Retry) -> Self {
        ClientSession {
            first_contact: identity.genesis.committee.primary(crate::types::View(0)),
            identity,
            retry,
            session,
            next: RequestNumber(1),
            vacant: BTreeSet::new(),
            pending: BTreeMap::new(),
            answered: 0,
            later_sessions: BTreeMap::new(),
            links_down: BTreeSet::new(),
            outputs: Vec::new(),
        }
    }

    /// The session's number.
    #[must_use]
    pub fn session(&self) -> Session {
        self.session
    }

    /// The client.
    #[must_use]
    pub fn client(&self) -> ClientId {
        ClientId(self.identity.key.public())
    }

    /// How many requests have no answer yet.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.pending.len()
    }

    /// Signs an operation and sends it. The number names it in the outputs until it is answered or has failed.
    ///
    /// # Errors
    /// [`SubmitError`] when the window is full or the operation too large; nothing has changed then.
    pub fn submit(&mut self, now: Instant, operation: Bytes) -> Result<RequestNumber, SubmitError> {
        let (bytes, max) = (operation.len() as u64, self.identity.genesis.limits.operation_bytes_max);
        if bytes > max {
            return Err(SubmitError::TooLarge { bytes, max });
        }
        let number = self.free_number()?;
        if !self.vacant.remove(&number) {
            self.next = number.next();
        }
        let pending = Pending {
            operation: operation_digest(&operation),
            request: self.sign(number, operation),
            claims: Claims::default(),
            contact: self.first_contact,
            attempts: 0,
            retry_at: now.plus(self.retry.pause(0)),
        };
        self.outputs.push(send(self.first_contact, &pending.request));
        self.pending.insert(number, pending);
        Ok(number)
    }

    /// Hears a member. `from` is the member that the channel belongs to, whatever the message says.
    pub fn on_message(&mut self, now: Instant, from: ReplicaId, message: ReplicaMessage) {
        if !self.identity.genesis.committee.contains(from) {
            return;
        }
        match message {
            ReplicaMessage::Reply(reply) => {
                for result in reply.results {
                    self.on_result(from, result);
                }
            }
            ReplicaMessage::Busy(busy) => self.on_busy(from, busy),
            ReplicaMessage::Refused(refused) => self.on_refused(now, from, refused),
            ReplicaMessage::Attestation(_) | ReplicaMessage::NotAttested { .. } | ReplicaMessage::Answer(_) => {}
        }
    }

    /// Hears that the channel to a member was lost or is there again. At the beginning all are taken to be there. What
    /// only that member was sent may be lost with it, and is sent again at once: to it, or to who takes its place.
    pub fn on_link(&mut self, member: ReplicaId, is_up: bool) {
        if is_up {
            self.links_down.remove(&member);
        } else if self.identity.genesis.committee.contains(member) {
            self.links_down.insert(member);
        }
        if self.links_down.contains(&self.first_contact) {
            self.choose_next_contact();
        }
        let contact = if is_up { member } else { self.first_contact };
        for pending in self.pending.values_mut().filter(|pending| pending.attempts == 0 && pending.contact == member) {
            pending.contact = contact;
            self.outputs.push(send(contact, &pending.request));
        }
    }

    /// Sends again what has waited long enough, to all members. What W members had no room for waits one pause more:
    /// one of them is correct. Once for every sending, so that no liar can defer a request for ever.
    pub fn on_deadline(&mut self, now: Instant) {
        let committee = &self.identity.genesis.committee;
        let (members, weak_quorum) = (committee.ids(), committee.weak_quorum());
        let mut is_contact_silent = false;
        for pending in self.pending.values_mut().filter(|pending| pending.retry_at <= now) {
            is_contact_silent |= pending.attempts == 0 && pending.contact == self.first_contact;
            pending.attempts = pending.attempts.saturating_add(1);
            pending.retry_at = now.plus(self.retry.pause(pending.attempts));
            if pending.claims.take_deferring() >= weak_quorum {
                continue;
            }
            self.outputs.extend(members.clone().map(|member| send(member, &pending.request)));
        }
        if is_contact_silent {
            self.choose_next_contact();
        }
    }

    /// When [`on_deadline`](Self::on_deadline) has something to do.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.pending.values().map(|pending| pending.retry_at).min()
    }

    /// What is to be done, in order. Empty until the session is called again.
    pub fn take_outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.outputs)
    }

    /// Who has said what about a request that is not decided; `None` when it is not under way.
    #[must_use]
    pub fn who_answered(&self, number: RequestNumber) -> Option<Answers> {
        let committee = &self.identity.genesis.committee;
        self.pending.get(&number).map(|pending| pending.claims.answers(committee.ids(), committee.weak_quorum()))
    }

    fn on_result(&mut self, from: ReplicaId, result: RequestResult) {
        if result.session != self.session {
            return;
        }
        let number = result.number;
        let Some(pending) = self.pending.get_mut(&number) else { return };
        let equal = pending.claims.record(from, Claim::from(&result));
        if equal < self.identity.genesis.committee.weak_quorum() && !Mutant::OneReplyBelieved.lives() {
            return;
        }
        let is_own = result.operation == pending.operation;
        self.pending.remove(&number);
        self.answered = self.answered.saturating_add(1);
        self.outputs.push(if is_own {
            Output::Answered { number, result }
        } else {
            Output::Failed { number, failure: Failure::NumberTaken }
        });
    }

    fn on_busy(&mut self, from: ReplicaId, busy: Busy) {
        if busy.session == self.session {
            self.defer(from, busy.number, Claim::Busy);
        }
    }

    fn on_refused(&mut self, now: Instant, from: ReplicaId, refused: Refused) {
        if refused.session != self.session {
            return;
        }
        let Refused { number, reason, .. } = refused;
        let refusal = Refusal::from(&reason);
        match refusal {
            Refusal::OldSession { current } => self.on_old_session(now, from, number, current),
            Refusal::OutsideWindow => self.defer(from, number, Claim::Refused(refusal)),
            Refusal::TooLarge | Refusal::NotAuthentic | Refusal::NotAdmitted { .. } => {
                // A refusal of what was sent under this number earlier says nothing about this operation.
                let Some(pending) = self.pending.get_mut(&number) else { return };
                if refused.operation != pending.operation {
                    return;
                }
                let equal = pending.claims.record(from, Claim::Refused(refusal));
                if equal >= self.identity.genesis.committee.weak_quorum() {
                    self.pending.remove(&number);
                    self.vacant.insert(number);
                    self.outputs.push(Output::Failed { number, failure: Failure::Refused(reason) });
                }
            }
        }
    }

    /// Notes that a member has no room yet: the next deadline heeds it.
    fn defer(&mut self, from: ReplicaId, number: RequestNumber, claim: Claim) {
        if let Some(pending) = self.pending.get_mut(&number) {
            pending.claims.record(from, claim);
        }
    }

    fn on_old_session(&mut self, now: Instant, from: ReplicaId, number: RequestNumber, current: Session) {
        if current <= self.session {
            return;
        }
        if let Some(pending) = self.pending.get_mut(&number) {
            pending.claims.record(from, Claim::Refused(Refusal::OldSession { current }));
        }
        self.later_sessions.insert(from, current);
        let equal = self.later_sessions.values().filter(|session| **session == current).count();
        if equal >= self.identity.genesis.committee.weak_quorum() {
            self.renew(now, current);
        }
    }

    /// Moves behind the session that is open.
    fn renew(&mut self, now: Instant, current: Session) {
        let closed = self.session;
        self.session = Session(current.0.saturating_add(1));
        self.later_sessions.clear();
        self.outputs.push(Output::SessionRenewed { closed, open: self.session });
        let pending = std::mem::take(&mut self.pending);
        if self.answered == 0 {
            for (number, pending) in pending {
                self.resend_in_session(now, number, pending);
            }
        } else {
            let failed = |number| Output::Failed { number, failure: Failure::SessionClosed };
            self.outputs.extend(pending.into_keys().map(failed));
            self.vacant.clear();
            self.next = RequestNumber(1);
            self.answered = 0;
        }
    }

    fn resend_in_session(&mut self, now: Instant, number: RequestNumber, pending: Pending) {
        let request = self.sign(number, pending.request.operation);
        self.outputs.push(send(self.first_contact, &request));
        let renewed = Pending {
            request,
            operation: pending.operation,
            claims: Claims::default(),
            contact: self.first_contact,
            attempts: 0,
            retry_at: now.plus(self.retry.pause(0)),
        };
        self.pending.insert(number, renewed);
    }

    /// The lowest number that may be used now.
    fn free_number(&self) -> Result<RequestNumber, SubmitError> {
        if let Some(vacant) = self.vacant.first() {
            return Ok(*vacant);
        }
        match self.pending.keys().next() {
            Some(&oldest) if self.next.0.saturating_sub(oldest.0) >= self.identity.genesis.limits.client_window => {
                Err(SubmitError::WindowFull { oldest })
            }
            Some(_) | None => Ok(self.next),
        }
    }

    fn sign(&self, number: RequestNumber, operation: Bytes) -> Request {
        let id = RequestId { client: self.client(), session: self.session, number };
        Request::sign(&self.identity.context, &self.identity.key, id, operation)
    }

    /// Believes in the next member in the order of the views whose channel is there.
    fn choose_next_contact(&mut self) {
        let members = self.identity.genesis.committee.ids();
        let after = members.clone().filter(|member| *member > self.first_contact);
        let mut in_turn = after.chain(members.filter(|member| *member < self.first_contact));
        if let Some(next) = in_turn.find(|member| !self.links_down.contains(member)) {
            self.first_contact = next;
        }
    }
}

fn send(to: ReplicaId, request: &Request) -> Output {
    Output::Send { to, message: ClientMessage::Request(request.clone()) }
}
