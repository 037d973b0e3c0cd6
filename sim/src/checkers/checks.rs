//! All checkers behind one face; the first violation stands.

use std::collections::BTreeSet;

use bytes::Bytes;
use quorate::batch::CommittedBatch;
use quorate::core::{ExecutedBatch, JournalRecord, Notice, Recovered, Report};
use quorate::messages::{Bounds, Message, ReplicaMessage, RequestResult, Standing};
use quorate::{ClientId, Genesis, ReplicaId, RequestId, SeqNum};

use super::abstaining::check_record;
use super::checkpoints::Checkpoints;
use super::commits::Commits;
use super::evidence::check_notice;
use super::history::History;
use super::votes::Votes;
use crate::violation::{Class, Violation};

/// The checkers of a world.
#[derive(Debug)]
pub struct Checks {
    correct: BTreeSet<ReplicaId>,
    /// Those of them whose disks never went back in time.
    blameless: BTreeSet<ReplicaId>,
    history: History,
    votes: Votes,
    commits: Commits,
    checkpoints: Checkpoints,
    violation: Option<Violation>,
}

impl Checks {
    /// Checkers for these correct replicas.
    #[must_use]
    pub fn new(genesis: &Genesis, correct: BTreeSet<ReplicaId>) -> Self {
        Checks {
            blameless: correct.clone(),
            correct,
            history: History::new(genesis.limits.client_window),
            votes: Votes::default(),
            commits: Commits::default(),
            checkpoints: Checkpoints::default(),
            violation: None,
        }
    }

    /// The first violation.
    #[must_use]
    pub fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    /// How many slots the cluster has executed.
    #[must_use]
    pub fn slots(&self) -> u64 {
        self.history.len()
    }

    /// A violation that somebody else noticed.
    pub fn report(&mut self, class: Class, checker: &'static str, text: String) {
        self.violation.get_or_insert(Violation { class, checker, text });
    }

    /// A replica writes a record to its journal.
    pub fn on_record(&mut self, id: ReplicaId, record: &JournalRecord) {
        if self.correct.contains(&id) {
            self.judge("votes", |checks| checks.votes.on_record(id, record));
            self.judge("commits", |checks| checks.commits.on_record(id, record));
        }
    }

    /// A replica that had and has this standing and low watermark writes a record.
    pub fn on_record_of(&mut self, id: ReplicaId, standing: (Standing, SeqNum), record: &JournalRecord) {
        if self.correct.contains(&id) && !self.votes.is_old_word(id, record) {
            self.judge("abstaining", |_| check_record(id, standing, record));
        }
    }

    /// Records have become durable.
    pub fn on_durable(&mut self, id: ReplicaId, records: &[JournalRecord]) {
        for record in records {
            self.votes.on_durable(id, record);
        }
    }

    /// A replica crashed.
    pub fn on_crash(&mut self, id: ReplicaId) {
        self.checkpoints.on_crash(id);
    }

    /// A replica starts with this: all that was durable binds it still.
    pub fn on_start(&mut self, id: ReplicaId, recovered: &Recovered) {
        if self.correct.contains(&id) {
            self.judge("recovery", |checks| checks.votes.on_start(id, recovered));
        }
    }

    /// What a replica has said, in all its lives: no vote of it lies beyond.
    #[must_use]
    pub fn promised(&self, id: ReplicaId) -> Bounds {
        self.votes.promised(id)
    }

    /// The disk of a replica went back in time, and it may not know: what it says does not count until it is whole.
    pub fn forget(&mut self, id: ReplicaId) {
        self.blameless.remove(&id);
        self.votes.forget(id);
    }

    /// A replica is whole again.
    pub fn remember(&mut self, id: ReplicaId) {
        self.votes.remember(id);
    }

    /// A message leaves a correct replica.
    pub fn on_send(&mut self, id: ReplicaId, message: &Message) {
        if self.correct.contains(&id) {
            self.judge("votes", |checks| checks.votes.on_send(id, message));
            if let Message::Checkpoint(vote) = message {
                self.judge("checkpoints", |checks| checks.history.check_root(vote.payload.seq, vote.payload.root));
            }
        }
    }

    /// A core lets something know.
    pub fn on_notice(&mut self, id: ReplicaId, notice: &Notice) {
        if self.correct.contains(&id) {
            self.judge("evidence", |checks| check_notice(&checks.blameless, id, notice));
            self.judge("commits", |checks| checks.commits.on_notice(id, notice));
            self.judge("checkpoints", |checks| checks.checkpoints.on_notice(id, notice));
        }
    }

    /// A client asks for an operation.
    pub fn on_submit(&mut self, id: RequestId, operation: Bytes) {
        self.history.on_submit(id, operation);
    }

    /// An executor has executed a batch.
    pub fn on_executed(&mut self, id: ReplicaId, batch: &CommittedBatch, report: &ExecutedBatch) {
        if self.correct.contains(&id) {
            self.judge("history", |checks| checks.history.on_executed(id, batch, report));
        }
    }

    /// An executor has loaded a state.
    pub fn on_installed(&mut self, id: ReplicaId, report: &Report) {
        if let (true, Report::Installed { seq, chain, root, certificate, .. }) = (self.correct.contains(&id), report) {
            self.judge("history", |checks| checks.history.on_installed(id, *seq, *chain));
            if certificate.is_some() {
                self.judge("history", |checks| checks.history.check_root(*seq, *root));
            }
        }
    }

    /// A correct replica answers a client.
    pub fn on_reply(&mut self, id: ReplicaId, to: ClientId, message: &ReplicaMessage) {
        if let (true, ReplicaMessage::Reply(reply)) = (self.correct.contains(&id), message) {
            for result in &reply.results {
                self.judge("history", |checks| checks.history.check_result(to, result));
            }
        }
    }

    /// A client believes an answer.
    pub fn on_answer(&mut self, client: ClientId, result: &RequestResult, operation: Option<&Bytes>) {
        self.judge("answers", |checks| match operation {
            None => Err(format!("{client:?} got an answer to {}, which does not wait", result.number)),
            Some(_) => checks.history.check_result(client, result),
        });
    }

    fn judge(&mut self, checker: &'static str, check: impl FnOnce(&mut Self) -> Result<(), String>) {
        if let Err(text) = check(self) {
            self.report(Class::Safety, checker, text);
        }
    }
}
