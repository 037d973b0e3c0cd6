//! The cores of a scenario in lockstep: messages take no time, and time passes only when nothing is under way.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use quorate::core::{Event, Report};
use quorate::messages::{Message, Standing, Verified, Verifier};
use quorate::{ReplicaId, RequestId};

use super::cast::{Cast, Place};
use super::player::{Common, Player, TIMEOUT};
use super::scenario::Round;
use super::watch::Watch;
use crate::chart::Statement;
use crate::checkers::{Checks, Posture, Turn};
use crate::violation::{Class, Violation};

/// How much longer than a time-out a round lasts, so that what follows from it belongs to the round.
const ROUND_TAIL: Duration = Duration::from_millis(1);
/// How long everything may take until it is executed once everybody reaches everybody.
const PATIENCE: Duration = TIMEOUT.saturating_mul(12);
/// No scenario is that long.
const STEPS_MAX: u64 = 200_000;

/// A message on its way.
#[derive(Clone, Debug)]
pub(super) struct Flight {
    pub from: ReplicaId,
    pub to: Place,
    pub message: Verified<Message>,
}

/// A cast at some moment of its scenario.
#[derive(Clone, Debug)]
pub struct TwinWorld {
    pub(super) cast: Cast,
    pub(super) common: Common,
    pub(super) verifier: Arc<Verifier>,
    pub(super) players: Vec<Player>,
    /// Who reaches whom now.
    pub(super) round: Round,
    pub(super) flights: VecDeque<Flight>,
    pub(super) reports: VecDeque<(Place, Report)>,
    pub(super) checks: Checks,
    pub(super) watch: Watch,
    /// How many requests were handed in.
    pub(super) requests: u64,
    /// The correct replicas that got them and did not restart since: pools are not durable.
    pub(super) expected: BTreeMap<RequestId, BTreeSet<Place>>,
    /// Whether the world goes on after something was broken.
    pub(super) outlives_violations: bool,
    /// Whether what happens is printed.
    pub(super) narrates: bool,
    pub(super) now: u64,
    rounds: usize,
    is_healing: bool,
    steps: u64,
}

impl TwinWorld {
    /// A cast that has started: everybody has passed the check at the start.
    #[must_use]
    pub fn new(cast: &Cast) -> Self {
        let common = Common::new(cast);
        let correct: BTreeSet<_> = cast.correct().collect();
        let mut world = TwinWorld {
            verifier: Arc::new(Verifier::new(Arc::clone(&common.genesis), common.context.clone(), 0)),
            players: cast.places().map(|place| Player::new(&common, cast, place)).collect(),
            round: Round::healed(cast),
            flights: VecDeque::new(),
            reports: VecDeque::new(),
            checks: Checks::new(&common.genesis, &common.config, correct),
            watch: Watch::default(),
            requests: 0,
            expected: BTreeMap::new(),
            outlives_violations: false,
            narrates: false,
            now: 0,
            rounds: 0,
            is_healing: false,
            steps: 0,
            cast: cast.clone(),
            common,
        };
        for place in world.cast.places() {
            world.begin(place);
        }
        world.run_until(nanoseconds(TIMEOUT));
        world
    }

    /// The same, printing what happens.
    #[must_use]
    pub fn narrating(cast: &Cast) -> Self {
        let mut world = TwinWorld::new(cast);
        world.narrates = true;
        world
    }

    /// Plays one round of the attack: each group gets a request of its own, and one time-out passes. Then those who have
    /// made no progress have asked for another view.
    pub fn play(&mut self, round: &Round) {
        self.rounds += 1;
        self.begin_round(round.clone());
        if let Some(place) = round.restarted {
            self.restart(place);
        }
        for group in 0..round.group_count() {
            let places: Vec<_> = round.group(group).collect();
            self.submit(&places);
        }
        self.run_until(self.now + nanoseconds(TIMEOUT + ROUND_TAIL));
    }

    /// Everybody reaches everybody, and one more request comes: it and all that correct replicas know of must be executed.
    pub fn heal(&mut self) {
        self.is_healing = true;
        self.begin_round(Round::healed(&self.cast));
        let places: Vec<_> = self.cast.places().collect();
        self.submit(&places);
        let until = self.now + nanoseconds(PATIENCE);
        self.settle();
        while !self.is_healed() && !self.is_over() {
            if self.now >= until {
                let text = format!("no agreement {PATIENCE:?} after the last round: {}", self.standings());
                self.checks.report(Class::Liveness, "liveness", text);
                return;
            }
            self.advance(until);
        }
    }

    /// What was broken, if anything.
    #[must_use]
    pub fn violation(&self) -> Option<&Violation> {
        self.checks.violation()
    }

    /// What happened.
    #[must_use]
    pub fn watch(&self) -> &Watch {
        &self.watch
    }

