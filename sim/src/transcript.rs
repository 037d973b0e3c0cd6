//! What happened in a world, for people.

use std::collections::VecDeque;

/// Lines of text, made only when somebody wants them; the oldest are forgotten.
#[derive(Debug, Default)]
pub struct Transcript {
    lines_max: usize,
    lines: VecDeque<String>,
    prints: bool,
}

impl Transcript {
    /// Keeps the last `lines_max` lines; 0 writes nothing.
    #[must_use]
    pub fn keeping(lines_max: usize) -> Self {
        Transcript { lines_max, ..Transcript::default() }
    }

    /// Prints every line at once, so that those before a panic are seen.
    #[must_use]
    pub fn printing() -> Self {
        Transcript { prints: true, ..Transcript::default() }
    }

    /// Writes a line.
    pub fn line(&mut self, at: u64, text: impl FnOnce() -> String) {
        if self.prints {
            println!("{}", stamped(at, &text()));
            return;
        }
        if self.lines_max == 0 {
            return;
        }
        if self.lines.len() == self.lines_max {
            self.lines.pop_front();
        }
        self.lines.push_back(stamped(at, &text()));
    }

    /// The lines, oldest first.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }
}

fn stamped(at: u64, text: &str) -> String {
    let micros = at / 1_000;
    format!("{:>6}.{:06} {text}", micros / 1_000_000, micros % 1_000_000)
}
