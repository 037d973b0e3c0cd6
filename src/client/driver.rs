//! The task of a client: the only owner of its session. Calls and frames in, frames and results out.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::error::ClientError;
use super::handle::{ClientOptions, ClientTransport};
use super::inbox::Mailbox;
use super::inquiry::{AnswerSender, Inquiries, answer};
use super::query::QueryCollector;
use super::receipts::ReceiptCollector;
use super::session::{ClientSession, Identity, Output, SubmitError};
use crate::clock::Clock;
use crate::committee::Committee;
use crate::messages::{ClientMessage, ReplicaMessage, RequestResult, Verifier};
use crate::types::{Instant, ReplicaId, RequestNumber, Session};

/// Operations that wait for room in the window. Behind them callers wait in the channel.
const WAITING_MAX: usize = 1024;

/// Verified signatures that are remembered, for the certificates that all members answer with.
const MEMO_ENTRIES: usize = 1024;

pub(super) type ResultSender = oneshot::Sender<Result<RequestResult, ClientError>>;

/// What a handle asks for.
pub(super) enum Command {
    Submit { operation: Bytes, reply: ResultSender },
    Query { key: Bytes, reply: AnswerSender<QueryCollector> },
    Receipt { result: RequestResult, reply: AnswerSender<ReceiptCollector> },
}

/// A call that waits for room in the window.
struct Waiting {
    operation: Bytes,
    caller: Caller,
}

/// Who waits for a result.
struct Caller {
    reply: ResultSender,
    give_up_at: Instant,
}

pub(super) struct Driver {
    identity: Identity,
    options: ClientOptions,
    transport: Arc<dyn ClientTransport>,
    clock: Arc<dyn Clock>,
    verifier: Arc<Verifier>,
    session: ClientSession,
    waiting: VecDeque<Waiting>,
    callers: BTreeMap<RequestNumber, Caller>,
    queries: Inquiries<QueryCollector>,
    receipts: Inquiries<ReceiptCollector>,
    next_tag: u64,
}

impl Driver {
    pub(super) fn new(
        identity: Identity,
        options: ClientOptions,
        transport: Arc<dyn ClientTransport>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let genesis = Arc::clone(&identity.genesis);
        let verifier = Arc::new(Verifier::new(Arc::clone(&genesis), identity.context.clone(), MEMO_ENTRIES));
        let session = Session(clock.now().wall.0);
        Driver {
            options,
            transport,
            clock,
            verifier,
            session: ClientSession::new(identity.clone(), session, options.retry),
            waiting: VecDeque::new(),
            callers: BTreeMap::new(),
            queries: Inquiries::new(Arc::clone(&genesis), options),
            receipts: Inquiries::new(genesis, options),
            next_tag: 0,
            identity,
        }
    }

    /// Runs until the last handle is gone.
    pub(super) async fn run(mut self, mut commands: mpsc::Receiver<Command>, mailbox: Arc<Mailbox>) {
        loop {
            let is_taking = self.waiting.len() < WAITING_MAX;
            tokio::select! {
                command = commands.recv(), if is_taking => match command {
                    Some(command) => self.on_command(command),
                    None => return,
                },
                () = mailbox.wait() => self.on_mail(&mailbox),
                () = self.until_deadline() => self.on_deadline(),
            }
            // Numbers are used again after a failure: who waited must hear of it before somebody else gets the number.
            self.flush();
            self.send_waiting();
            self.flush();
        }
    }

    fn committee(&self) -> &Committee {
        &self.identity.genesis.committee
    }

    fn now(&self) -> Instant {
        self.clock.now().monotonic
    }

    async fn until_deadline(&self) {
        let callers = self.callers.values().map(|caller| caller.give_up_at).min();
        let waiting = self.waiting.front().map(|waiting| waiting.caller.give_up_at);
        let inquiries = [self.queries.next_deadline(), self.receipts.next_deadline()];
        let all = inquiries.into_iter().chain([callers, waiting, self.session.next_deadline()]);
        match all.flatten().min() {
            Some(deadline) => tokio::time::sleep_until(tokio::time::Instant::now() + deadline.since(self.now())).await,
            None => std::future::pending().await,
        }
    }

