//! The end of a world: the network is calm, and everything must be answered and executed in time.

use std::time::Duration;

use quorate::ReplicaId;
use quorate::SeqNum;
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
    /// The global stabilisation time: from here on the network, and all that are not left broken, behave.
    pub(super) fn on_calm(&mut self) {
        self.line(|| "the network calms down; whoever is down starts".to_owned());
        self.on_hold_ends();
        self.end_latent();
        if self.options.faults.clock_jumps > 0 {
            self.set_clocks();
        }
        let cuts = self.network.heal_all();
        self.draw_aftermath();
        for id in self.ids() {
            self.node(id).disk.heal();
            if !self.is_running(id) {
                self.start(id);
            }
        }
        for cut in cuts {
            self.announce(&cut, true);
        }
        self.forsake();
        let correct: Vec<_> = self.nodes.iter().filter(|node| node.is_correct()).map(Node::id).collect();
        let said = correct.iter().map(|id| self.checks.promised(*id).view).max().unwrap_or_default();
        self.aftermath.view = said.max(self.highest_target(correct.into_iter()));
        for client in 0..self.clients.len() {
            self.clients[client].ask_for_more(self.options.clients.late_operations);
            self.after(Duration::ZERO, Event::ClientWake { client });
        }
        self.after(CHECK_EVERY, Event::Check);
    }

    /// Looks whether everything that must have happened by now has.
    pub(super) fn on_check(&mut self) {
        let calm_at = nanoseconds(self.options.calm_at);
        self.aftermath.recovers |= self.aftermath.connected.iter().any(|id| self.is_recovering(*id));
        // Every one of n-f connected replicas is needed.
        let comes_back = if self.aftermath.recovers { self.options.comeback() } else { Duration::ZERO };
        let longest = self.options.patience() + comes_back;
        let patience = nanoseconds(longest);
        let waiting = self.clients.iter().filter_map(SimClient::oldest_waiting).map(|since| since.max(calm_at)).min();
        if waiting.is_some_and(|since| self.now - since > patience) {
            let text = format!("an operation has no answer after {longest:?}; {}", self.standings());
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
        self.check_view_changes();
        self.after(CHECK_EVERY, Event::Check);
    }

    fn is_recovering(&self, id: ReplicaId) -> bool {
        let recovers = |running: &Running| matches!(running.replica.standing(), Standing::Recovering { .. });
        self.node(id).running.as_ref().is_some_and(recovers)
    }

    /// A calm cluster comes to a view in which it stays.
    fn check_view_changes(&mut self) {
        let Some(most) = self.options.view_changes_max() else { return };
        let highest = self.highest_target(self.aftermath.connected.iter().copied());
        let executed = SeqNum(self.checks.slots());
        if self.options.is_timeout_short() && executed > std::mem::replace(&mut self.aftermath.progress, executed) {
            self.aftermath.view = self.aftermath.view.max(highest);
        }
        // With f faulty ones each connected replica is needed. One that is beyond its window catches up first, and nobody
        // can serve it within T: until then views may pass.
        let at_calm = self.aftermath.executed;
        let is_near =
            |running: &Running| running.replica.watermarks().1 >= executed && running.executor.executed() >= at_calm;
        if !self.are_connected(is_near) {
            self.aftermath.view = self.aftermath.view.max(highest);
            self.aftermath.readmissions = 0;
            return;
        }
        let further = highest.0.saturating_sub(self.aftermath.view.0);
        let allowed = most * (1 + self.aftermath.readmissions);
        if further > allowed {
            let text =
                format!("{further} view changes after the network calmed down, {allowed} may be; {}", self.standings());
            self.checks.report(Class::Liveness, "view-changes", text);
        }
    }

    /// Whether all operations are answered and every correct replica that is not left broken has executed everything.
    pub(super) fn is_settled(&self) -> bool {
        let last = self.checks.slots();
        self.clients.iter().all(SimClient::is_done)
            && self.are_connected(|running| running.executor.executed().0 == last)
    }

    /// Whether all connected replicas run, vote and are so.
    fn are_connected(&self, predicate: impl Fn(&Running) -> bool) -> bool {
        let is_so = |running: &Running| running.replica.standing() == Standing::Voting && predicate(running);
        let mut connected = self.aftermath.connected.iter().map(|id| self.node(*id));
        connected.all(|node| node.running.as_ref().is_some_and(is_so))
    }

    fn standings(&self) -> String {
        let standing = |node: &Node| match &node.running {
            None => format!("{} is down", node.id()),
            Some(running) => {
                let replica = &running.replica;
                let (low, high) = replica.watermarks();
                let (ordered, executed) = replica.execution();
                let role = match self.fate(node.id()) {
                    Some(fate) => format!(" ({fate:?})"),
                    None if node.is_correct() => String::new(),
                    None => " (Byzantine)".to_owned(),
                };
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
