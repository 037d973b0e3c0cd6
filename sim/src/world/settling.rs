//! The end of a world: the network is calm, and everything must be answered and executed in time.

use std::time::Duration;

use quorate::execution::state_fetch::StateFetch;
use quorate::messages::Standing;

use super::network::nanoseconds;
use super::node::{Node, Running};
use super::queue::Event;
use super::serving::SimClient;
use super::world::World;
use crate::violation::Class;

/// How often progress is looked at once the network is calm.
const CHECK_EVERY: Duration = Duration::from_millis(200);

impl World {
    pub(super) fn on_calm(&mut self) {
        for id in self.ids() {
            self.node(id).disk.heal();
            if !self.is_running(id) {
                self.start(id);
            }
        }
        for cut in self.network.heal_all() {
            self.announce(&cut, true);
        }
        for client in 0..self.clients.len() {
            self.after(Duration::ZERO, Event::ClientWake { client });
        }
        self.after(CHECK_EVERY, Event::Check);
    }

    /// Looks whether everything that must have happened by now has.
    pub(super) fn on_check(&mut self) {
        let calm_at = nanoseconds(self.options.calm_at);
        let patience = nanoseconds(self.options.patience());
        let waiting = self.clients.iter().filter_map(SimClient::oldest_waiting).map(|since| since.max(calm_at)).min();
        if waiting.is_some_and(|since| self.now - since > patience) {
            let text = format!("an operation has no answer after {:?}; {}", self.options.patience(), self.standings());
            self.checks.report(Class::Liveness, "liveness", text);
        }
        if self.clients.iter().all(SimClient::is_done) {
            let since = *self.settling_since.get_or_insert(self.now);
            let comeback = self.options.patience() + self.options.comeback();
            if self.now - since > nanoseconds(comeback) {
                let text = format!("replicas lag for {comeback:?}; {}", self.standings());
                self.checks.report(Class::Liveness, "liveness", text);
            }
        }
        self.after(CHECK_EVERY, Event::Check);
    }

    /// Whether all operations are answered and every correct replica has executed everything.
    pub(super) fn is_settled(&self) -> bool {
        let last = self.checks.slots();
        let has_all = |node: &Node| {
            let is_back = |running: &Running| {
                running.executor.executed().0 == last && running.replica.standing() == Standing::Voting
            };
            node.running.as_ref().is_some_and(is_back)
        };
        self.clients.iter().all(SimClient::is_done) && self.nodes.iter().filter(|node| node.is_correct()).all(has_all)
    }

    fn standings(&self) -> String {
        let standing = |node: &Node| match &node.running {
            None => format!("{} is down", node.id()),
            Some(running) => {
                let replica = &running.replica;
                let (low, high) = replica.watermarks();
                let (ordered, executed) = replica.execution();
                let role = if node.is_correct() { "" } else { " (Byzantine)" };
                let (view, phase, standing) = (replica.view(), replica.phase(), replica.standing());
                let fetching = running.fetch.as_ref().map(StateFetch::goal);
                format!(
                    "{}{role}: view {view} {phase:?} {standing:?}, fetching {fetching:?}, window ({low}, {high}], ordered {ordered}, executed {executed}",
                    node.id()
                )
            }
        };
        self.nodes.iter().map(standing).collect::<Vec<_>>().join("; ")
    }
}
