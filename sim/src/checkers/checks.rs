//! All checkers behind one face; the first violation stands.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use quorate::batch::CommittedBatch;
use quorate::core::{ExecutedBatch, Footprint, JournalRecord, Notice, Recovered, Replica, Report};
use quorate::execution::ReplicatedState;
use quorate::messages::{Bounds, Message, ReplicaMessage, RequestResult};
use quorate::{ClientId, Genesis, NodeConfig, ReplicaId, RequestId, SeqNum};
use quorate_crypto::Digest;

use super::abstaining::Turn;
use super::agreement::Agreement;
use super::certificates::{Certificates, Witnesses};
use super::contiguous::Contiguous;
use super::double_votes::DoubleVotes;
use super::exempt::Exempt;
use super::facts::Facts;
use super::history::History;
use super::journals::Journal;
use super::linearizability::Linearizability;
use super::memory::Memory;
use super::one_vote::OneVote;
use super::re_proposals::ReProposals;
use super::rules::Rules;
use super::sayings::{Phase, Saying, Sayings};
use super::validity::Submitted;
use super::watermarks::Watermarks;
use super::{
    abstaining, agreement, batches, checkpoints, durable, evidence, exactly_once, new_views, one_vote, recovery,
    replies, state_contents, view_change_contents, views, watermarks,
};
use crate::counters::{Counter, Counters};
use crate::violation::{Class, Violation};

/// The checkers of a world.
#[derive(Clone, Debug)]
pub struct Checks {
    correct: BTreeSet<ReplicaId>,
    exempt: Exempt,
    rules: Rules,
    history: History,
    submitted: Submitted,
    said: Sayings,
    journals: BTreeMap<ReplicaId, Journal>,
    facts: Facts,
    agreement: Agreement,
    contiguous: Contiguous,
    one_vote: OneVote,
    certificates: Certificates,
    re_proposals: ReProposals,
    watermarks: Watermarks,
    memory: Memory,
    linearizability: Linearizability,
    double_votes: DoubleVotes,
    explained: u64,
    violation: Option<Violation>,
}

