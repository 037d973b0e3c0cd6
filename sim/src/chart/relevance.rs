//! The few rows that explain a violation.
//!
//! A violation is found at the last event of a world, and its text names slots, views and digests. What is about the same
//! slot or digest matters most, then view changes and faults, then the rest, and of two equally important rows the later
//! one matters more.

use std::collections::{BTreeMap, BTreeSet};

use quorate::{SeqNum, View};

use super::entry::{Party, Topic};
use super::row::Row;
use crate::violation::{Class, Violation};

/// How many of the last rows say what the last event was about.
const LAST_ROWS: usize = 3;

/// What happens again and again is shown so often.
const REPETITIONS: usize = 2;

/// What a violation is about.
#[derive(Debug, Default)]
struct Focus {
    seqs: BTreeSet<SeqNum>,
    views: BTreeSet<View>,
    parties: BTreeSet<Party>,
}

/// The rows that matter, at most `rows_max` of them, in their order.
pub(super) fn choose(rows: Vec<Row>, violation: &Violation, rows_max: usize) -> Vec<Row> {
    let focus = focus_of(&rows, violation);
    let mut ranked: Vec<_> = rows.iter().map(|row| weight(row, &focus, violation)).enumerate().collect();
    let mut seen = BTreeMap::<_, usize>::new();
    ranked.retain(|(place, weight)| {
        let times = rows.get(*place).map(|row| seen.entry((row.parties(), row.label.clone())).or_default());
        *weight > 0 && times.is_some_and(|times| std::mem::replace(times, *times + 1) < REPETITIONS)
    });
    ranked.sort_by_key(|(place, weight)| std::cmp::Reverse((*weight, *place)));
    let chosen: BTreeSet<_> = ranked.into_iter().take(rows_max).map(|(place, _)| place).collect();
    let mut kept = Vec::new();
    let mut has_gap = false;
    for (place, mut row) in rows.into_iter().enumerate() {
        if chosen.contains(&place) {
            row.follows_gap = std::mem::take(&mut has_gap);
            kept.push(row);
        } else {
            has_gap |= row.topic > Topic::Client && row.at > 0;
        }
    }
    kept
}

/// Slots that the last rows are about, as far as the text names their numbers, or all of those; rows with a named
/// digest lead to further slots.
fn focus_of(rows: &[Row], violation: &Violation) -> Focus {
    let mut focus = Focus::default();
    if violation.class == Class::Liveness {
        return focus;
    }
    let telling = |row: &&Row| row.topic > Topic::Client;
    let last: Vec<_> = rows.iter().rev().filter(telling).take(LAST_ROWS).collect();
    let numbers = numbers_in(&violation.text);
    let is_named = |row: &&&Row| row.about.seq.is_some_and(|seq| numbers.contains(&seq.0));
    let named: Vec<_> = last.iter().filter(is_named).copied().collect();
    let with_digest = rows.iter().filter(|row| names_digest(row, violation));
    for row in if named.is_empty() { last } else { named }.into_iter().chain(with_digest) {
        focus.seqs.extend(row.about.seq);
        focus.views.extend(row.about.view);
        focus.parties.extend(row.parties());
    }
    focus
}

fn names_digest(row: &Row, violation: &Violation) -> bool {
    row.about.digest.is_some_and(|digest| violation.text.contains(&digest.short()))
}

fn numbers_in(text: &str) -> BTreeSet<u64> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric()).filter_map(|word| word.parse().ok()).collect()
}

/// How much a row matters; 0 not at all.
fn weight(row: &Row, focus: &Focus, violation: &Violation) -> u64 {
    let is_in_focus = row.about.seq.is_some_and(|seq| focus.seqs.contains(&seq));
    let base = match row.topic {
        Topic::Noise => return 0,
        _ if !row.has_effect() => return 0,
        Topic::CatchUp | Topic::Checkpoint if violation.class == Class::Safety && !is_in_focus => return 0,
        Topic::CatchUp | Topic::Client => 2,
        Topic::Checkpoint | Topic::Vote | Topic::Execution if violation.class == Class::Liveness => 4,
        Topic::Vote | Topic::Execution | Topic::Checkpoint if !is_in_focus => 1,
        Topic::Fault if row.at == 0 => return 0,
        Topic::Checkpoint => 20,
        Topic::Vote => 40,
        Topic::Execution => 50,
        Topic::View if row.about.view.is_some_and(|view| focus.views.contains(&view)) => 60,
        Topic::View => 30,
        Topic::Fault => 35,
    };
    let has_party = row.parties().iter().any(|party| focus.parties.contains(party));
    let named = u64::from(names_digest(row, violation)) * 30;
    base + named + u64::from(row.contradicts) * 30 + u64::from(is_in_focus) * 20 + u64::from(has_party) * 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_from_a_text() {
        let numbers = numbers_in("2 commits 3fa29c1e at 17 in view 0, [9] was in 4");
        assert_eq!(numbers.into_iter().collect::<Vec<_>>(), [0, 2, 4, 9, 17]);
    }
}
