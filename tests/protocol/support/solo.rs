//! One replica; the test plays everybody else.

use std::time::Duration;

use quorate::core::{Actions, Event, JournalRecord, Order, Recovered, Replica};
use quorate::messages::{Invalid, Message, Request, Verifier};
use quorate::{Now, ReplicaId, SeqNum};
use quorate_crypto::Digest;

use super::checks::{Voted, check_batches};
use super::executor::Executor;
use super::journal::{committed, recovered};
use super::world::{START, World};

/// A replica with its journal and executor. Batches are executed when the test says so.
#[derive(Debug)]
pub(crate) struct Solo {
    pub(crate) world: World,
    pub(crate) replica: Replica,
    pub(crate) now: Now,
    pub(crate) journal: Vec<JournalRecord>,
    pub(crate) executor: Executor,
    verifier: Verifier,
    voted: Voted,
}

impl Solo {
    /// Replica `id` at the genesis.
    pub(crate) fn new(world: &World, id: u16) -> Self {
        Self::start(world, id, Vec::new())
    }

    /// Replica `id` with this journal, its committed prefix executed.
    pub(crate) fn start(world: &World, id: u16, journal: Vec<JournalRecord>) -> Self {
        let mut solo = Self::not_replayed(world, id, journal);
        solo.replay();
        solo
    }

    /// Replica `id` with this journal, before its executor has reported anything. Its peers hold no vote of it.
    pub(crate) fn not_replayed(world: &World, id: u16, journal: Vec<JournalRecord>) -> Self {
        let mut solo = Self::unchecked(world, id, recovered(&journal));
        solo.journal = journal;
        solo.pass_check();
        solo
    }

    /// What its executor reports after a start: an empty state, then the committed prefix.
    pub(crate) fn replay(&mut self) -> Actions {
        let mut all = self.step(Event::Executor(self.executor.installed()));
        for batch in committed(&self.journal) {
            let report = self.executor.apply(&batch);
            append(&mut all, self.step(Event::Executor(report)));
        }
        all
    }

    /// Replica `id` before its executor has reported anything. Its peers hold no vote of it.
    pub(crate) fn not_installed(world: &World, id: u16, recovered: Recovered) -> Self {
        let mut solo = Self::unchecked(world, id, recovered);
        solo.pass_check();
        solo
    }

    /// Its peers say that they hold no vote of it.
    fn pass_check(&mut self) {
        let id = self.replica.id().0;
        self.step(Event::DeadlineReached);
        for peer in self.world.others(id).take(self.world.quorum() - 1) {
            self.receive(peer, Message::Votes(self.world.no_votes(id)));
        }
    }

    /// Replica `id` before anybody has said what it holds with its signature.
    pub(crate) fn unchecked(world: &World, id: u16, recovered: Recovered) -> Self {
        Solo {
            world: world.clone(),
            replica: Replica::recover(world.identity(id), recovered, START),
            now: START,
            journal: Vec::new(),
            executor: Executor::new(world.genesis.limits),
            verifier: world.verifier(),
            voted: Voted::default(),
        }
    }

    /// Ends it and starts it again from its journal. What it has said before still binds it.
    pub(crate) fn restart(self) -> Self {
        let voted = self.voted.clone();
        Solo { voted, ..Self::start(&self.world, self.replica.id().0, self.journal) }
    }

    pub(crate) fn step(&mut self, event: Event) -> Actions {
        self.replica.step(self.now, event);
        self.replica.check_all_invariants();
        let actions = self.replica.take_actions();
        self.journal.extend(actions.persist.iter().cloned());
        self.voted.check(self.replica.id(), &self.journal, &actions);
        check_batches(&self.journal);
        assert!(self.replica.next_deadline() > self.now.monotonic, "it wants to be woken without end");
        actions
    }

