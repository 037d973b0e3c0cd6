//! How long it may take until everything is done, once the network is calm.

use std::time::Duration;

use super::options::Options;
use super::replicas::time_needed;

/// A member is let back in once in this time, so that a faulty one cannot make the others work for nothing.
const READMISSION_PAUSE: Duration = Duration::from_secs(600);

/// How long a replica waits for an answer from a journal.
const UNANSWERED: Duration = Duration::from_millis(250);

/// The slots of a window that leaves everybody behind who must fetch something.
const SMALLEST_WINDOW: u64 = 2;

impl Options {
    /// X: how long an operation may take once the network is calm.
    #[must_use]
    pub fn patience(&self) -> Duration {
        let view_changes = u32::try_from(2 * (self.faulty_max() + 1)).unwrap_or(u32::MAX);
        let catch_up = Duration::from_secs(5) + (self.machine.execution.1 + self.machine.sync.1) * 200;
        let ordering = self.config.timeout_cap() * view_changes + self.calm_delay() * 10 + catch_up;
        ordering + self.clients.retry.1 * (2 * (1 + self.pools_of_requests())) + self.unanswered_questions()
    }

    /// How long somebody who catches up waits for liars that do not answer: they are asked in turn like all others, and an
    /// answer has as many slots as a journal gives at once, here often one.
    fn unanswered_questions(&self) -> Duration {
        let slots = self.clients.count * self.clients.operations;
        let questions = u32::try_from(slots.div_ceil(self.machine.history_slots.max(1))).unwrap_or(u32::MAX);
        if self.byzantine.is_empty() { Duration::ZERO } else { UNANSWERED * questions }
    }

    /// How many views a calm cluster may leave behind before it comes to one in which it stays; or, where T is too short for
    /// it, before it executes something.
    ///
    /// 1. A correct replica that hears n-f others asks for another view only when its primary serves it too little for T,
    ///    or when W members do, one of them correct.
    /// 2. At most f primaries in a row are faulty or not connected, and every view change goes on to the next one.
    /// 3. One view may have been begun with messages of before, or with a T that was not doubled: only a fruitless view
    ///    doubles it.
    /// 4. The primary that comes then is connected and serves within T once T is long enough, after
    ///    log2(2 T_needed / T0) doublings: the first execution in a view takes twice the rounds of one that follows, because
    ///    ViewChanges and batches are fetched before. Whatever is executed sets T back: where T0 is too short, views go on changing,
    ///    and the bound is one from one execution to the next.
    ///
    /// It holds while all connected replicas have what the cluster had executed when it calmed down, and its last slot lies
    /// in their windows: with f faulty ones every other one is needed, and whoever must catch up first takes longer than
    /// any T. A replica that crashes again and again may help the others on and leave one behind. Whoever is let back in makes
    /// a primary hand on its lead, and all of this begins anew. Where more requests wait than a pool holds, a correct
    /// primary may pass over some for so long that it is suspected of censorship, and a window of two slots goes on without
    /// a replica that lacks one batch: then there is no such bound.
    #[must_use]
    pub fn view_changes_max(&self) -> Option<u64> {
        if self.pools_of_requests() > 1 || self.limits.window() <= SMALLEST_WINDOW {
            return None;
        }
        let needed = u64::try_from((self.time_needed() * 2).as_millis()).unwrap_or(u64::MAX);
        let doublings = needed.div_ceil(self.config.timeout_ms).next_power_of_two().ilog2();
        Some(self.faulty_max() + 1 + u64::from(doublings))
    }

    /// Whether T must grow before anything is executed.
    #[must_use]
    pub fn is_timeout_short(&self) -> bool {
        self.config.timeout() < self.time_needed()
    }

    fn time_needed(&self) -> Duration {
        time_needed(&self.network, &self.machine)
    }

    /// How long it may take beyond that until a replica that has lost promises votes again: the others propose empty
    /// batches for up to three windows, and hand on the lead, which they do for a member once in ten minutes.
    #[must_use]
    pub fn comeback(&self) -> Duration {
        if self.faults.mishaps == 0 && self.faults.refused_syncs == 0 {
            return Duration::ZERO;
        }
        let slots = u32::try_from(4 * self.limits.window()).unwrap_or(u32::MAX);
        let machine = self.machine.sync.1 * 4 + self.machine.execution.1;
        (self.calm_delay() * 6 + machine) * slots + self.config.timeout_cap() * 8 + READMISSION_PAUSE
    }

    /// How many full pools the requests make that may wait at once. Those that find no room come again after the
    /// clients' longest pause; a client that W members sent away skips one sending.
    fn pools_of_requests(&self) -> u32 {
        let waiting = self.clients.count * self.clients.at_once as u64;
        u32::try_from(waiting.div_ceil(self.config.pool_requests_max)).unwrap_or(u32::MAX)
    }
}
