//! What must hold after every step. A violation is our bug: the replica stops rather than vote on a broken state.

use super::replica::{Phase, Replica};

impl Replica {
    /// The cheap invariants, asserted after every step, in release builds too.
    pub(super) fn check_invariants(&self) {
        let (low, ordered, executed) = (self.window.low(), self.progress.ordered(), self.progress.executed());
        assert!(low <= ordered, "the low watermark {low} is above what went to the executor, {ordered}");
        assert!(executed <= ordered, "{executed} was executed, only {ordered} was handed over");
        assert!(self.checkpoints.certified_seq() >= low, "the low watermark {low} is not certified");
        if let Phase::ViewChanging { target } = self.phase {
            assert!(target > self.view, "asks for view {target} in view {}", self.view);
        }
    }

    /// The full scan: for the simulator and tests after every step, in release at every checkpoint.
    pub fn check_all_invariants(&self) {
        self.check_invariants();
        self.pool.check();
        let committee = self.committee();
        for (seq, slot) in self.window.slots() {
            assert!(self.window.contains(seq), "slot {seq} is outside the window");
            if let Some(header) = slot.accepted() {
                assert_eq!(header.signer, committee.primary(header.payload.view), "slot {seq}: not its primary's");
                assert!(header.payload.view <= self.view, "slot {seq}: assigned in a view that was not entered");
            }
            if let Some(certificate) = slot.prepared() {
                assert_eq!(certificate.prepares.len() + 1, committee.quorum(), "slot {seq}: prepared without a quorum");
                assert!(certificate.view() <= self.view, "slot {seq}: prepared in a view that was not entered");
            }
            if let Some(certificate) = slot.committed() {
                assert_eq!(certificate.commits.len(), committee.quorum(), "slot {seq}: committed without a quorum");
            }
            let is_over = slot.is_handed_over() || self.is_settled(seq);
            assert_eq!(is_over, seq <= self.progress.ordered(), "slot {seq}: handed over in order");
            let own = slot.commits.of(self.id());
            let bound = own.is_none_or(|own| slot.prepared().is_some_and(|known| known.view() >= own.payload.view));
            assert!(bound, "slot {seq}: a Commit without a prepared certificate");
        }
    }
}
