//! Entries become rows: equal messages to several receivers are one row, and each arrival is told to the row of its
//! message.

use std::collections::{BTreeMap, BTreeSet};

use quorate::{ReplicaId, SeqNum, View};
use quorate_crypto::Digest;

use super::entry::{About, Entry, Happening, Note, Party, Topic};
use super::row::{Fate, Mark, Row, Shape};
use super::statement::Statement;

/// A message on its way: which row it belongs to, at which place, and when it will arrive.
#[derive(Debug)]
struct OnItsWay {
    row: usize,
    place: usize,
    arrives: Option<u64>,
}

type Claim = (Party, &'static str, Option<View>, Option<SeqNum>);

/// Makes rows of entries.
#[derive(Debug)]
pub(super) struct RowBuilder {
    /// A message that takes longer, in nanoseconds, has a row where it arrives.
    late_after: u64,
    rows: Vec<Row>,
    on_their_way: BTreeMap<(Party, Party, u64), Vec<OnItsWay>>,
    /// The row that further receivers of the same message join, and what it says.
    open: BTreeMap<(Party, u64), usize>,
    open_at: u64,
    claims: BTreeMap<Claim, Digest>,
    down: BTreeSet<ReplicaId>,
}

impl RowBuilder {
    pub(super) fn new(late_after: u64) -> Self {
        RowBuilder {
            late_after,
            rows: Vec::new(),
            on_their_way: BTreeMap::new(),
            open: BTreeMap::new(),
            open_at: 0,
            claims: BTreeMap::new(),
            down: BTreeSet::new(),
        }
    }

    pub(super) fn finish(self) -> Vec<Row> {
        self.rows
    }

    pub(super) fn add(&mut self, Entry { at, happening }: Entry) {
        if at != self.open_at {
            self.open.clear();
            self.open_at = at;
        }
        match happening {
            Happening::Sent { from, to, statement, arrives } => self.on_sent(at, (from, to), statement, arrives),
            Happening::Arrived { from, to, fingerprint } => self.on_arrived(at, from, to, fingerprint),
            Happening::Noted(by, note) => self.on_note(at, by, note),
            Happening::Started(id) => {
                self.down.remove(&id);
                self.push(at, Shape::Mark(id.into(), Mark::Starts), Note::new(Topic::Fault, format!("R{id} starts")));
            }
            Happening::Crashed(id, text) => {
                self.down.insert(id);
                let note = Note::new(Topic::Fault, format!("R{id} {text}"));
                self.push(at, Shape::Mark(id.into(), Mark::Crashes), note);
            }
            Happening::World(text) => self.push(at, Shape::World, Note::new(Topic::Fault, text)),
        }
    }

    fn on_note(&mut self, at: u64, by: Party, note: Note) {
        let text = match by {
            Party::Client(client) => format!("client {client} {}", note.text),
            Party::Replica(id) => format!("R{id} {}", note.text),
        };
        self.push(at, Shape::Mark(by, Mark::Acts), Note { text, ..note });
    }

    fn on_sent(&mut self, at: u64, (from, to): (Party, Party), statement: Statement, arrives: Option<u64>) {
        let fingerprint = statement.fingerprint;
        let row = match self.open.get(&(from, fingerprint)) {
            Some(row) => *row,
            None => self.open_row(at, from, statement),
        };
        let Some(Row { shape: Shape::Arrows { to: receivers, .. }, .. }) = self.rows.get_mut(row) else { return };
        receivers.push((to, if arrives.is_some() { Fate::Pending } else { Fate::Lost }));
        let way = OnItsWay { row, place: receivers.len() - 1, arrives };
        self.on_their_way.entry((from, to, fingerprint)).or_default().push(way);
    }

    fn open_row(&mut self, at: u64, from: Party, statement: Statement) -> usize {
        let contradicts = self.contradicts(from, &statement);
        let note = Note { topic: statement.topic, about: statement.about, text: statement.label() };
        self.push(at, Shape::Arrows { from, to: Vec::new() }, note);
        let row = self.rows.len() - 1;
        self.rows[row].contradicts = contradicts;
        self.open.insert((from, statement.fingerprint), row);
        row
    }

    /// Whether the sender has named another digest for the same before.
    fn contradicts(&mut self, from: Party, statement: &Statement) -> bool {
        let About { view, seq, digest } = statement.about;
        let Some(digest) = digest.filter(|_| matches!(statement.topic, Topic::Vote | Topic::Checkpoint)) else {
            return false;
        };
        *self.claims.entry((from, statement.name, view, seq)).or_insert(digest) != digest
    }

    fn on_arrived(&mut self, at: u64, from: Party, to: Party, fingerprint: u64) {
        let Some(ways) = self.on_their_way.get_mut(&(from, to, fingerprint)) else { return };
        // One that was held back arrives at another time than was planned; a second copy belongs to nobody any more.
        let expected = ways.iter().position(|way| way.arrives == Some(at));
        let Some(place) = expected.or_else(|| (!ways.is_empty()).then_some(0)) else { return };
        let way = ways.remove(place);
        let Some(row) = self.rows.get(way.row) else { return };
        let is_down = matches!(to, Party::Replica(id) if self.down.contains(&id));
        let is_late = at.saturating_sub(row.at) > self.late_after;
        let fate = match (is_down, is_late) {
            (true, _) => Fate::Lost,
            (false, true) => Fate::Late,
            (false, false) => Fate::Taken,
        };
        let late = (fate == Fate::Late).then(|| (row.at, row.topic, row.about, row.label.clone()));
        self.set_fate(&way, fate);
        if let Some((sent, topic, about, label)) = late {
            let text = format!("{label}, sent at {}", super::drawing::milliseconds(sent));
            self.push(at, Shape::LateArrow { from, to }, Note { topic, about, text });
        }
    }

    fn set_fate(&mut self, way: &OnItsWay, fate: Fate) {
        if let Some(Row { shape: Shape::Arrows { to, .. }, .. }) = self.rows.get_mut(way.row)
            && let Some((_, known)) = to.get_mut(way.place)
        {
            *known = fate;
        }
    }

    fn push(&mut self, at: u64, shape: Shape, note: Note) {
        let Note { topic, about, text } = note;
        let down = self.down.clone();
        self.rows.push(Row { at, shape, topic, about, label: text, contradicts: false, down, follows_gap: false });
    }
}
