//! What becomes of a core's actions, and what comes from outside: in production's order, without its delays.

use std::collections::BTreeSet;

use quorate::batch::CommittedBatch;
use quorate::core::{Actions, Event, Order, Outgoing, Recipients, Report};
use quorate::execution::{ReplicatedState, Replies};
use quorate::messages::{CheckpointCertificate, Message, Request};
use quorate::{ClientId, ReplicaId, RequestId, RequestNumber, SeqNum, Session};

use super::cast::Place;
use super::player::Player;
use super::world::{Flight, TwinWorld};
use crate::chart::Note;
use crate::tally::operation;
use crate::violation::Class;

impl TwinWorld {
    /// A core begins: its executor says where it stands.
    pub(super) fn begin(&mut self, place: Place) {
        let player = &self.players[place.index()];
        let member = player.member;
        let (recovered, installed) = (player.journal.recovered(), player.executor.installed());
        if player.is_correct {
            self.checks.on_start(member, &recovered);
            self.checks.on_installed(member, &installed);
        }
        self.step(place, Event::Executor(installed));
    }

    /// A correct replica that crashed starts again from its journal, and executes again what that holds.
    pub(super) fn restart(&mut self, place: Place) {
        let now = self.now;
        self.line(|world| format!("{} restarts", world.cast.name(place)));
        self.expected.retain(|_, places| {
            places.remove(&place);
            !places.is_empty()
        });
        let player = &mut self.players[place.index()];
        self.checks.on_crash(player.member);
        let recovered = player.journal.recovered();
        player.restart(now, recovered);
        let replay = player.journal.replay(player.executor.executed());
        let stable = player.journal.stable();
        self.begin(place);
        for batch in replay {
            self.apply(place, &batch, Replies::Withhold);
        }
        // The core does not order again what became stable before.
        if let Some(certificate) = stable {
            self.players[place.index()].executor.stable(certificate);
        }
    }

    /// The client hands a new request to these cores.
    pub(super) fn submit(&mut self, places: &[Place]) {
        self.requests += 1;
        let client = &self.common.client;
        let number = RequestNumber(self.requests);
        let id = RequestId { client: ClientId(client.public()), session: Session(1), number };
        let salt = u32::try_from(self.requests).unwrap_or(u32::MAX);
        let operation = operation(salt as u8, 1, salt);
        let request = Request::sign(&self.common.context, client, id, operation.clone());
        self.checks.on_submit(id, operation);
        let correct = places.iter().copied().filter(|place| self.players[place.index()].is_correct);
        let correct: BTreeSet<_> = correct.collect();
        if !correct.is_empty() {
            self.expected.insert(id, correct);
        }
        let request = self.verifier.request(request).expect("the client signs what the genesis allows");
        for place in places {
            self.step(*place, Event::Request(request.clone()));
        }
    }

    /// The checkers see what a step of a correct replica did before it looks at itself.
    pub(super) fn observe(&mut self, place: Place, actions: &Actions) {
        for notice in &actions.notices {
            self.line(|world| format!("    {} {}", world.cast.name(place), Note::of(notice).text));
        }
        let player = &self.players[place.index()];
        if player.is_correct {
            for record in &actions.persist {
                self.checks.on_record(player.member, record);
                self.watch.on_record(record);
            }
            for notice in &actions.notices {
                self.checks.on_notice(player.member, notice);
                self.watch.on_notice(place, notice);
            }
            self.checks.on_step(player.member, &player.replica);
        }
        if self.checks.violation().is_none() {
            player.replica.check_all_invariants();
        }
    }

    pub(super) fn act(&mut self, place: Place, actions: Actions) {
        let Actions { persist, send, execute, notices: _ } = actions;
        let player = &mut self.players[place.index()];
        self.checks.on_durable(player.member, &persist);
        player.journal.write(&persist);
        for outgoing in send {
            self.send(place, outgoing);
        }
        for order in execute {
            self.execute(place, order);
        }
    }

    fn send(&mut self, place: Place, outgoing: Outgoing) {
        match outgoing {
            Outgoing::Replica { to, message } => self.transmit(place, to, message),
            Outgoing::History { to, after, through } => {
                let slots = self.players[place.index()].journal.committed(after, through);
                let is_gone = slots.is_empty();
                let message = if is_gone { Message::HistoryGone { after } } else { Message::Committed(slots) };
                self.transmit(place, Recipients::One(to), message);
            }
            // The client asks once and for all; its answers are judged where they are made.
            Outgoing::Client { .. } => {}
        }
    }

