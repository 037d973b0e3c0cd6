//! Four replicas in one thread: what agreement alone costs. Messages are handed over as values; verification, signatures,
//! journal, network and application cost nothing here, because only the time inside the replicas is counted.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use quorate::batch::CommittedBatch;
use quorate::client_window::{Admission, ClientWindow};
use quorate::core::{Event, ExecutedBatch, ExecutedRequest, Order, Outgoing, Recipients, Recovered, Replica, Report};
use quorate::genesis::Limits;
use quorate::messages::{Message, Request, Verified, Verifier};
use quorate::{Instant, Now, ReplicaId, RequestId, SeqNum, WallTime};
use quorate_crypto::{Digest, Hasher};

use crate::network::{MEMBERS, Network, NoSignatures};

/// How much time passes from one batch to the next.
const BATCH_PERIOD: Duration = Duration::from_millis(1);
/// What a client asks for.
const OPERATION_BYTES: usize = 64;
/// C, so large that the largest batch and the one before it come from one client.
const CLIENT_WINDOW: u64 = 4096;
/// The primary of view 0.
const PRIMARY: ReplicaId = ReplicaId(0);

/// Four replicas that order batch after batch.
pub struct Cluster {
    network: Network,
    verifier: Verifier,
    members: Vec<Member>,
    now: Now,
    next_number: u64,
    /// The messages of the batch that is in flight.
    queue: VecDeque<Envelope>,
    in_replicas: Duration,
}

struct Envelope {
    from: ReplicaId,
    to: ReplicaId,
    message: Message,
}

struct Member {
    replica: Replica,
    executor: Executor,
}

impl Cluster {
    /// A cluster that orders batches of exactly `batch_requests`. One request is under way already: beside it the
    /// primary waits until a batch is full.
    #[must_use]
    pub fn new(batch_requests: u64) -> Self {
        let limits = Limits { batch_requests_max: batch_requests, client_window: CLIENT_WINDOW, ..Limits::default() };
        let network = Network::new(Arc::new(NoSignatures), limits);
        let now = Now { monotonic: Instant(1_000_000_000), wall: WallTime(1_000_000_000) };
        let start = |id| Member {
            replica: Replica::recover(network.identity(ReplicaId(id)), Recovered::default(), now),
            executor: Executor::new(limits),
        };
        let members = (0..MEMBERS).map(start).collect();
        let verifier = network.verifier();
        let queue = VecDeque::new();
        let mut cluster =
            Cluster { network, verifier, members, now, next_number: 1, queue, in_replicas: Duration::ZERO };
        for id in (0..MEMBERS).map(ReplicaId) {
            let installed = cluster.members[id.index()].executor.installed();
            cluster.step(id, Event::Executor(installed));
        }
        cluster.deliver_all();
        cluster.submit(1);
        cluster
    }

    /// The next batch is proposed, then the one before it is delivered, agreed on and executed by all four. Gives the time
    /// that the four replicas took, together.
    ///
    /// # Panics
    /// When the replicas do not agree: a benchmark of a broken cluster measures nothing.
    pub fn order_batch(&mut self) -> Duration {
        self.in_replicas = Duration::ZERO;
        self.now.monotonic = self.now.monotonic.plus(BATCH_PERIOD);
        self.now.wall = self.now.wall.plus(BATCH_PERIOD);
        let before: Vec<_> = self.members.iter().map(|member| member.executor.executed).collect();
        let in_flight = std::mem::take(&mut self.queue);
        self.submit(self.network.genesis().limits.batch_requests_max);
        let proposed = std::mem::replace(&mut self.queue, in_flight);
        self.deliver_all();
        self.queue = proposed;
        let after = self.members.iter().map(|member| member.executor.executed);
        assert!(after.eq(before.iter().map(|seq| seq.next())), "every replica executes one batch");
        self.in_replicas
    }

    fn submit(&mut self, count: u64) {
        for number in self.next_number..self.next_number + count {
            let request = self.request(number);
            self.step(PRIMARY, Event::Request(request));
        }
        self.next_number += count;
    }

    fn request(&self, number: u64) -> Verified<Request> {
        let request = self.network.request(number, Bytes::from_static(&[7; OPERATION_BYTES]));
        self.verifier.request(request).expect("the client is known and asks for little")
    }

    fn deliver_all(&mut self) {
        while let Some(Envelope { from, to, message }) = self.queue.pop_front() {
            let message = self.verifier.message(message).expect("replicas send what is valid");
            self.step(to, Event::Message { from, message });
        }
    }

    fn step(&mut self, id: ReplicaId, event: Event) {
        let member = &mut self.members[id.index()];
        let start = std::time::Instant::now();
        member.replica.step(self.now, event);
        let actions = member.replica.take_actions();
        self.in_replicas += start.elapsed();
        for outgoing in actions.send {
            self.send(id, outgoing);
        }
        for order in actions.execute {
            if let Order::Apply(committed) = order {
                let report = self.members[id.index()].executor.apply(&committed);
                self.step(id, Event::Executor(report));
            }
        }
    }

    fn send(&mut self, from: ReplicaId, outgoing: Outgoing) {
        let Outgoing::Replica { to, message } = outgoing else { return };
        match to {
            Recipients::One(to) => self.queue.push_back(Envelope { from, to, message }),
            Recipients::Others => {
                for to in (0..MEMBERS).map(ReplicaId).filter(|to| *to != from) {
                    self.queue.push_back(Envelope { from, to, message: message.clone() });
                }
            }
        }
    }
}

/// Reports what an executor reports, and executes nothing.
struct Executor {
    limits: Limits,
    executed: SeqNum,
    chain: Digest,
    window: ClientWindow,
}

impl Executor {
    fn new(limits: Limits) -> Self {
        let window = ClientWindow::new(limits.client_window);
        Executor { limits, executed: SeqNum::GENESIS, chain: Digest::ZERO, window }
    }

    fn installed(&self) -> Report {
        Report::Installed {
            seq: self.executed,
            chain: self.chain,
            root: Digest::ZERO,
            certificate: None,
            windows: Vec::new(),
        }
    }

    fn apply(&mut self, committed: &CommittedBatch) -> Report {
        let seq = committed.seq;
        assert_eq!(seq, self.executed.next(), "slots come in order");
        self.executed = seq;
        self.chain = Hasher::new("bench/chain").digest(&self.chain).digest(&committed.digest).finish();
        let batch = committed.batch.iter().flat_map(|batch| batch.requests());
        let requests = batch.map(|request| self.execute(request.id)).collect();
        let root = self.limits.is_checkpoint(seq).then_some(self.chain);
        Report::Executed(ExecutedBatch { seq, chain: self.chain, requests, root })
    }

    fn execute(&mut self, id: RequestId) -> ExecutedRequest {
        let executed = self.window.admit(id.session, id.number) == Admission::New;
        self.window.record(id.session, id.number);
        ExecutedRequest { id, executed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_full_batches_over_several_checkpoints() {
        let mut cluster = Cluster::new(3);
        let interval = cluster.network.genesis().limits.checkpoint_interval;
        for _ in 0..=3 * interval {
            cluster.order_batch();
        }
        for member in &cluster.members {
            assert_eq!(member.replica.view().0, 0, "nobody suspects the primary");
            assert!(member.replica.watermarks().0 >= SeqNum(2 * interval));
            assert_eq!(member.executor.window.floor().0, 1 + 3 * 3 * interval);
        }
    }
}
