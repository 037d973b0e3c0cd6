//! A chart, from what a world recorded to text.

use quorate::ReplicaId;

use super::drawing::{Columns, LEGEND};
use super::entry::Entry;
use super::filter::Filter;
use super::relevance;
use super::row::Row;
use super::rows::RowBuilder;
use crate::options::Options;
use crate::violation::Violation;

/// No line of words is longer.
const WORDS_WIDTH: usize = 118;
/// A violation takes at most so many lines at the end of a short chart.
const VIOLATION_LINES: usize = 8;

/// What happened in a world.
#[derive(Clone, Debug)]
pub struct Chart {
    members: u16,
    byzantine: Vec<ReplicaId>,
    rows: Vec<Row>,
}

impl Chart {
    /// The chart of a world with these options.
    #[must_use]
    pub fn new(options: &Options, entries: impl IntoIterator<Item = Entry>) -> Self {
        let usual = options.network.delay.1 * 2;
        let mut builder = RowBuilder::new(u64::try_from(usual.as_nanos()).unwrap_or(u64::MAX));
        for entry in entries {
            builder.add(entry);
        }
        Chart { members: options.members, byzantine: options.byzantine.clone(), rows: builder.finish() }
    }

    /// Only the rows that are wanted.
    #[must_use]
    pub fn filtered(self, filter: &Filter) -> Self {
        Chart { rows: filter.apply(self.rows), ..self }
    }

    /// The chart as text.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let columns = Columns::new(self.members, &self.byzantine, &self.rows);
        let mut lines = vec![self.legend(), columns.header()];
        lines.extend(self.rows.iter().map(|row| columns.line(row)));
        lines
    }

    /// What led to a violation in at most `lines_max` lines, and the violation in words.
    #[must_use]
    pub fn explain(self, violation: &Violation, lines_max: usize) -> Vec<String> {
        let mut end = wrapped(&violation.to_string(), VIOLATION_LINES);
        let rows_max = lines_max.saturating_sub(end.len() + 3);
        let rows = relevance::choose(self.rows, violation, rows_max);
        let mut lines = Chart { rows, ..self }.lines();
        lines.push(String::new());
        lines.append(&mut end);
        lines
    }

    fn legend(&self) -> String {
        if self.byzantine.is_empty() { LEGEND.to_owned() } else { format!("{LEGEND}  * Byzantine") }
    }
}

/// A text in lines of bearable length; what goes beyond `lines_max` of them is left out.
#[must_use]
pub fn wrapped(text: &str, lines_max: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always a line");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= WORDS_WIDTH {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    if lines.len() > lines_max {
        lines.truncate(lines_max);
        lines.last_mut().into_iter().for_each(|line| line.push_str(" ..."));
    }
    lines
}
