//! The replica with its journal and executor, and what must hold of it whatever it hears.

use std::collections::{BTreeMap, VecDeque};

use quorate::batch::{Batch, CommittedBatch};
use quorate::client_window::{Admission, ClientWindow};
use quorate::core::{
    Actions, Event, ExecutedBatch, ExecutedRequest, JournalRecord, Order, Outgoing, Promises, Recovered, Replica,
    Report,
};
use quorate::messages::{Checkpoint, CheckpointCertificate, HeldVotes, Message, Proposal, Signed, ViewChange};
use quorate::{ClientId, Instant, Now, ReplicaId, SeqNum, View, WallTime};
use quorate_crypto::{Digest, Hasher};

use crate::choices::Choices;
use crate::fuzzing::cast::{Cast, FOUNDED};

/// How often in a row a replica may want to be woken at once.
const SPINS_MAX: u32 = 100;
/// How many of its own messages are kept, to be said to it again.
const SAID_MAX: usize = 64;

/// A replica and everything around it. Whatever it writes is durable at once.
pub(super) struct Stage {
    pub(super) replica: Replica,
    /// The ViewChanges that anybody has said.
    pub(super) view_changes: Vec<Signed<ViewChange>>,
    now: Now,
    journal: Vec<JournalRecord>,
    orders: VecDeque<Order>,
    executor: Executor,
    /// What it has voted for in its life: one batch for each kind, view and slot.
    voted: BTreeMap<(&'static str, View, SeqNum), Digest>,
    said: VecDeque<Message>,
}

impl Stage {
    pub(super) fn new(id: ReplicaId) -> Self {
        let now = Now { monotonic: Instant(5_000_000_000), wall: WallTime(FOUNDED.0 + 5_000_000_000) };
        let mut stage = Stage {
            replica: Replica::recover(Cast::get().identity(id), Recovered::default(), now),
            view_changes: Vec::new(),
            now,
            journal: Vec::new(),
            orders: VecDeque::new(),
            executor: Executor::new(),
            voted: BTreeMap::new(),
            said: VecDeque::new(),
        };
        stage.report(stage.executor.installed(None));
        stage
    }

    pub(super) fn others(&self) -> Vec<ReplicaId> {
        let id = self.replica.id();
        Cast::get().members().into_iter().filter(|member| *member != id).collect()
    }

    /// The last checkpoint that it has taken.
    pub(super) fn taken(&self) -> Option<Checkpoint> {
        self.journal.iter().rev().find_map(|record| {
            if let JournalRecord::CheckpointTaken(checkpoint) = record { Some(*checkpoint) } else { None }
        })
    }

    /// All others say that they hold no vote of it.
    pub(super) fn pass_start_check(&mut self) {
        self.step(Event::DeadlineReached);
        for peer in self.others() {
            let held = HeldVotes {
                signer: self.replica.id(),
                view: View(0),
                target: View(0),
                certified: SeqNum::GENESIS,
                pre_prepares: Vec::new(),
                prepares: Vec::new(),
                commits: Vec::new(),
                view_change: None,
            };
            self.hear(peer, Message::Votes(held));
        }
    }

    /// It ends, and comes back with everything that it wrote. Its executor has to replay all of it.
    pub(super) fn restart(&mut self) {
        let mut promises = Promises::default();
        self.journal.iter().for_each(|record| promises.fold(record));
        let low = promises.low_watermark();
        let batches = self.batches().filter(|(seq, _)| *seq > low);
        let batches = batches.map(|(seq, batch)| ((seq, batch.digest(seq)), batch.clone())).collect();
        let identity = Cast::get().identity(self.replica.id());
        let through = promises.committed_through;
        self.replica = Replica::recover(identity, Recovered { promises, batches }, self.now);
        self.orders.clear();
        // The executor kept its state, as far as it was committed: its snapshot is always the newest.
        assert!(self.executor.executed <= through, "executed {}, committed {through}", self.executor.executed);
        let replay: Vec<_> = self.committed().filter(|slot| slot.seq > self.executor.executed).collect();
        let is_gapless = replay.first().is_none_or(|first| first.seq == self.executor.executed.next());
        if !is_gapless || (replay.is_empty() && self.executor.executed < through) {
            return self.report(Report::StateMissing);
        }
        self.report(self.executor.installed(None));
        self.orders.extend(replay.into_iter().map(Order::Apply));
    }

    /// A valid message; one that is not valid is nothing.
    pub(super) fn hear(&mut self, from: ReplicaId, message: Message) {
        if let Ok(message) = Cast::get().verifier.message(message) {
            self.step(Event::Message { from, message });
        }
    }

    /// Somebody says to it what it has said itself.
    pub(super) fn echo(&mut self, from: ReplicaId, choices: &mut Choices) {
        let place = usize::try_from(choices.below(self.said.len() as u64)).unwrap_or(0);
        if let Some(said) = self.said.get(place).cloned() {
            self.hear(from, said);
        }
    }

    /// A client asks for something.
    pub(super) fn request(&mut self, choices: &mut Choices) {
        let client = choices.below(2).to_le_bytes()[0];
        let request = Cast::get().request(client, choices.between(1, 12));
        if let Ok(request) = Cast::get().verifier.request(request) {
            self.step(Event::Request(request));
        }
    }

    /// The executor does what it was told first.
    pub(super) fn execute(&mut self) {
        let report = match self.orders.pop_front() {
            Some(Order::Apply(batch)) => self.executor.apply(&batch),
            Some(Order::CatchUpTo(goal)) => self.executor.install(&goal),
            Some(Order::Resend { .. } | Order::Stable(_)) | None => return,
        };
        self.report(report);
    }

