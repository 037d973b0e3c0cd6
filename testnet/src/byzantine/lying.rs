//! A behaviour of the simulator between the engine of a real process and its networks.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Instant;

use bytes::Bytes;
use quorate::messages::{ClientMessage, Message, ReplicaMessage};
use quorate::runtime::Transport;
use quorate::{ClientId, ReplicaId};
use quorate_crypto::Ed25519;
use quorate_node::NodeHome;
use quorate_node::wiring::{Gate, Wiring};
use quorate_sim::byzantine::{
    AttackPlan, Audience, Behaviour, Board, Heard, Liar, Parcel, Puppet, Stage, Subject, Trigger,
};
use quorate_sim::choices::Choices;
use quorate_sim::counters::Counters;

use super::lie::BehaviourName;
use super::post_office::PostOffice;

/// Puts a behaviour between an engine and its networks.
pub(crate) fn wire(home: &NodeHome, transport: Arc<dyn Transport>, behaviour: BehaviourName) -> Wiring {
    let lying = Arc::new_cyclic(|lying: &Weak<Lying>| {
        let (deliver, tick) = (Arc::clone(&transport), Weak::clone(lying));
        let office = PostOffice::open(
            move |parcel: Parcel| send(&*deliver, &parcel),
            move || {
                if let Some(lying) = tick.upgrade() {
                    lying.tick();
                }
            },
        );
        Lying { mind: Mutex::new(Mind::new(home, behaviour)), started: Instant::now(), transport, office }
    });
    Wiring { transport: Arc::clone(&lying) as Arc<dyn Transport>, gate: lying }
}

/// A replica that lies.
struct Lying {
    mind: Mutex<Mind>,
    started: Instant,
    transport: Arc<dyn Transport>,
    office: PostOffice<Parcel>,
}

/// What it lies with. A process has its own board: it colludes with nobody.
struct Mind {
    liar: Liar,
    choices: Choices,
    board: Board,
    counters: Counters,
}

impl Mind {
    fn new(home: &NodeHome, behaviour: BehaviourName) -> Self {
        let plans: Vec<_> =
            plans(behaviour).iter().map(|(behaviour, trigger)| plan(*behaviour, trigger.clone())).collect();
        Mind {
            liar: Liar::new(Puppet::new(&home.identity(), Arc::new(Ed25519)), &plans),
            choices: Choices::from_seed(u64::from(home.replica().0)),
            board: Board::default(),
            counters: Counters::default(),
        }
    }
}

fn plan(behaviour: Behaviour, trigger: Trigger) -> AttackPlan {
    AttackPlan { behaviour, trigger }
}

fn plans(behaviour: BehaviourName) -> Vec<(Behaviour, Trigger)> {
    let one = match behaviour {
        BehaviourName::Equivocate => Behaviour::Equivocate { ways: 2 },
        BehaviourName::Silent => Behaviour::Silence(Subject::Everything, Audience::All),
        BehaviourName::Slow => Behaviour::Slow,
        BehaviourName::Censor => Behaviour::Censor { client: 0 },
        BehaviourName::WrongCheckpoint => Behaviour::WrongCheckpoint(Audience::All),
        BehaviourName::ConflictingVotes => Behaviour::ConflictingVotes,
        BehaviourName::MisleadingNewView => Behaviour::MisleadingNewView,
        BehaviourName::Replays => Behaviour::Replays,
        BehaviourName::Flood => Behaviour::Flood,
        BehaviourName::Mutate => {
            let some = || Trigger::Probability(300);
            return vec![(Behaviour::MutatedStatements, some()), (Behaviour::MutatedCertificates, some())];
        }
        BehaviourName::LyingReplies => Behaviour::LyingReplies,
        BehaviourName::LyingStatus => Behaviour::LyingStatus,
    };
    vec![(one, Trigger::Always)]
}

impl Lying {
    fn ask<T>(&self, ask: impl FnOnce(&mut Liar, Stage<'_>) -> T) -> T {
        let mut mind = self.mind.lock().unwrap_or_else(PoisonError::into_inner);
        let Mind { liar, choices, board, counters } = &mut *mind;
        ask(liar, Stage { now: self.started.elapsed(), choices, board, counters })
    }

    fn post(&self, parcels: Vec<Parcel>) {
        for parcel in parcels {
            if parcel.delay.is_zero() {
                send(&*self.transport, &parcel);
            } else {
                self.office.post(parcel.delay, parcel);
            }
        }
    }

    fn tick(&self) {
        let said = self.ask(Liar::on_tick);
        self.post(said);
    }
}

fn send(transport: &dyn Transport, parcel: &Parcel) {
    let frame = parcel.message.encode();
    for to in &parcel.to {
        transport.to_replica(*to, parcel.message.is_bulk(), frame.clone());
    }
}

impl Transport for Lying {
    fn to_replica(&self, to: ReplicaId, bulk: bool, frame: Bytes) {
        match Message::decode(&frame) {
            Ok(message) => {
                let parcels = self.ask(|liar, stage| liar.on_send(stage, &[to], message));
                self.post(parcels);
            }
            Err(_) => self.transport.to_replica(to, bulk, frame),
        }
    }

    fn to_client(&self, to: ClientId, frame: Bytes) {
        let frame = match ReplicaMessage::decode(&frame) {
            Ok(reply) => self.ask(|liar, stage| liar.on_reply(stage, reply)).map(|told| told.encode()),
            Err(_) => Some(frame),
        };
        if let Some(frame) = frame {
            self.transport.to_client(to, frame);
        }
    }
}

impl Gate for Lying {
    fn admits_member(&self, from: ReplicaId, frame: &Bytes) -> bool {
        let Ok(message) = Message::decode(frame) else { return true };
        let (heard, said) = self.ask(|liar, stage| liar.on_receive(stage, from, &message));
        self.post(said);
        heard == Heard::Everything
    }

    fn admits_client(&self, _: ClientId, frame: &Bytes) -> bool {
        let Ok(ClientMessage::Request(request)) = ClientMessage::decode(frame) else { return true };
        let (heard, said) = self.ask(|liar, stage| liar.on_request(stage, &request));
        self.post(said);
        heard == Heard::Everything
    }
}
