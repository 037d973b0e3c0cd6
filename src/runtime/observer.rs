//! Turns the core's notices into logs and metrics, and hands evidence to whoever keeps it. It only looks.

use std::path::PathBuf;
use std::sync::Arc;

use super::metrics::Metrics;
use super::rate_limit::RateLimit;
use super::replica_view::in_words;
use crate::core::{Evidence, LostPromises, Notice, Recovery, Space, TransferCause, ViewChangeCause};
use crate::messages::Bounds;
use crate::types::Instant;

/// Files of evidence that are kept at most.
const EVIDENCE_FILES_MAX: usize = 64;

/// Sees every notice of one replica.
pub(super) struct Observer {
    metrics: Arc<Metrics>,
    rate_limit: RateLimit,
    evidence: PathBuf,
}

impl Observer {
    /// An observer that keeps evidence in this folder.
    pub(super) fn new(metrics: Arc<Metrics>, evidence: PathBuf) -> Self {
        Observer { metrics, rate_limit: RateLimit::default(), evidence }
    }

    /// Looks at notices.
    pub(super) fn observe(&mut self, notices: &[Notice], now: Instant) {
        for notice in notices {
            self.count(notice);
            self.log(notice, now);
            if let Notice::Evidence(evidence) = notice {
                self.keep(evidence);
            }
        }
    }

    fn count(&self, notice: &Notice) {
        let metrics = &self.metrics;
        match notice {
            Notice::Rejected { kind, .. } => {
                metrics.messages_rejected.get_or_create(&vec![("kind", (*kind).to_owned())]).inc();
            }
            Notice::RequestForwarded(_) => {
                metrics.requests_forwarded.inc();
            }
            Notice::Committed { .. } => {
                metrics.slots_committed.inc();
            }
            Notice::Executed { seq, requests, .. } => {
                metrics.slots_executed.inc();
                metrics.requests_executed.inc_by(*requests as u64);
                metrics.executed_slot.set(seq.0);
            }
            Notice::CheckpointStable { seq, .. } => {
                metrics.checkpoints_stable.inc();
                metrics.low_watermark_slot.set(seq.0);
            }
            Notice::Suspected { cause, .. } => {
                metrics.suspicions.get_or_create(&vec![("cause", format!("{cause:?}"))]).inc();
            }
            Notice::ViewChangeStarted { .. } => {
                metrics.view_changes.inc();
            }
            Notice::ViewEntered { view, .. } => {
                metrics.views_entered.inc();
                metrics.view_number.set(view.0);
            }
            Notice::CatchingUp { .. } => {
                metrics.slots_fetched.inc();
            }
            Notice::Evidence(_) => {
                metrics.evidence_found.inc();
            }
            Notice::RequestPooled(_)
            | Notice::Proposed { .. }
            | Notice::WindowFull { .. }
            | Notice::VoteDelayed { .. }
            | Notice::Prepared { .. }
            | Notice::SuspicionWithdrawn { .. }
            | Notice::SteppedDown { .. }
            | Notice::Diverged { .. }
            | Notice::DivergedAt { .. }
            | Notice::Halted
            | Notice::StartChecked { .. }
            | Notice::PromisesLost(_)
            | Notice::RecoveryBounded { .. }
            | Notice::Recovered { .. }
            | Notice::DiskSpace(_)
            | Notice::StateTransferStarted { .. }
            | Notice::StateInstalled { .. }
            | Notice::StateDiscarded { .. } => {}
        }
    }

    fn log(&mut self, notice: &Notice, now: Instant) {
        let (kind, peer) = match notice {
            Notice::Rejected { from, kind, .. } => (*kind, from.0),
            Notice::Evidence(_) => ("evidence", u16::MAX),
            Notice::CatchingUp { from, .. } => ("catching_up", from.0),
            Notice::Suspected { .. } | Notice::SuspicionWithdrawn { .. } => ("suspicion", u16::MAX),
            Notice::ViewChangeStarted { .. } | Notice::ViewEntered { .. } | Notice::SteppedDown { .. } => {
                ("view", u16::MAX)
            }
            Notice::CheckpointStable { .. } | Notice::WindowFull { .. } => ("checkpoint", u16::MAX),
            Notice::Diverged { .. }
            | Notice::DivergedAt { .. }
            | Notice::Halted
            | Notice::StateTransferStarted { .. }
            | Notice::StateInstalled { .. }
            | Notice::StateDiscarded { .. } => ("state", u16::MAX),
            Notice::StartChecked { .. }
            | Notice::PromisesLost(_)
            | Notice::RecoveryBounded { .. }
            | Notice::Recovered { .. } => ("recovery", u16::MAX),
            Notice::DiskSpace(_) => ("disk", u16::MAX),
            Notice::VoteDelayed { .. } => ("clock", u16::MAX),
            // What every request causes is logged at the level `trace` only.
            Notice::RequestPooled(_)
            | Notice::RequestForwarded(_)
            | Notice::Proposed { .. }
            | Notice::Prepared { .. }
            | Notice::Committed { .. }
            | Notice::Executed { .. } => {
                tracing::trace!(?notice);
                return;
            }
        };
        match self.rate_limit.admit(kind, peer, now) {
            Some(0) => write_line(notice),
            Some(left_out) => {
                // At the lowest level of the lines it stands for, so that it never comes without one.
                tracing::debug!(kind, "{left_out} lines like the next one were left out");
                write_line(notice);
            }
            None => {}
        }
    }

