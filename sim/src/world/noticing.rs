//! What the cores let know: for the checkers, the counters and the transcript.

use quorate::core::{Notice, Rejection, Space, StepDownCause, ViewChangeCause};
use quorate::{ReplicaId, SeqNum};

use super::world::World;
use crate::chart::Note;
use crate::counters::Counter;

/// So many targets in a row without a view count as backing off.
const BACK_OFFS: u32 = 3;

impl World {
    pub(super) fn on_notice(&mut self, id: ReplicaId, notice: &Notice) {
        self.checks.on_notice(id, notice);
        self.mark(id, || Note::of(notice));
        self.let_go_after(id, notice);
        let counter = match notice {
            Notice::Rejected { kind, reason, .. } => counter_of(kind, reason),
            Notice::RequestForwarded(_) => Some(Counter::Forwarded),
            Notice::Proposed { seq, .. } => self.is_last_of_window(id, *seq).then_some(Counter::FullWindows),
            Notice::ViewChangeStarted { cause, .. } => {
                self.count_target(id);
                Some(match cause {
                    ViewChangeCause::Suspicion => Counter::Suspicions,
                    ViewChangeCause::PrimaryAsked => Counter::PrimaryAsked,
                    ViewChangeCause::Join => Counter::Joins,
                    ViewChangeCause::NewViewLate => Counter::LateNewViews,
                })
            }
            Notice::ViewEntered { re_proposed, null_filled, .. } => {
                if let Some(running) = &mut self.node_mut(id).running {
                    running.targets = 0;
                }
                self.counters.add_many(Counter::ReProposals, u64::from(*re_proposed > 0));
                self.counters.add_many(Counter::NullFills, u64::from(*null_filled > 0));
                Some(Counter::ViewsEntered)
            }
            Notice::SteppedDown { cause: StepDownCause::Readmission(_) } => {
                self.aftermath.readmissions += 1;
                Some(Counter::Readmissions)
            }
            Notice::CheckpointStable { .. } => Some(Counter::StableCheckpoints),
            Notice::VoteDelayed { .. } => Some(Counter::VotesDelayed),
            Notice::CatchingUp { .. } => Some(Counter::CatchUps),
            Notice::Evidence(_) => Some(Counter::Evidence),
            Notice::StartChecked { .. } => Some(Counter::StartsChecked),
            Notice::PromisesLost(_) => Some(Counter::LossesNoticed),
            Notice::RecoveryBounded { .. } => Some(Counter::RecoveriesBounded),
            Notice::Recovered { .. } => Some(Counter::Recoveries),
            Notice::DiskSpace(Space::Low) => Some(Counter::FullDisks),
            Notice::StateTransferStarted { .. } => Some(Counter::TransfersStarted),
            Notice::StateInstalled { .. } => Some(Counter::TransfersDone),
            Notice::WindowFull { .. } => Some(Counter::Stalls),
            Notice::RequestPooled(_)
            | Notice::Prepared { .. }
            | Notice::Committed { .. }
            | Notice::Executed { .. }
            | Notice::Suspected { .. }
            | Notice::SuspicionWithdrawn { .. }
            | Notice::SteppedDown { cause: StepDownCause::Operator }
            | Notice::Diverged { .. }
            | Notice::DivergedAt { .. }
            | Notice::DiskSpace(Space::Enough)
            | Notice::StateDiscarded { .. }
            | Notice::Halted => None,
        };
        if let Some(counter) = counter {
            self.counters.add(counter);
        }
    }

    /// Whether the primary must wait for a checkpoint after this proposal.
    fn is_last_of_window(&self, id: ReplicaId, seq: SeqNum) -> bool {
        self.node(id).running.as_ref().is_some_and(|running| running.replica.watermarks().1 == seq)
    }

    fn count_target(&mut self, id: ReplicaId) {
        let Some(running) = &mut self.node_mut(id).running else { return };
        running.targets += 1;
        if running.targets >= BACK_OFFS {
            self.counters.add(Counter::BackOffs);
        }
    }
}

fn counter_of(kind: &str, reason: &Rejection) -> Option<Counter> {
    match reason {
        Rejection::Duplicate if matches!(kind, "prepare" | "commit" | "checkpoint") => Some(Counter::DuplicateVotes),
        Rejection::Duplicate => Some(Counter::Duplicates),
        Rejection::OutsideWindow { .. } => Some(Counter::OutsideWindow),
        Rejection::FutureView { .. } => Some(Counter::FutureViews),
        Rejection::OldView { .. }
        | Rejection::ViewInactive
        | Rejection::AssignedByNewView { .. }
        | Rejection::Equivocation { .. }
        | Rejection::WrongSender
        | Rejection::NotAskedFor
        | Rejection::RateLimited
        | Rejection::BodyMissing
        | Rejection::PoolFull
        | Rejection::WrongReProposals
        | Rejection::NotVoting => None,
    }
}
