//! The request pool, seen through the primary that owns it: requests of four clients come in any order, slots commit and
//! execute now and then. Against a plain model: what is answered, what is proposed, and how much waits.
//!
//! Keeps out: 18 (a request lost or proposed twice), 47 (one client takes everything), 48 (numbers that pass the check).

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use quorate::core::{Actions, Outgoing};
use quorate::genesis::Limits;
use quorate::messages::{Message, Proposal};
use quorate::{NodeConfig, RequestId};

use crate::support::{Solo, World, outputs};

const POOL: usize = 12;
const CLIENT_WINDOW: u64 = 5;
const BATCH: usize = 4;

fn world() -> World {
    World::with(4, |limits: &mut Limits, config: &mut NodeConfig| {
        limits.client_window = CLIENT_WINDOW;
        limits.batch_requests_max = BATCH as u64;
        limits.checkpoint_interval = 512;
        config.pool_requests_max = POOL as u64;
        config.pipeline_depth = 2;
    })
}

fn proposals(actions: &Actions) -> Vec<Proposal> {
    let sent = actions.send.iter().filter_map(|outgoing| {
        if let Outgoing::Replica { message: Message::PrePrepare(proposal), .. } = outgoing {
            Some(proposal)
        } else {
            None
        }
    });
    sent.cloned().collect()
}

/// What must be so, in plain sets.
#[derive(Default)]
struct Model {
    executed: BTreeMap<u8, BTreeSet<u64>>,
    waiting: BTreeSet<(u8, u64)>,
    proposed: BTreeSet<(u8, u64)>,
}

impl Model {
    /// The answer to a request.
    fn add(&mut self, client: u8, number: u64) -> String {
        let executed = self.executed.entry(client).or_default();
        let floor = (0..).find(|floor| !executed.contains(&(floor + 1))).expect("there is a first gap");
        let of_client = self.waiting.iter().chain(&self.proposed).filter(|(other, _)| *other == client).count();
        if number == 0 || number > floor + CLIENT_WINDOW {
            format!("to client: refused {number} OutsideWindow")
        } else if executed.contains(&number) {
            format!("resend {number}")
        } else if self.waiting.contains(&(client, number)) || self.proposed.contains(&(client, number)) {
            String::new()
        } else if self.waiting.len() + self.proposed.len() >= POOL || of_client as u64 >= CLIENT_WINDOW {
            format!("to client: busy {number}")
        } else {
            self.waiting.insert((client, number));
            String::new()
        }
    }

    /// A proposal takes what waits: within the limits, in order for each client, and of every client that waits.
    fn propose(&mut self, ids: &[(u8, u64)]) {
        assert!(!ids.is_empty() && ids.len() <= BATCH);
        let clients: BTreeSet<_> = self.waiting.iter().map(|(client, _)| *client).collect();
        assert_eq!(ids.iter().map(|(client, _)| *client).collect::<BTreeSet<_>>(), clients, "all who wait get a share");
        assert_eq!(ids.len(), self.waiting.len().min(BATCH), "no room is left while requests wait");
        for id in ids {
            let first = self.waiting.iter().find(|(client, _)| *client == id.0);
            assert_eq!(first, Some(id), "the requests of a client keep their order");
            self.waiting.remove(id);
            self.proposed.insert(*id);
        }
    }
}

struct Run {
    world: World,
    primary: Solo,
    model: Model,
    open: Vec<Proposal>,
}

impl Run {
    fn new() -> Self {
        let world = world();
        Run { primary: Solo::new(&world, 0), world, model: Model::default(), open: Vec::new() }
    }

    fn request(&mut self, client: u8, number: u64) {
        let actions = self.primary.request(self.world.request(client, number));
        let expected = self.model.add(client, number);
        let answer =
            outputs(&actions).into_iter().find(|line| line.starts_with("to client") || line.starts_with("resend"));
        assert_eq!(answer.unwrap_or_default(), expected);
        self.take(&actions);
    }

    fn take(&mut self, actions: &Actions) {
        for proposal in proposals(actions) {
            let batch = proposal.batch.clone().expect("a primary sends the body");
            let ids: Vec<_> = batch.requests().iter().map(|request| self.short(request.id)).collect();
            self.model.propose(&ids);
            self.open.push(proposal);
        }
        let pooled = self.model.waiting.len() + self.model.proposed.len();
        assert_eq!(self.primary.replica.load().0, pooled);
    }

    fn short(&self, id: RequestId) -> (u8, u64) {
        let client = (0..4).find(|client| self.world.client(*client) == id.client).expect("one of the four");
        (client, id.number.0)
    }

    /// The oldest proposal commits and executes.
    fn execute(&mut self) {
        if self.open.is_empty() {
            return;
        }
        let Proposal { header, batch } = self.open.remove(0);
        let place = (header.payload.view, header.payload.seq);
        let digest = header.payload.digest;
        let mut committed = Vec::new();
        for member in [1, 2] {
            committed.push(self.primary.receive(member, self.world.prepare(member, place, digest)));
        }
        for member in [1, 2] {
            committed.push(self.primary.receive(member, self.world.commit(member, place, digest)));
        }
        for actions in &committed {
            self.take(actions);
        }
        for request in batch.expect("it was checked").requests() {
            let (client, number) = self.short(request.id);
            self.model.proposed.remove(&(client, number));
            self.model.executed.entry(client).or_default().insert(number);
        }
        let last = committed.last().expect("four messages were received");
        let executed = self.primary.execute(last);
        self.take(&executed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn no_request_is_lost_or_proposed_twice_and_no_client_is_passed_over(
        steps in prop::collection::vec((any::<bool>(), 0u8..4, 0u64..9), 1..60),
    ) {
        let mut run = Run::new();
        for (executes, client, number) in steps {
            if executes { run.execute() } else { run.request(client, number) }
        }
        while !run.open.is_empty() {
            run.execute();
        }
        prop_assert_eq!(run.primary.replica.load().0, 0, "everything that was taken is executed in the end");
    }
}
