//! A Byzantine replica: its attacks, one after the other, between its honest core and everybody else.

use quorate::ReplicaId;
use quorate::messages::{Message, ReplicaMessage, Request};

use super::attack::{Attack, Heard, Parcel, Worth};
use super::behaviour::AttackPlan;
use super::puppet::Puppet;
use super::scene::{Scene, Stage};
use super::trigger::{Place, Trigger};

/// A Byzantine replica.
#[derive(Debug)]
pub struct Liar {
    puppet: Puppet,
    acts: Vec<Act>,
    place: Place,
}

#[derive(Debug)]
struct Act {
    attack: Box<dyn Attack>,
    trigger: Trigger,
}

impl Liar {
    /// A Byzantine replica that does all of this.
    #[must_use]
    pub fn new(puppet: Puppet, plans: &[AttackPlan]) -> Self {
        let acts = plans.iter().map(|plan| Act { attack: plan.behaviour.build(), trigger: plan.trigger.clone() });
        Liar { acts: acts.collect(), puppet, place: Place::default() }
    }

    /// What leaves when its honest core sends `message` to these members. What an attack forges or sends by itself is
    /// not changed by the next one.
    pub fn on_send(&mut self, mut stage: Stage<'_>, to: &[ReplicaId], message: Message) -> Vec<Parcel> {
        self.place.follow(&message);
        let (mut sent, mut parcels) = (Vec::new(), vec![Parcel::new(to.to_vec(), message)]);
        for act in &mut self.acts {
            let mut scene = act.trigger.scene(&self.puppet, self.place, &mut stage, &mut sent);
            let mut left = Vec::with_capacity(parcels.len());
            for parcel in parcels {
                match parcel.worth {
                    Worth::Forged => left.push(parcel),
                    Worth::Unknown => left.extend(act.attack.on_send(parcel, &mut scene)),
                }
            }
            parcels = left;
        }
        parcels.extend(sent);
        parcels.retain(|parcel| !parcel.to.is_empty());
        parcels
    }

    /// What its honest core gets to see of a message, and what leaves because of it.
    pub fn on_receive(&mut self, stage: Stage<'_>, from: ReplicaId, message: &Message) -> (Heard, Vec<Parcel>) {
        self.hear(stage, |attack, scene| attack.on_receive(from, message, scene))
    }

    /// What its honest core gets to see of a client's request, and what leaves because of it.
    pub fn on_request(&mut self, stage: Stage<'_>, request: &Request) -> (Heard, Vec<Parcel>) {
        self.hear(stage, |attack, scene| attack.on_request(request, scene))
    }

    /// What it tells a client instead of this.
    pub fn on_reply(&mut self, mut stage: Stage<'_>, reply: ReplicaMessage) -> Option<ReplicaMessage> {
        let mut sent = Vec::new();
        self.acts.iter_mut().try_fold(reply, |reply, act| {
            let mut scene = act.trigger.scene(&self.puppet, self.place, &mut stage, &mut sent);
            act.attack.on_reply(reply, &mut scene)
        })
    }

    /// What it sends by itself now.
    pub fn on_tick(&mut self, mut stage: Stage<'_>) -> Vec<Parcel> {
        let mut sent = Vec::new();
        for act in &mut self.acts {
            let mut scene = act.trigger.scene(&self.puppet, self.place, &mut stage, &mut sent);
            act.attack.on_tick(&mut scene);
        }
        sent
    }

    /// The first attack that does not let everything pass decides what is heard.
    fn hear(
        &mut self,
        mut stage: Stage<'_>,
        mut ask: impl FnMut(&mut dyn Attack, &mut Scene<'_>) -> Heard,
    ) -> (Heard, Vec<Parcel>) {
        let (mut heard, mut sent) = (Heard::Everything, Vec::new());
        for act in &mut self.acts {
            let mut scene = act.trigger.scene(&self.puppet, self.place, &mut stage, &mut sent);
            let said = ask(&mut *act.attack, &mut scene);
            if heard == Heard::Everything {
                heard = said;
            }
        }
        (heard, sent)
    }
}

impl Trigger {
    fn scene<'a>(
        &'a self,
        puppet: &'a Puppet,
        place: Place,
        stage: &'a mut Stage<'_>,
        sent: &'a mut Vec<Parcel>,
    ) -> Scene<'a> {
        let Stage { now, choices, board, counters } = stage;
        Scene { puppet, now: *now, choices, board, place, counters, trigger: self, sent }
    }
}
