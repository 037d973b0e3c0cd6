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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use quorate::{SeqNum, View};
    use quorate_crypto::Digest;

    use super::*;
    use crate::chart::{About, Happening, Note, Party, Statement, Topic};
    use crate::choices::Choices;
    use crate::violation::Class;

    const MILLISECOND: u64 = 1_000_000;

    fn options() -> Options {
        let mut options = Options::draw(&mut Choices::from_seed(0), Some(4));
        options.byzantine = vec![ReplicaId(0)];
        options.network.delay.1 = Duration::from_millis(1);
        options
    }

    fn vote(name: &'static str, batch: u8) -> Statement {
        let about = About { view: Some(View(0)), seq: Some(SeqNum(5)), digest: Some(Digest::from_bytes([batch; 32])) };
        Statement { topic: Topic::Vote, name, about, detail: String::new(), fingerprint: u64::from(batch) }
    }

    fn sent(at: u64, (from, to): (u16, u16), batch: u8, arrives: Option<u64>) -> Entry {
        let statement = vote("PrePrepare", batch);
        let (from, to) = (ReplicaId(from).into(), ReplicaId(to).into());
        let arrives = arrives.map(|at| at * MILLISECOND);
        Entry { at: at * MILLISECOND, happening: Happening::Sent { from, to, statement, arrives } }
    }

    fn arrived(at: u64, (from, to): (u16, u16), batch: u8) -> Entry {
        let (from, to) = (ReplicaId(from).into(), ReplicaId(to).into());
        let fingerprint = u64::from(batch);
        Entry { at: at * MILLISECOND, happening: Happening::Arrived { from, to, fingerprint } }
    }

    fn noted(at: u64, by: u16, note: Note) -> Entry {
        Entry { at: at * MILLISECOND, happening: Happening::Noted(Party::Replica(ReplicaId(by)), note) }
    }

    /// R0 says one thing to R1 and R3 and another to R2; what R3 should get comes late, and R1 is down by then.
    fn equivocation() -> Vec<Entry> {
        let crash = Happening::Crashed(ReplicaId(1), "crashes: power loss".to_owned());
        vec![
            sent(10, (0, 1), 7, Some(11)),
            sent(10, (0, 2), 8, Some(11)),
            sent(10, (0, 3), 7, Some(30)),
            Entry { at: 11 * MILLISECOND, happening: crash },
            arrived(11, (0, 1), 7),
            arrived(11, (0, 2), 8),
            noted(12, 2, Note::new(Topic::Noise, "has request #1")),
            noted(13, 2, Note::new(Topic::Execution, "commits s5").at(SeqNum(5))),
            arrived(30, (0, 3), 7),
        ]
    }

    fn lines(filter: &Filter) -> Vec<String> {
        Chart::new(&options(), equivocation()).filtered(filter).lines().split_off(1)
    }

    #[test]
    fn a_chart_shows_who_says_what_to_whom_and_what_becomes_of_it() {
        let expected = "
   time in ms    R0*      R1       R2       R3
       10.000     ●────────×─────────────────▷      PrePrepare v0 s5 07070707
       10.000     ●─────────────────►        │      PrePrepare v0 s5 08080808 (contradicts itself)
       11.000     │        ╳        │        │      R1 crashes: power loss
       13.000     │                 ■        │      R2 commits s5
       30.000     │╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌►      PrePrepare v0 s5 07070707, sent at 10.000";
        assert_eq!(lines(&Filter::default()).join("\n"), expected.trim_start_matches('\n'));
    }

    #[test]
    fn rows_are_filtered_and_the_last_ones_can_be_asked_for() {
        let noisy = lines(&Filter { noise: true, ..Filter::default() });
        assert!(noisy.iter().any(|line| line.ends_with("R2 has request #1")));
        let last = lines(&Filter { lines: Some(1), ..Filter::default() });
        assert!(last.len() == 2 && last[1].starts_with("⋮      30.000"), "{last:?}");
        let early = lines(&Filter { to: Some(Duration::from_millis(10)), ..Filter::default() });
        assert_eq!(early.len(), 3);
        let elsewhere = lines(&Filter { slot: Some(SeqNum(6)), ..Filter::default() });
        assert!(elsewhere.len() == 2 && elsewhere[1].ends_with("R1 crashes: power loss"), "{elsewhere:?}");
    }

    #[test]
    fn what_explains_a_violation_fits_into_the_lines_and_ends_with_it() {
        let busy = |at| noted(at, 3, Note::new(Topic::Execution, format!("executes s{at}")).at(SeqNum(at)));
        let entries = (100..400).map(busy).chain(equivocation());
        let text = "2 commits 08080808 at 5, 07070707 was there".to_owned();
        let violation = Violation { class: Class::Safety, checker: "commits", text };
        let lines = Chart::new(&options(), entries).explain(&violation, 20);
        assert!(lines.len() <= 20, "{} lines", lines.len());
        let all = lines.join("\n");
        assert!(all.contains("07070707") && all.contains("08080808") && all.contains("R2 commits s5"), "{all}");
        assert!(all.ends_with("Safety, found by commits: 2 commits 08080808 at 5, 07070707 was there"), "{all}");
    }

    #[test]
    fn long_texts_are_wrapped_and_cut() {
        let text = "word ".repeat(100);
        assert!(wrapped(&text, 9).iter().all(|line| line.len() <= WORDS_WIDTH));
        assert_eq!(wrapped(&text, 2).last().map(|line| line.ends_with(" ...")), Some(true));
        assert_eq!(wrapped("a  b", 2), ["a b"]);
    }
}
