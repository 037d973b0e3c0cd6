//! Questions that are under way: asked of all members, again and again, until enough have answered or time is up.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::error::ClientError;
use super::handle::ClientOptions;
use crate::genesis::Genesis;
use crate::messages::{ClientMessage, ReplicaMessage};
use crate::types::{Instant, ReplicaId};

/// Questions of one kind that may wait for answers at once.
pub const INQUIRIES_MAX: usize = 256;

/// Collects the answers to one question, sans-I/O.
pub trait Collector {
    /// What enough answers make.
    type Answer;

    /// What all members are asked.
    fn question(&self) -> ClientMessage;

    /// The members that have given a valid answer.
    fn answered(&self) -> Vec<ReplicaId>;

    /// Hears a member. Gives the result once enough have answered; what is about something else changes nothing.
    fn on_message(&mut self, from: ReplicaId, message: &ReplicaMessage) -> Option<Result<Self::Answer, ClientError>>;
}

/// Who waits for what a collector makes.
pub(super) type AnswerSender<C> = oneshot::Sender<Result<<C as Collector>::Answer, ClientError>>;

/// The questions of one kind.
pub(super) struct Inquiries<C: Collector> {
    genesis: Arc<Genesis>,
    options: ClientOptions,
    open: Vec<Inquiry<C>>,
}

struct Inquiry<C: Collector> {
    collector: C,
    reply: AnswerSender<C>,
    attempts: u32,
    retry_at: Instant,
    give_up_at: Instant,
}

impl<C: Collector> Inquiries<C> {
    pub(super) fn new(genesis: Arc<Genesis>, options: ClientOptions) -> Self {
        Inquiries { genesis, options, open: Vec::new() }
    }

    /// Opens a question; gives what to ask all members.
    pub(super) fn ask(&mut self, now: Instant, collector: C, reply: AnswerSender<C>) -> Option<ClientMessage> {
        if self.open.len() >= INQUIRIES_MAX {
            answer(reply, Err(ClientError::TooManyQuestions(INQUIRIES_MAX)));
            return None;
        }
        let question = collector.question();
        let retry_at = now.plus(self.options.retry.pause(0));
        let give_up_at = now.plus(self.options.timeout);
        self.open.push(Inquiry { collector, reply, attempts: 0, retry_at, give_up_at });
        Some(question)
    }

    /// Hears a member.
    pub(super) fn on_message(&mut self, from: ReplicaId, message: &ReplicaMessage) {
        let heard = |inquiry: &mut Inquiry<C>| inquiry.collector.on_message(from, message);
        let mut index = 0;
        while let Some(inquiry) = self.open.get_mut(index) {
            match heard(inquiry) {
                Some(result) => answer(self.open.swap_remove(index).reply, result),
                None => index += 1,
            }
        }
    }

    /// Ends what has waited too long or is waited for no more; gives what to ask all members again.
    pub(super) fn on_deadline(&mut self, now: Instant) -> Vec<ClientMessage> {
        let is_over = |inquiry: &mut Inquiry<C>| inquiry.give_up_at <= now || inquiry.reply.is_closed();
        let over: Vec<_> = self.open.extract_if(.., is_over).collect();
        for inquiry in over {
            answer(inquiry.reply, Err(self.no_proof(&inquiry.collector)));
        }
        let retry = self.options.retry;
        let due = self.open.iter_mut().filter(|inquiry| inquiry.retry_at <= now);
        due.map(|inquiry| {
            inquiry.attempts = inquiry.attempts.saturating_add(1);
            inquiry.retry_at = now.plus(retry.pause(inquiry.attempts));
            inquiry.collector.question()
        })
        .collect()
    }

    /// When [`on_deadline`](Self::on_deadline) has something to do.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.open.iter().map(|inquiry| inquiry.retry_at.min(inquiry.give_up_at)).min()
    }

    fn no_proof(&self, collector: &C) -> ClientError {
        let after: Duration = self.options.timeout;
        let (answered, committee) = (collector.answered(), &self.genesis.committee);
        let silent = committee.ids().filter(|member| !answered.contains(member)).collect();
        ClientError::NoProof { after, answered, silent, needed: committee.weak_quorum() }
    }
}

/// Hands a result to whoever waits for it.
pub(super) fn answer<T>(reply: oneshot::Sender<Result<T, ClientError>>, result: Result<T, ClientError>) {
    // Nobody may be waiting any more; then the result is for nobody.
    drop(reply.send(result));
}