    /// How many events the cores handled.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// How much virtual time has passed.
    #[must_use]
    pub fn lasted(&self) -> Duration {
        Duration::from_nanos(self.now)
    }

    pub(super) fn is_attacked(&self) -> bool {
        !self.is_healing
    }

    fn begin_round(&mut self, round: Round) {
        self.watch.round += 1;
        self.round = round;
        self.line(|world| {
            let what = if world.is_healing { "healed" } else { "round" };
            format!("--- {what} {}: {}", world.rounds, world.round.describe(&world.cast))
        });
    }

    /// Lets time pass until `end`.
    fn run_until(&mut self, end: u64) {
        self.settle();
        while self.now < end && !self.is_over() {
            self.advance(end);
        }
    }

    /// Whether nothing more needs to be seen.
    fn is_over(&self) -> bool {
        let is_broken = self.checks.violation().is_some();
        is_broken && (!self.outlives_violations || self.watch.fork().is_some() || self.steps > STEPS_MAX)
    }

    /// Goes on to the next deadline, at most to `end`.
    fn advance(&mut self, end: u64) {
        let due = self.players.iter().map(Player::deadline).min().unwrap_or(end);
        self.now = due.clamp(self.now, end);
        for place in self.cast.places() {
            if self.players[place.index()].deadline() <= self.now {
                self.step(place, Event::DeadlineReached);
            }
            self.fetch_state(place);
        }
        self.settle();
    }

    /// Hands over all messages and reports until nothing is under way.
    fn settle(&mut self) {
        while !self.is_over() {
            if let Some((place, report)) = self.reports.pop_front() {
                self.step(place, Event::Executor(report));
            } else if let Some(Flight { from, to, message }) = self.flights.pop_front() {
                self.step(to, Event::Message { from, message });
            } else {
                return;
            }
        }
    }

    /// Hands an event to a core and does what it wants.
    pub(super) fn step(&mut self, place: Place, event: Event) {
        self.steps += 1;
        if self.steps > STEPS_MAX {
            let text = format!("no end after {STEPS_MAX} steps: {}", self.standings());
            self.checks.report(Class::Liveness, "liveness", text);
        }
        let world = self.now;
        self.narrate(place, &event);
        let player = &mut self.players[place.index()];
        let now = player.now(world);
        let before = Posture::of(&player.replica);
        player.replica.step(now, event);
        let actions = player.replica.take_actions();
        let turn = Turn { before, after: Posture::of(&player.replica) };
        for record in &actions.persist {
            self.checks.on_record_of(player.member, turn, record);
        }
        self.observe(place, &actions);
        self.act(place, actions);
    }

    /// Whether the correct replicas have executed the same, and everything that any of them knows of: nothing waits.
    fn is_healed(&self) -> bool {
        let mut correct = self.players.iter().filter(|player| player.is_correct);
        let Some(first) = correct.next() else { return true };
        let position = (first.executor.executed(), first.replica.chain());
        let is_there = |player: &Player| {
            (player.executor.executed(), player.replica.chain()) == position
                && player.replica.standing() == Standing::Voting
                && player.replica.load().0 == 0
        };
        is_there(first)
            && correct.all(is_there)
            && self.expected.keys().all(|request| first.executor.resend(request).is_some())
    }

    fn standings(&self) -> String {
        let standing = |place: Place| {
            let replica = &self.players[place.index()].replica;
            let (view, phase, standing) = (replica.view(), replica.phase(), replica.standing());
            let (low, high) = replica.watermarks();
            let (ordered, executed) = replica.execution();
            let name = self.cast.name(place);
            let (waiting, suspicion) = (replica.load().0, replica.suspicion());
            format!(
                "{name}: view {view} {phase:?} {standing:?} suspects {suspicion:?}, window ({low}, {high}], \
                 ordered {ordered}, executed {executed}, {waiting} requests"
            )
        };
        self.cast.places().map(standing).collect::<Vec<_>>().join("; ")
    }

    pub(super) fn line(&self, text: impl FnOnce(&Self) -> String) {
        if self.narrates {
            println!("{:>9.3} {}", Duration::from_nanos(self.now).as_secs_f64(), text(self));
        }
    }

    fn narrate(&self, place: Place, event: &Event) {
        self.line(|world| {
            let name = world.cast.name(place);
            match event {
                Event::Message { from, message } => {
                    format!("{from} -> {name}: {}", Statement::of(message.get(), 0).label())
                }
                Event::Request(request) => format!("client -> {name}: {}", Statement::of_request(request, 0).label()),
                Event::Executor(_) => format!("{name} hears of its executor"),
                Event::DeadlineReached => format!("{name} is woken"),
                Event::Link { .. } | Event::Disk(_) | Event::StepDown => format!("{name} {event:?}"),
            }
        });
    }
}

pub(super) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