    /// Time passes until it wants to be woken.
    pub(super) fn wait_for_deadline(&mut self) {
        let mut spins = 0;
        while spins == 0 || self.replica.next_deadline() <= self.now.monotonic {
            let due = self.replica.next_deadline();
            let passed = due.since(self.now.monotonic);
            self.now = Now { monotonic: self.now.monotonic.max(due), wall: self.now.wall.plus(passed) };
            self.step(Event::DeadlineReached);
            spins += 1;
            assert!(spins < SPINS_MAX, "it wants to be woken without end");
        }
    }

    /// So many milliseconds pass, without anybody waking it on the way.
    pub(super) fn wait(&mut self, milliseconds: u64) {
        let passed = std::time::Duration::from_millis(milliseconds);
        self.now = Now { monotonic: self.now.monotonic.plus(passed), wall: self.now.wall.plus(passed) };
        self.step(Event::DeadlineReached);
    }

    fn report(&mut self, report: Report) {
        self.step(Event::Executor(report));
    }

    pub(super) fn step(&mut self, event: Event) {
        self.replica.step(self.now, event);
        self.replica.check_all_invariants();
        let Actions { persist, send, execute, .. } = self.replica.take_actions();
        self.journal.extend(persist);
        self.orders.extend(execute);
        for outgoing in send {
            if let Outgoing::Replica { message, .. } = outgoing {
                self.note(message);
            }
        }
    }

    /// What it says contradicts nothing that it has said before.
    fn note(&mut self, message: Message) {
        if let Message::ViewChange(signed) = &message {
            self.view_changes.push(signed.clone());
        }
        if let Some((signer, view, seq, digest)) = vote(&message)
            && signer == self.replica.id()
        {
            let first = *self.voted.entry((message.kind(), view, seq)).or_insert(digest);
            assert_eq!(first, digest, "it contradicts itself: {} in view {view} at slot {seq}", message.kind());
        }
        if self.said.len() == SAID_MAX {
            self.said.pop_front();
        }
        self.said.push_back(message);
    }

    fn batches(&self) -> impl Iterator<Item = (SeqNum, &Batch)> {
        self.journal.iter().filter_map(|record| {
            if let JournalRecord::Batch { seq, batch } = record { Some((*seq, batch)) } else { None }
        })
    }

    fn committed(&self) -> impl Iterator<Item = CommittedBatch> {
        self.journal.iter().filter_map(|record| {
            let JournalRecord::Committed(certificate) = record else { return None };
            let (seq, digest) = (certificate.seq(), certificate.digest());
            let batch = self.batches().find(|(at, batch)| *at == seq && batch.digest(seq) == digest);
            Some(CommittedBatch { seq, digest, batch: batch.map(|(_, batch)| batch.clone()) })
        })
    }
}

/// Who votes for what, in statements that bind their signer to one batch or state.
fn vote(message: &Message) -> Option<(ReplicaId, View, SeqNum, Digest)> {
    if let Message::PrePrepare(Proposal { header, .. }) = message {
        Some((header.signer, header.payload.view, header.payload.seq, header.payload.digest))
    } else if let Message::Prepare(vote) = message {
        Some((vote.signer, vote.payload.view, vote.payload.seq, vote.payload.digest))
    } else if let Message::Commit(vote) = message {
        Some((vote.signer, vote.payload.view, vote.payload.seq, vote.payload.digest))
    } else if let Message::ViewChange(signed) = message {
        Some((signed.signer, signed.payload.target, SeqNum::GENESIS, signed.digest()))
    } else {
        None
    }
}

/// An executor without an application.
struct Executor {
    executed: SeqNum,
    chain: Digest,
    windows: BTreeMap<ClientId, ClientWindow>,
}

impl Executor {
    fn new() -> Self {
        Executor { executed: SeqNum::GENESIS, chain: Digest::ZERO, windows: BTreeMap::new() }
    }

    fn installed(&self, certificate: Option<CheckpointCertificate>) -> Report {
        let windows = self.windows.iter().map(|(client, window)| (*client, window.clone())).collect();
        let root = certificate.as_ref().map_or_else(|| self.root(), CheckpointCertificate::root);
        Report::Installed { seq: self.executed, chain: self.chain, root, certificate, windows }
    }

    /// Takes over a state that the others have made up.
    fn install(&mut self, goal: &CheckpointCertificate) -> Report {
        *self = Executor { executed: goal.seq(), chain: goal.root(), windows: BTreeMap::new() };
        self.installed(Some(goal.clone()))
    }

    fn apply(&mut self, committed: &CommittedBatch) -> Report {
        assert_eq!(committed.seq, self.executed.next(), "slots come to the executor in order, each once");
        assert!(committed.is_consistent(), "slot {}: the batch is not the committed one", committed.seq);
        self.executed = committed.seq;
        self.chain = Hasher::new("fuzzed chain").digest(&self.chain).digest(&committed.digest).finish();
        let requests = committed.batch.iter().flat_map(|batch| batch.requests());
        let requests = requests.map(|request| self.record(request.id)).collect();
        let root = Cast::get().genesis.limits.is_checkpoint(committed.seq).then(|| self.root());
        Report::Executed(ExecutedBatch { seq: committed.seq, chain: self.chain, requests, root })
    }

    fn record(&mut self, id: quorate::RequestId) -> ExecutedRequest {
        let width = Cast::get().genesis.limits.client_window;
        let window = self.windows.entry(id.client).or_insert_with(|| ClientWindow::new(width));
        let executed = window.admit(id.session, id.number) == Admission::New;
        if executed {
            window.record(id.session, id.number);
        }
        ExecutedRequest { id, executed }
    }

    fn root(&self) -> Digest {
        Hasher::new("fuzzed root").u64(self.executed.0).digest(&self.chain).finish()
    }
}
