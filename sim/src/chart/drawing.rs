//! Rows become text. Columns stand in a fixed order: time, clients, replicas, words.

use quorate::ReplicaId;

use super::entry::Party;
use super::row::{Fate, Mark, Row, Shape};

/// The width of the time.
const TIME_WIDTH: usize = 13;

/// What the signs mean.
pub(super) const LEGEND: &str =
    "● sends  ► receives  ▷ receives later  × lost  · still on its way  ■ acts  ╳ crashes  ○ starts  ⋮ rows left out";

/// Where the columns are.
#[derive(Debug)]
pub(super) struct Columns<'a> {
    members: u16,
    byzantine: &'a [ReplicaId],
    has_clients: bool,
    pitch: usize,
}

impl<'a> Columns<'a> {
    pub(super) fn new(members: u16, byzantine: &'a [ReplicaId], rows: &[Row]) -> Self {
        let is_client = |party: &Party| matches!(party, Party::Client(_));
        let has_clients = rows.iter().any(|row| row.parties().iter().any(is_client));
        let pitch = match members {
            0..=5 => 9,
            6..=7 => 7,
            8.. => 5,
        };
        Columns { members, byzantine, has_clients, pitch }
    }

    /// The names of the columns; a Byzantine replica has a star.
    pub(super) fn header(&self) -> String {
        let mut canvas = vec![' '; self.width()];
        let mut write = |center: usize, name: &str| {
            let first = center.saturating_sub(name.len() / 2);
            canvas.iter_mut().skip(first).zip(name.chars()).for_each(|(place, letter)| *place = letter);
        };
        if self.has_clients {
            write(self.center(Party::Client(0)), "clients");
        }
        for id in (0..self.members).map(ReplicaId) {
            let star = if self.byzantine.contains(&id) { "*" } else { "" };
            write(self.center(id.into()), &format!("R{id}{star}"));
        }
        let canvas: String = canvas.into_iter().collect();
        format!("{:>TIME_WIDTH$} {canvas}", "time in ms").trim_end().to_owned()
    }

    /// One row.
    pub(super) fn line(&self, row: &Row) -> String {
        let gap = if row.follows_gap { '⋮' } else { ' ' };
        let time = milliseconds(row.at);
        let width = TIME_WIDTH - 1;
        let note = if row.contradicts { " (contradicts itself)" } else { "" };
        format!("{gap}{time:>width$} {}  {}{note}", self.canvas(row), row.label)
    }

    fn canvas(&self, row: &Row) -> String {
        let mut canvas = vec![' '; self.width()];
        if self.has_clients {
            put(&mut canvas, self.center(Party::Client(0)), '│');
        }
        for id in (0..self.members).map(ReplicaId) {
            put(&mut canvas, self.center(id.into()), if row.down.contains(&id) { ' ' } else { '│' });
        }
        match &row.shape {
            Shape::Arrows { from, to } => self.draw_arrows(&mut canvas, *from, to),
            Shape::LateArrow { from, to } => {
                self.draw_line(&mut canvas, (*from, *to), '╌');
                put(&mut canvas, self.center(*to), if from < to { '►' } else { '◄' });
            }
            Shape::Mark(by, mark) => put(&mut canvas, self.center(*by), sign(*mark)),
            Shape::World => canvas.iter_mut().filter(|place| **place == ' ').for_each(|place| *place = '·'),
        }
        canvas.into_iter().collect()
    }

    fn draw_arrows(&self, canvas: &mut [char], from: Party, to: &[(Party, Fate)]) {
        for (to, _) in to {
            self.draw_line(canvas, (from, *to), '─');
        }
        for (to, fate) in to {
            let head = match (fate, from < *to) {
                (Fate::Taken, true) => '►',
                (Fate::Taken, false) => '◄',
                (Fate::Late, true) => '▷',
                (Fate::Late, false) => '◁',
                (Fate::Lost, _) => '×',
                (Fate::Pending, _) => '·',
            };
            put(canvas, self.center(*to), head);
        }
        put(canvas, self.center(from), '●');
    }

    /// A line between two columns, over all lifelines in between.
    fn draw_line(&self, canvas: &mut [char], (one, other): (Party, Party), stroke: char) {
        let (one, other) = (self.center(one), self.center(other));
        let (left, right) = (one.min(other), one.max(other));
        canvas.iter_mut().take(right).skip(left + 1).for_each(|place| *place = stroke);
    }

    fn center(&self, party: Party) -> usize {
        match party {
            Party::Client(_) => self.pitch / 2,
            Party::Replica(id) => self.left() + id.index() * self.pitch + self.pitch / 2,
        }
    }

    fn left(&self) -> usize {
        if self.has_clients { self.pitch } else { 0 }
    }

    fn width(&self) -> usize {
        self.left() + usize::from(self.members) * self.pitch
    }
}

fn sign(mark: Mark) -> char {
    match mark {
        Mark::Acts => '■',
        Mark::Crashes => '╳',
        Mark::Starts => '○',
    }
}

fn put(canvas: &mut [char], place: usize, sign: char) {
    if let Some(there) = canvas.get_mut(place) {
        *there = sign;
    }
}

/// `1234567890` nanoseconds are `1234.568`.
pub(super) fn milliseconds(nanoseconds: u64) -> String {
    let micros = nanoseconds / 1_000;
    format!("{}.{:03}", micros / 1_000, micros % 1_000)
}
