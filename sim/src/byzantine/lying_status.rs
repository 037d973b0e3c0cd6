//! A replica that says of itself what is not so: far ahead, far behind, always suspecting, unable to vote.

use quorate::messages::{Bounds, Message, Standing, Status};
use quorate::{SeqNum, View};
use quorate_crypto::Digest;

use super::attack::{Attack, Parcel};
use super::scene::Scene;
use crate::counters::Counter;

/// The attack.
#[derive(Debug)]
pub struct LyingStatus;

impl LyingStatus {
    fn lie(status: Status, scene: &mut Scene<'_>) -> Status {
        let far = scene.choices.pick(&[1, 8, 1 << 20, u64::MAX]);
        match scene.choices.below(7) {
            0 => Status { executed: status.executed.plus(far), chain: Digest::ZERO, ..status },
            1 => Status { stable: status.stable.plus(far), executed: status.executed.plus(far), ..status },
            2 => Status { stable: SeqNum::GENESIS, executed: SeqNum::GENESIS, ..status },
            3 => Status { view: status.view.plus(far), ..status },
            4 => Status { view: View(0), target: Some(status.view.plus(far)), ..status },
            5 => Status { suspects: true, ..status },
            _ => Status { standing: Self::standing(&status, far, scene), ..status },
        }
    }

    fn standing(status: &Status, far: u64, scene: &mut Scene<'_>) -> Standing {
        let bounds = Bounds { view: status.view.plus(2), seq: status.executed.plus(far) };
        scene.choices.pick(&[
            Standing::LowDisk,
            Standing::Checking,
            Standing::Recovering { bounds: None },
            Standing::Recovering { bounds: Some(bounds) },
        ])
    }
}

impl Attack for LyingStatus {
    fn on_send(&mut self, parcel: Parcel, scene: &mut Scene<'_>) -> Vec<Parcel> {
        let Message::Status(status) = &parcel.message else { return vec![parcel] };
        if !scene.strikes(&parcel.message) {
            return vec![parcel];
        }
        scene.count(Counter::LyingStatuses);
        let lie = Message::Status(Self::lie(status.clone(), scene));
        vec![parcel.with(lie)]
    }
}
