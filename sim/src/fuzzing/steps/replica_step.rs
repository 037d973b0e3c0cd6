//! What happens to a replica, step by step.

use quorate::ReplicaId;
use quorate::core::{Event, Space};
use quorate::messages::Message;

use super::lines::{draw_chorus, draw_line};
use super::stage::Stage;
use crate::choices::Choices;
use crate::fuzzing::cast::Cast;

/// No input makes more steps.
const STEPS_MAX: usize = 400;

/// Everything that can happen to a replica, as the bytes say.
pub fn replica_step(bytes: &[u8]) {
    let mut choices = Choices::from_bytes(bytes.to_vec());
    let id = choices.pick(&Cast::get().members());
    let mut stage = Stage::new(id);
    if !choices.chance(100) {
        stage.pass_start_check();
    }
    // Each step takes about three bytes.
    for _ in 0..(bytes.len() / 2).min(STEPS_MAX) {
        step(&mut stage, &mut choices);
    }
    stage.wait_for_deadline();
}

fn step(stage: &mut Stage, choices: &mut Choices) {
    let peer = peer(stage, choices);
    match choices.below(16) {
        0 => stage.wait_for_deadline(),
        1 => stage.wait(choices.pick(&[1, 20, 1_000, 60_000])),
        2 => stage.execute(),
        3 => stage.request(choices),
        4 => match choices.below(8) {
            0 => stage.restart(),
            1 => stage.step(Event::StepDown),
            2 => stage.step(Event::Disk(Space::Low)),
            3 => stage.step(Event::Disk(Space::Enough)),
            4 => stage.pass_start_check(),
            _ => stage.step(Event::Link { peer, up: choices.chance(500) }),
        },
        5 => stage.echo(peer, choices),
        6 | 7 => {
            for (peer, line) in draw_chorus(stage, choices) {
                stage.hear(peer, line);
            }
        }
        _ => {
            let line: Option<Message> = draw_line(stage, peer, choices);
            line.into_iter().for_each(|line| stage.hear(peer, line));
        }
    }
}

fn peer(stage: &Stage, choices: &mut Choices) -> ReplicaId {
    choices.pick(&stage.others())
}
