//! Rows by time, slot and view.

use std::time::Duration;

use quorate::{SeqNum, View};

use super::entry::Topic;
use super::row::Row;

/// Which rows are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// From when on, in virtual time.
    pub from: Option<Duration>,
    /// Until when.
    pub to: Option<Duration>,
    /// What is about this slot, with view changes and faults.
    pub slot: Option<SeqNum>,
    /// What is about this view, with faults.
    pub view: Option<View>,
    /// Heartbeats, duplicates and other noise, too.
    pub noise: bool,
    /// The last so many of them.
    pub lines: Option<usize>,
}

impl Filter {
    pub(super) fn apply(&self, rows: Vec<Row>) -> Vec<Row> {
        let mut kept = Vec::new();
        let mut has_gap = false;
        let wanted = rows.iter().filter(|row| self.wants(row)).count();
        let mut surplus = wanted - self.lines.unwrap_or(wanted).min(wanted);
        for mut row in rows {
            let is_surplus = self.wants(&row) && surplus > 0;
            surplus -= usize::from(is_surplus);
            if is_surplus || !self.wants(&row) {
                has_gap |= row.topic != Topic::Noise;
                continue;
            }
            row.follows_gap = std::mem::take(&mut has_gap);
            kept.push(row);
        }
        kept
    }

    fn wants(&self, row: &Row) -> bool {
        let at = Duration::from_nanos(row.at);
        let is_of_slot = |slot| row.about.seq == Some(slot) || row.topic >= Topic::View;
        let is_of_view = |view| row.about.view == Some(view) || row.topic == Topic::Fault;
        (self.noise || row.topic != Topic::Noise)
            && self.from.is_none_or(|from| at >= from)
            && self.to.is_none_or(|to| at <= to)
            && self.slot.is_none_or(is_of_slot)
            && self.view.is_none_or(is_of_view)
    }
}