    /// Evidence is written once and bounded in number; that it cannot be written is said and no reason to stop.
    fn keep(&self, evidence: &Evidence) {
        let result = std::fs::read_dir(&self.evidence).map(Iterator::count).and_then(|count| {
            if count >= EVIDENCE_FILES_MAX {
                return Ok(());
            }
            std::fs::write(self.evidence.join(format!("{count:03}.txt")), format!("{evidence:#?}\n"))
        });
        if let Err(error) = result {
            tracing::warn!(%error, "cannot keep evidence in {}", self.evidence.display());
        }
    }
}

fn write_line(notice: &Notice) {
    match notice {
        Notice::Rejected { from, kind, reason } => tracing::debug!(%from, kind, "not taken: {reason}"),
        Notice::Suspected { view, cause } => tracing::info!(%view, "suspects the primary: {}", in_words(*cause)),
        Notice::SuspicionWithdrawn { view } => tracing::info!(%view, "does not suspect the primary any more"),
        Notice::ViewChangeStarted { target, cause } => {
            let why = match cause {
                ViewChangeCause::Suspicion => "enough members suspect the primary",
                ViewChangeCause::PrimaryAsked => "the primary asked to be replaced",
                ViewChangeCause::Join => "others ask for it, one of them at least is correct",
                ViewChangeCause::NewViewLate => "the new view did not begin in time",
            };
            tracing::info!(%target, "asks for another view: {why}");
        }
        Notice::ViewEntered { view, re_proposed, null_filled } => {
            tracing::info!(%view, re_proposed, null_filled, "entered the view");
        }
        Notice::CatchingUp { from, after, to } => tracing::debug!(%from, %after, %to, "fetches committed slots"),
        Notice::CheckpointStable { seq, root } => tracing::debug!(%seq, %root, "checkpoint is stable"),
        Notice::WindowFull { high } => tracing::debug!(%high, "proposes nothing before a checkpoint is stable"),
        Notice::SteppedDown { cause } => tracing::info!(?cause, "gives up the lead"),
        Notice::Evidence(evidence) => tracing::error!(?evidence, "a member is provably faulty"),
        Notice::Diverged { seq, own, certified } => {
            tracing::error!(%seq, %own, %certified, "the state differs from the certified one: stopped voting");
        }
        Notice::DivergedAt { seq, peer } => tracing::error!(%seq, %peer, "the history differs first at this slot"),
        Notice::Halted => tracing::error!("more than f members are provably faulty: stopped"),
        Notice::StartChecked { recovery } => write_start_checked(*recovery),
        Notice::PromisesLost(lost) => write_lost(*lost),
        Notice::RecoveryBounded { bounds } => {
            let Bounds { view, seq } = *bounds;
            tracing::warn!(%view, slot = %seq, "votes again once that slot is below its low watermark and that view begun");
        }
        Notice::Recovered { .. } => tracing::info!("what was lost binds no more: it votes again"),
        Notice::DiskSpace(space) => write_space(*space),
        Notice::StateTransferStarted { goal, cause } => {
            let why = match cause {
                TransferCause::NoState => "there is none here",
                TransferCause::Diverged => "its own is wrong",
                TransferCause::LogGone => "the log is gone or would take longer",
            };
            tracing::info!(%goal, "fetches the state from the other members: {why}");
        }
        Notice::StateInstalled { seq } => tracing::info!(%seq, "a fetched state is in place"),
        Notice::StateDiscarded { executed } => tracing::warn!(%executed, "the wrong state was given up"),
        Notice::VoteDelayed { seq } => tracing::debug!(%seq, "the proposal's time is too far ahead: the vote waits"),
        Notice::RequestPooled(_)
        | Notice::RequestForwarded(_)
        | Notice::Proposed { .. }
        | Notice::Prepared { .. }
        | Notice::Committed { .. }
        | Notice::Executed { .. } => tracing::trace!(?notice),
    }
}

fn write_start_checked(recovery: Recovery) {
    match recovery {
        Recovery::Complete => tracing::info!("its peers hold no vote of it that it does not know: it votes"),
        Recovery::Lost(_) => tracing::warn!("it has lost promises, and does not vote before they bind no more"),
    }
}

fn write_lost(lost: LostPromises) {
    let (what, view, slot) = match lost {
        LostPromises::Vote { view, seq } => ("vote", view, Some(seq.0)),
        LostPromises::ViewChange { target } => ("view change", target, None),
    };
    tracing::error!(
        %view, slot,
        "a peer holds a {what} of this replica that its journal does not: its home was emptied or set back, or is used twice"
    );
}

fn write_space(space: Space) {
    match space {
        Space::Low => tracing::error!("the disk is full: stopped voting; make room"),
        Space::Enough => tracing::info!("the disk has room again: it votes"),
    }
}
