//! Which requests of a client have been executed: the rule of exactly-once, in one place. The executor keeps a window
//! per client as part of the replicated state; the core mirrors it.

use serde::{Deserialize, Serialize};

use crate::mutants::Mutant;
use crate::types::{RequestNumber, Session};

/// The executed requests of one client: all of its session up to `floor`, and those marked in `above`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientWindow {
    session: Session,
    floor: RequestNumber,
    /// Bit i stands for number floor + 1 + i; 64 to a word, as many words as the client window C needs.
    above: Vec<u64>,
    width: u64,
}

/// Where a request stands towards the window of its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It may be executed.
    New,
    /// It was executed.
    Executed,
    /// Its session was closed by a later one.
    OldSession {
        /// The session that is open now.
        current: Session,
    },
    /// Its number is 0 or more than C above the highest number below which all are executed.
    OutsideWindow,
}

impl ClientWindow {
    /// The window of a client that has executed nothing, C = `width` wide.
    #[must_use]
    pub fn new(width: u64) -> Self {
        let words = usize::try_from(width.div_ceil(64)).expect("the client window is at most 4096");
        ClientWindow { session: Session(0), floor: RequestNumber(0), above: vec![0; words], width }
    }

    /// The open session.
    #[must_use]
    pub fn session(&self) -> Session {
        self.session
    }

    /// The number up to which everything of the session is executed.
    #[must_use]
    pub fn floor(&self) -> RequestNumber {
        self.floor
    }

    /// Where a request stands. A later session opens an empty window.
    #[must_use]
    pub fn admit(&self, session: Session, number: RequestNumber) -> Admission {
        if session < self.session {
            return Admission::OldSession { current: self.session };
        }
        let floor = if session > self.session { RequestNumber(0) } else { self.floor };
        let width = self.width - u64::from(Mutant::RequestWindowOffByOne.lives());
        if number.0 == 0 || number.0.saturating_sub(floor.0) > width {
            return Admission::OutsideWindow;
        }
        if number <= floor || (session == self.session && self.is_marked(number)) {
            return Admission::Executed;
        }
        Admission::New
    }

    /// Marks a request that [`admit`](Self::admit) calls [`Admission::New`] as executed; anything else changes nothing.
    pub fn record(&mut self, session: Session, number: RequestNumber) {
        if self.admit(session, number) != Admission::New {
            return;
        }
        if session > self.session {
            self.session = session;
            self.floor = RequestNumber(0);
            self.above.fill(0);
        }
        let (word, bit) = place(number.0 - self.floor.0 - 1);
        if let Some(word) = self.above.get_mut(word) {
            *word |= 1 << bit;
        }
        self.raise_floor();
    }

    /// Whether it could have been made by [`new`](Self::new) with this C and [`record`](Self::record), for a window that
    /// was decoded.
    #[must_use]
    pub fn is_well_formed(&self, width: u64) -> bool {
        let starts_with_a_gap = self.above.first().is_some_and(|word| word & 1 == 0);
        self.width == width && self.above.len() as u64 == width.div_ceil(64) && starts_with_a_gap
    }

    fn is_marked(&self, number: RequestNumber) -> bool {
        let (word, bit) = place(number.0.saturating_sub(self.floor.0).saturating_sub(1));
        number > self.floor && self.above.get(word).is_some_and(|word| word >> bit & 1 == 1)
    }

    /// Moves the floor over all numbers that are executed without a gap.
    fn raise_floor(&mut self) {
        while self.above.first().is_some_and(|word| word & 1 == 1) {
            let run = self.above.first().map_or(0, |word| word.trailing_ones());
            self.floor = RequestNumber(self.floor.0.saturating_add(u64::from(run)));
            self.shift(run);
        }
    }

    /// Drops the lowest `count` bits, at most 64.
    fn shift(&mut self, count: u32) {
        let mut carry = 0;
        for word in self.above.iter_mut().rev() {
            let low = *word;
            *word = low.checked_shr(count).unwrap_or(0) | carry;
            carry = low.checked_shl(64 - count).unwrap_or(0);
        }
    }
}

fn place(offset: u64) -> (usize, u32) {
    (usize::try_from(offset / 64).unwrap_or(usize::MAX), (offset % 64) as u32)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn limits_are_exact() {
        let mut window = ClientWindow::new(4);
        let admit = |window: &ClientWindow, n| window.admit(Session(1), RequestNumber(n));
        assert_eq!(admit(&window, 0), Admission::OutsideWindow);
        assert_eq!(admit(&window, 4), Admission::New);
        assert_eq!(admit(&window, 5), Admission::OutsideWindow);
        assert_eq!(admit(&window, u64::MAX), Admission::OutsideWindow);
        window.record(Session(1), RequestNumber(1));
        assert_eq!(admit(&window, 1), Admission::Executed);
        assert_eq!(admit(&window, 5), Admission::New);
        assert_eq!(admit(&window, 6), Admission::OutsideWindow);
        window.record(Session(9), RequestNumber(1));
        assert_eq!(admit(&window, 2), Admission::OldSession { current: Session(9) });
    }

    proptest! {
        /// The window against the set of everything that was executed.
        #[test]
        fn agrees_with_a_plain_set(width in 1u64..200, steps in prop::collection::vec((1u64..4, 0u64..400), 0..600)) {
            let mut window = ClientWindow::new(width);
            let (mut session, mut executed) = (0, BTreeSet::new());
            for (s, n) in steps {
                let fresh = BTreeSet::new();
                let known = if s > session { &fresh } else { &executed };
                let floor = (0..).find(|k| !known.contains(&(k + 1))).unwrap();
                let expected = if s < session {
                    Admission::OldSession { current: Session(session) }
                } else if n == 0 || n > floor + width {
                    Admission::OutsideWindow
                } else if known.contains(&n) {
                    Admission::Executed
                } else {
                    Admission::New
                };
                prop_assert_eq!(window.admit(Session(s), RequestNumber(n)), expected);
                window.record(Session(s), RequestNumber(n));
                if expected == Admission::New {
                    if s > session { (session, executed) = (s, BTreeSet::new()); }
                    executed.insert(n);
                }
            }
        }
    }
}