    /// The root that it has promised for a checkpoint.
    pub(crate) fn executor_root_at(&self, seq: u64) -> Digest {
        let taken = self
            .journal
            .iter()
            .find_map(|record| if let JournalRecord::CheckpointTaken(taken) = record { Some(*taken) } else { None });
        let taken = taken.filter(|taken| taken.seq == SeqNum(seq)).map(|taken| taken.root);
        taken.expect("it has taken that checkpoint")
    }

    /// A valid message of `from`.
    pub(crate) fn receive(&mut self, from: u16, message: Message) -> Actions {
        self.try_receive(from, message).expect("the test sends a valid message")
    }

    /// A message of `from` that may not even be valid.
    pub(crate) fn try_receive(&mut self, from: u16, message: Message) -> Result<Actions, Invalid> {
        let message = self.verifier.message(message)?;
        Ok(self.step(Event::Message { from: ReplicaId(from), message }))
    }

    /// A request over a client's channel.
    pub(crate) fn request(&mut self, request: Request) -> Actions {
        let request = self.verifier.request(request).expect("the test sends a valid request");
        self.step(Event::Request(request))
    }

    /// Lets time pass; the replica is woken when it wants to be. Gives back everything that it did.
    pub(crate) fn pass(&mut self, duration: Duration) -> Actions {
        let (end, wall_end) = (self.now.monotonic.plus(duration), self.now.wall.plus(duration));
        let mut all = Actions::default();
        while self.replica.next_deadline() <= end {
            let pause = self.replica.next_deadline().since(self.now.monotonic);
            self.now = Now { monotonic: self.replica.next_deadline(), wall: self.now.wall.plus(pause) };
            append(&mut all, self.step(Event::DeadlineReached));
        }
        self.now = Now { monotonic: end, wall: wall_end };
        all
    }

    /// Executes what `actions` hands over, and gives back what follows from it.
    pub(crate) fn execute(&mut self, actions: &Actions) -> Actions {
        let mut all = Actions::default();
        for order in &actions.execute {
            if let Order::Apply(batch) = order {
                let report = self.executor.apply(batch);
                append(&mut all, self.step(Event::Executor(report)));
            }
        }
        all
    }

    /// Brings slot `seq` of the current view to the point where it is committed and executed: everybody votes for a
    /// batch with these requests.
    pub(crate) fn commit_and_execute(&mut self, seq: u64, numbers: &[u64]) -> Actions {
        let actions = self.commit(seq, numbers);
        self.execute(&actions)
    }

    /// The same without the execution. For a backup.
    pub(crate) fn commit(&mut self, seq: u64, numbers: &[u64]) -> Actions {
        let mut all = self.prepare(seq, numbers);
        let batch = self.world.batch(numbers);
        let place = (self.replica.view(), SeqNum(seq));
        let own = self.replica.id().0;
        let others = (0..self.world.n()).filter(|member| *member != own);
        for member in others.take(self.world.quorum() - 1) {
            let commit = self.world.commit(member, place, batch.digest(place.1));
            append(&mut all, self.receive(member, commit));
        }
        all
    }

    /// Brings slot `seq` of the current view to the point where it is prepared. For a backup.
    pub(crate) fn prepare(&mut self, seq: u64, numbers: &[u64]) -> Actions {
        let batch = self.world.batch(numbers);
        let place = (self.replica.view(), SeqNum(seq));
        let primary = self.world.primary(place.0);
        let mut all = self.receive(primary, self.world.proposal(place, &batch));
        let own = self.replica.id().0;
        let backups = self.world.backups(place.0).filter(|member| *member != own);
        for member in backups.take(self.world.quorum() - 2) {
            let prepare = self.world.prepare(member, place, batch.digest(place.1));
            append(&mut all, self.receive(member, prepare));
        }
        all
    }
}

fn append(all: &mut Actions, more: Actions) {
    all.persist.extend(more.persist);
    all.send.extend(more.send);
    all.execute.extend(more.execute);
    all.notices.extend(more.notices);
}