    fn on_command(&mut self, command: Command) {
        let now = self.now();
        let question = match command {
            Command::Submit { operation, reply } => {
                let give_up_at = now.plus(self.options.timeout);
                self.waiting.push_back(Waiting { operation, caller: Caller { reply, give_up_at } });
                None
            }
            Command::Query { key, reply } => {
                self.next_tag = self.next_tag.wrapping_add(1);
                let (verifier, needed) = (Arc::clone(&self.verifier), self.committee().weak_quorum());
                self.queries.ask(now, QueryCollector::new(verifier, needed, self.next_tag, key), reply)
            }
            Command::Receipt { result, reply } => {
                self.receipts.ask(now, ReceiptCollector::new(self.identity.clone(), result), reply)
            }
        };
        if let Some(question) = question {
            self.send_to_all(&question);
        }
    }

    fn on_mail(&mut self, mailbox: &Mailbox) {
        let now = self.now();
        for (member, slot) in self.committee().ids().zip(mailbox.drain()) {
            if let Some(is_up) = slot.link {
                self.session.on_link(member, is_up);
            }
            for frame in slot.frames {
                // A frame that is no message comes from a faulty member, whose silence is all that it costs.
                let Ok(message) = ReplicaMessage::decode(&frame) else { continue };
                self.queries.on_message(member, &message);
                self.receipts.on_message(member, &message);
                self.session.on_message(now, member, message);
            }
        }
    }

    fn on_deadline(&mut self) {
        let now = self.now();
        self.session.on_deadline(now);
        let mut questions = self.queries.on_deadline(now);
        questions.extend(self.receipts.on_deadline(now));
        for question in questions {
            self.send_to_all(&question);
        }
        let after = self.options.timeout;
        // Calls wait in the order of their deadlines, because all have the same patience.
        let late = self.waiting.iter().take_while(|waiting| waiting.caller.give_up_at <= now).count();
        for late in self.waiting.drain(..late) {
            answer(late.caller.reply, Err(ClientError::NotSent { after }));
        }
        let (late, patient): (BTreeMap<_, _>, _) =
            std::mem::take(&mut self.callers).into_iter().partition(|(_, caller)| caller.give_up_at <= now);
        self.callers = patient;
        for (number, caller) in late {
            let answers = self.session.who_answered(number).unwrap_or_default();
            answer(caller.reply, Err(ClientError::TimedOut { after, answers }));
        }
    }

    /// Sends what waits as far as the window has room.
    fn send_waiting(&mut self) {
        let now = self.now();
        while let Some(Waiting { operation, caller }) = self.waiting.pop_front() {
            if caller.reply.is_closed() {
                continue;
            }
            match self.session.submit(now, operation.clone()) {
                Ok(number) => drop(self.callers.insert(number, caller)),
                Err(SubmitError::WindowFull { .. }) => {
                    self.waiting.push_front(Waiting { operation, caller });
                    return;
                }
                Err(error @ SubmitError::TooLarge { .. }) => answer(caller.reply, Err(error.into())),
            }
        }
    }

    fn flush(&mut self) {
        for output in self.session.take_outputs() {
            match output {
                Output::Send { to, message } => self.transport.send(to, message.encode()),
                Output::Answered { number, result } => self.conclude(number, Ok(result)),
                Output::Failed { number, failure } => self.conclude(number, Err(failure.into())),
                Output::SessionRenewed { closed, open } => {
                    tracing::warn!(%closed, %open, "the replicas know a later session of this client: a clock went \
                        back, or another process uses its key");
                }
            }
        }
    }

    fn conclude(&mut self, number: RequestNumber, result: Result<RequestResult, ClientError>) {
        if let Some(caller) = self.callers.remove(&number) {
            answer(caller.reply, result);
        }
    }

    fn send_to_all(&self, message: &ClientMessage) {
        let frame = message.encode();
        self.committee().ids().for_each(|member: ReplicaId| self.transport.send(member, frame.clone()));
    }
}