    /// Puts a message on its way to those whom the round lets it reach.
    fn transmit(&mut self, place: Place, to: Recipients, message: Message) {
        let Player { member, is_correct, .. } = self.players[place.index()];
        if is_correct {
            self.checks.on_send(member, &message);
        } else {
            self.watch.on_twin_sends(place, member, &message);
        }
        let tells_of_commits = matches!(message, Message::Commit(_) | Message::Committed(_));
        let is_meant = |other: ReplicaId| match to {
            Recipients::Others => other != member,
            Recipients::One(one) => other == one && one != member,
        };
        let reaches = |to: &Place| self.round.lets_through(place, *to, tells_of_commits);
        let reached: Vec<_> = self.cast.places().filter(|to| is_meant(self.cast.member(*to)) && reaches(to)).collect();
        if reached.is_empty() {
            return;
        }
        let kind = message.kind();
        match self.verifier.message(message) {
            Ok(message) => {
                let flights = reached.into_iter().map(|to| Flight { from: member, to, message: message.clone() });
                self.flights.extend(flights);
            }
            Err(reason) if is_correct => {
                let text = format!("correct replica {member} sent an invalid {kind}: {reason}");
                self.checks.report(Class::Safety, "verify", text);
            }
            Err(_) => {}
        }
    }

    fn execute(&mut self, place: Place, order: Order) {
        let player = &mut self.players[place.index()];
        match order {
            Order::Apply(batch) => {
                player.wanted = None;
                if batch.seq > player.executor.executed() {
                    self.apply(place, &batch, Replies::Send);
                }
            }
            Order::Resend { to, id } => {
                if let Some(reply) = player.executor.resend(&id).filter(|_| player.is_correct) {
                    self.checks.on_reply(player.member, to, &reply);
                }
            }
            Order::Stable(certificate) => {
                player.executor.stable(certificate);
            }
            Order::CatchUpTo(certificate) => {
                player.wanted = Some(certificate);
                self.fetch_state(place);
            }
        }
    }

    fn apply(&mut self, place: Place, batch: &CommittedBatch, replies: Replies) {
        let player = &mut self.players[place.index()];
        if player.is_correct {
            self.checks.on_apply(player.member, batch.seq);
        }
        let applied = player.executor.apply(batch, replies);
        if player.is_correct {
            self.checks.on_executed(player.member, batch, &applied.report);
            if let Some(root) = applied.report.root {
                self.checks.on_state(player.member, &player.executor.snapshot().replicated(), root);
            }
            for (client, reply) in &applied.replies {
                self.checks.on_reply(player.member, *client, reply);
            }
            let in_attack = self.is_attacked();
            self.watch.on_executed(place, batch.seq, batch.digest, in_attack);
        }
        self.reports.push_back((place, Report::Executed(applied.report)));
    }

    /// A state comes at once, and whole, from whoever is reached and holds it: how it is fetched is not what is played here.
    pub(super) fn fetch_state(&mut self, place: Place) {
        let Some(wanted) = self.players[place.index()].wanted.clone() else { return };
        let holds = |other: &Place| self.round.lets_through(*other, place, false) && *other != place;
        let sources = self.cast.places().filter(holds);
        let states = sources.filter_map(|other| {
            let (certificate, snapshot) = self.players[other.index()].executor.certified()?;
            (certificate.seq() == wanted.seq()).then(|| snapshot.replicated())
        });
        let Some(state) = states.into_iter().next() else { return };
        let player = &mut self.players[place.index()];
        let installed = player.executor.install(state.clone(), Some(wanted.clone()));
        installed.expect("an honest core holds the certified state");
        player.wanted = None;
        self.keep_state(place, state, wanted);
    }

    fn keep_state(&mut self, place: Place, state: ReplicatedState, certificate: CheckpointCertificate) {
        let player = &mut self.players[place.index()];
        player.journal.keep(state, certificate);
        let report = player.executor.installed();
        if player.is_correct {
            self.checks.on_installed(player.member, &report);
        }
        self.reports.push_back((place, report));
    }

    /// The last slot that every correct replica has executed.
    #[must_use]
    pub fn executed(&self) -> SeqNum {
        let correct = self.players.iter().filter(|player| player.is_correct);
        correct.map(|player| player.executor.executed()).min().unwrap_or_default()
    }
}