impl Checks {
    /// Checkers for these correct replicas.
    #[must_use]
    pub fn new(genesis: &Genesis, config: &NodeConfig, correct: BTreeSet<ReplicaId>) -> Self {
        let rules = Rules::new(genesis);
        Checks {
            exempt: Exempt::new(correct.clone()),
            correct,
            history: History::new(&rules),
            submitted: Submitted::default(),
            said: Sayings::default(),
            journals: BTreeMap::new(),
            facts: Facts::default(),
            agreement: Agreement::default(),
            contiguous: Contiguous::default(),
            one_vote: OneVote::default(),
            certificates: Certificates::new(rules),
            re_proposals: ReProposals::default(),
            watermarks: Watermarks::default(),
            memory: Memory::new(&rules, config),
            linearizability: Linearizability::default(),
            rules,
            double_votes: DoubleVotes::default(),
            explained: 0,
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
        if !self.correct.contains(&id) {
            return;
        }
        let journal = self.journals.remove(&id).unwrap_or_default();
        self.judge("views", |_| views::check_record(id, &journal, record));
        self.judge("one-vote", |_| one_vote::check_record(id, &journal, record));
        self.judge("batch-kept", |_| batches::check_record(id, &journal, record));
        self.judge("watermarks", |checks| watermarks::check_record(&checks.rules, id, &journal, record));
        self.judge("contiguous-execution", |_| Contiguous::check_record(id, &journal, record));
        self.judge("certificates", |Checks { certificates, said, exempt, .. }| {
            certificates.check_record(Witnesses { holder: id, said, exempt }, record)
        });
        if let JournalRecord::ViewChangeSent(asked) = record {
            self.judge("view-change-contents", |_| view_change_contents::check_asked(id, &journal, asked));
        }
        if let JournalRecord::ViewEntered(entered) = record {
            self.judge("re-proposals", |checks| checks.re_proposals.on_entered(id, entered));
            self.judge("new-views", |checks| new_views::check_entered(&checks.rules, id, entered));
        }
        let mut journal = journal;
        journal.add(record);
        self.journals.insert(id, journal);
    }

    /// A replica writes a record in a step before and after which it stood like this.
    pub fn on_record_of(&mut self, id: ReplicaId, turn: Turn, record: &JournalRecord) {
        if self.correct.contains(&id) && !self.is_old_word(id, record) {
            self.judge("abstaining", |_| abstaining::check_record(id, turn, record));
        }
    }

    /// Whether a record only takes back what its replica had signed before and forgotten: others send it to whoever
    /// lacks it.
    fn is_old_word(&self, id: ReplicaId, record: &JournalRecord) -> bool {
        if let JournalRecord::PrePrepared(header) = record {
            let vote = header.payload;
            return header.signer == id && self.said.vote(id, Phase::Accept, vote.view, vote.seq) == Some(vote.digest);
        }
        let JournalRecord::ViewEntered(entered) = record else { return false };
        entered.new_view.signer == id && self.said.has_led(id, entered.new_view.payload.target)
    }

    /// Records have become durable.
    pub fn on_durable(&mut self, id: ReplicaId, records: &[JournalRecord]) {
        for record in records.iter().filter(|_| self.correct.contains(&id)) {
            self.facts.on_durable(id, record);
            self.said.add_record(id, record);
        }
    }

    /// A replica has taken a step.
    pub fn on_step(&mut self, id: ReplicaId, replica: &Replica) {
        if self.correct.contains(&id) {
            self.judge("watermarks", |checks| checks.watermarks.on_step(&checks.rules, id, replica.watermarks()));
            self.on_footprint(id, &replica.footprint());
        }
    }

    /// A replica holds so much.
    pub fn on_footprint(&mut self, id: ReplicaId, held: &Footprint) {
        if self.correct.contains(&id) {
            self.judge("memory", |checks| checks.memory.check(id, held));
        }
    }

    /// A replica crashed.
    pub fn on_crash(&mut self, id: ReplicaId) {
        self.watermarks.on_crash(id);
        self.contiguous.on_crash(id);
    }

    /// A replica starts with this: all that was durable binds it still.
    pub fn on_start(&mut self, id: ReplicaId, recovered: &Recovered) {
        if self.correct.contains(&id) {
            self.journals.insert(id, Journal::at_start(recovered));
            self.said.add_promises(id, &recovered.promises);
            self.judge("recovery", |checks| recovery::on_start(&mut checks.facts, id, &recovered.promises));
        }
    }

    /// What a replica has said, in all its lives: no vote of it lies beyond.
    #[must_use]
    pub fn promised(&self, id: ReplicaId) -> Bounds {
        self.said.bounds(id)
    }

    /// The disk of a replica went back in time, and it may not know what it has said so far.
    pub fn forget(&mut self, id: ReplicaId) {
        let said = self.said.extent(id);
        self.exempt.forget(id, said);
        self.facts.forget(id);
        self.one_vote.forget(id, said);
    }

    /// A replica is whole again.
    pub fn remember(&mut self, id: ReplicaId) {
        self.one_vote.remember(id);
    }

    /// A message leaves a replica.
    pub fn on_send(&mut self, id: ReplicaId, message: &Message) {
        if !self.correct.contains(&id) {
            return;
        }
        self.judge("certificates", |Checks { certificates, said, exempt, .. }| {
            certificates.check_message(Witnesses { holder: id, said, exempt }, message)
        });
        let Some(saying) = Saying::of(id, message) else { return };
        self.judge("durable-before-sent", |checks| durable::check_saying(&checks.facts, id, &saying));
        self.judge("one-vote", |checks| checks.one_vote.check_saying(id, &checks.said, &saying));
        if let Saying::Reached(reached) = saying {
            self.judge("checkpoints", |checks| checkpoints::check_root(&checks.history, reached.seq, reached.root));
        }
        self.said.add(id, &saying);
    }

    /// A Byzantine replica says something, and it has passed the verification.
    pub fn on_lie(&mut self, id: ReplicaId, message: &Message) {
        if !self.correct.contains(&id) {
            self.double_votes.on_lie(id, message);
        }
    }

    /// A core lets something know.
    pub fn on_notice(&mut self, id: ReplicaId, notice: &Notice) {
        if !self.correct.contains(&id) {
            return;
        }
        self.judge("evidence", |checks| evidence::check_notice(&checks.exempt, id, notice));
        self.judge("agreement", |checks| checks.agreement.on_notice(id, notice));
        self.judge("re-proposals", |checks| checks.re_proposals.on_notice(id, notice));
        if let Notice::CheckpointStable { seq, root } = notice {
            self.judge("checkpoints", |checks| checkpoints::check_root(&checks.history, *seq, *root));
        }
    }

    /// A client asks for an operation.
    pub fn on_submit(&mut self, id: RequestId, operation: Bytes) {
        self.submitted.add(id, operation.clone());
        self.linearizability.on_submit(id, operation);
    }

    /// An executor is about to execute the batch of a slot.
    pub fn on_apply(&mut self, id: ReplicaId, seq: SeqNum) {
        if self.correct.contains(&id) {
            self.judge("contiguous-execution", |checks| checks.contiguous.on_apply(id, seq));
        }
    }

    /// An executor has executed a batch.
    pub fn on_executed(&mut self, id: ReplicaId, batch: &CommittedBatch, report: &ExecutedBatch) {
        if !self.correct.contains(&id) {
            return;
        }
        let seq = batch.seq;
        self.judge("contiguous-execution", |_| Contiguous::check_report(id, seq, report.seq));
        self.judge("validity", |checks| checks.submitted.check_batch(batch));
        self.history.extend(batch, report);
        self.judge("agreement", |checks| {
            checks.history.slot(seq).map_or(Ok(()), |slot| agreement::check_executed(id, slot, batch, report))
        });
        self.judge("exactly-once", |checks| {
            checks.history.slot(seq).map_or(Ok(()), |slot| exactly_once::check_executed(id, slot, report))
        });
    }

    /// An executor has come to this state, at a checkpoint with this root.
    pub fn on_state(&mut self, id: ReplicaId, state: &ReplicatedState, root: Digest) {
        if self.correct.contains(&id) {
            self.judge("money", |_| state_contents::check_money(id, state));
            self.judge("root-contents", |_| state_contents::check_root(id, state, root));
        }
    }

    /// An executor has loaded a state.
    pub fn on_installed(&mut self, id: ReplicaId, report: &Report) {
        let (true, Report::Installed { seq, chain, root, certificate, .. }) = (self.correct.contains(&id), report)
        else {
            return;
        };
        self.judge("contiguous-execution", |checks| checks.contiguous.on_installed(id, *seq));
        self.judge("agreement", |checks| agreement::check_loaded(id, &checks.history, *seq, *chain));
        self.judge("checkpoints", |checks| match certificate {
            Some(_) => checkpoints::check_root(&checks.history, *seq, *root),
            None => checkpoints::check_loaded(&checks.history, *seq, *root),
        });
        if let Some(journal) = self.journals.get_mut(&id) {
            journal.committed = journal.committed.max(*seq);
        }
    }

    /// A replica answers a client.
    pub fn on_reply(&mut self, id: ReplicaId, to: ClientId, message: &ReplicaMessage) {
        if let (true, ReplicaMessage::Reply(reply)) = (self.correct.contains(&id), message) {
            for result in &reply.results {
                self.judge("replies", |checks| replies::check_result(&checks.history, &checks.submitted, to, result));
            }
        }
    }

    /// A client believes an answer.
    pub fn on_answer(&mut self, client: ClientId, result: &RequestResult) {
        let id = RequestId { client, session: result.session, number: result.number };
        self.judge("answers", |checks| replies::check_result(&checks.history, &checks.submitted, client, result));
        self.judge("linearizability", |checks| checks.linearizability.on_answer(&id, result));
    }

    /// The world has ended, and nothing else was broken.
    pub fn on_end(&mut self) {
        if self.violation.is_none() {
            self.judge("linearizability", |checks| {
                checks.explained = checks.linearizability.on_end()?;
                Ok(())
            });
        }
    }

    /// Counts what only the checkers see.
    pub fn count(&self, counters: &mut Counters) {
        counters.add_many(Counter::Slots, self.history.len());
        counters.add_many(Counter::CommittedReProposed, self.re_proposals.committed_again());
        counters.add_many(Counter::LiarsVotedTwice, self.double_votes.count());
        counters.add_many(Counter::Explained, self.explained);
    }

    fn judge(&mut self, checker: &'static str, check: impl FnOnce(&mut Self) -> Result<(), String>) {
        if let Err(text) = check(self) {
            self.report(Class::Safety, checker, text);
        }
    }
}
