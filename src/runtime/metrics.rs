//! Counters and gauges of one replica, in the OpenMetrics text format. Names are `quorate_<noun>_<unit>`.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

type Labels = Vec<(&'static str, String)>;

/// The metrics of one replica.
#[derive(Debug, Default)]
pub struct Metrics {
    pub(super) frames_received: Counter,
    pub(super) frames_dropped: Counter,
    pub(super) frames_malformed: Counter,
    pub(super) messages_invalid: Counter,
    /// By kind of message.
    pub(super) messages_rejected: Family<Labels, Counter>,
    pub(super) requests_executed: Counter,
    pub(super) requests_forwarded: Counter,
    pub(super) slots_committed: Counter,
    pub(super) slots_executed: Counter,
    pub(super) checkpoints_stable: Counter,
    /// By cause.
    pub(super) suspicions: Family<Labels, Counter>,
    pub(super) view_changes: Counter,
    pub(super) views_entered: Counter,
    pub(super) slots_fetched: Counter,
    pub(super) evidence_found: Counter,
    pub(super) replies_sent: Counter,
    pub(super) transfer_nodes: Counter,
    pub(super) transfer_bytes: Counter,
    pub(super) transfer_rejected: Counter,
    pub(super) transfer_switched: Counter,
    pub(super) transfer_served_bytes: Counter,
    pub(super) journal_syncs: Counter,
    pub(super) journal_bytes: Gauge,
    pub(super) view_number: Gauge<u64, AtomicU64>,
    pub(super) executed_slot: Gauge<u64, AtomicU64>,
    pub(super) low_watermark_slot: Gauge<u64, AtomicU64>,
}

impl Metrics {
    /// All metrics as text. Counters get the suffix `_total`.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut registry = Registry::with_prefix("quorate");
        self.register(&mut registry);
        let mut text = String::new();
        text::encode(&mut text, &registry).expect("writing to memory does not fail");
        text
    }

    fn register(&self, registry: &mut Registry) {
        let counters = [
            ("frames_received", "Frames from members and clients", &self.frames_received),
            ("frames_dropped", "Frames that found no room", &self.frames_dropped),
            ("frames_malformed", "Frames that are no message", &self.frames_malformed),
            ("messages_invalid", "Messages that no correct sender sends", &self.messages_invalid),
            ("requests_executed", "Requests executed for the first time", &self.requests_executed),
            ("requests_forwarded", "Requests handed on to the primary", &self.requests_forwarded),
            ("slots_committed", "Slots committed", &self.slots_committed),
            ("slots_executed", "Slots executed", &self.slots_executed),
            ("checkpoints_stable", "Times the low watermark rose", &self.checkpoints_stable),
            ("view_changes", "View changes begun", &self.view_changes),
            ("views_entered", "Views entered", &self.views_entered),
            ("catch_up_questions", "Questions for committed slots", &self.slots_fetched),
            ("evidence_found", "Proofs of faulty members", &self.evidence_found),
            ("replies_sent", "Replies to clients", &self.replies_sent),
            ("transfer_nodes", "Nodes of states that were fetched and verified", &self.transfer_nodes),
            ("transfer_bytes", "Their bytes", &self.transfer_bytes),
            ("transfer_rejected", "Nodes that were not what was asked for", &self.transfer_rejected),
            ("transfer_switched", "Times that others were asked instead of a source", &self.transfer_switched),
            ("transfer_served_bytes", "Bytes of states that were served to others", &self.transfer_served_bytes),
            ("journal_syncs", "Times the journal was synced", &self.journal_syncs),
        ];
        for (name, help, counter) in counters {
            registry.register(name, help, counter.clone());
        }
        registry.register("messages_rejected", "Messages not taken, by kind", self.messages_rejected.clone());
        registry.register("suspicions", "Suspicions of the primary, by cause", self.suspicions.clone());
        registry.register("journal_bytes", "Bytes of the journal on disk", self.journal_bytes.clone());
        registry.register("view_number", "The view", self.view_number.clone());
        registry.register("executed_slot", "The last executed slot", self.executed_slot.clone());
        registry.register("low_watermark_slot", "The low watermark", self.low_watermark_slot.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_begin_with_the_engine_and_counters_end_with_total() {
        let metrics = Metrics::default();
        metrics.slots_executed.inc();
        let text = metrics.encode();
        assert!(text.contains("\nquorate_slots_executed_total 1\n"), "{text}");
        assert!(text.ends_with("# EOF\n"));
    }
}
