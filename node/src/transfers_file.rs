//! Transfers from a CSV file, checked line by line before any is sent.
//!
//! ```text
//! id,date,debit,credit,amount,reference
//! 695247,1993-01-01,cash,cust-2378,70000,VKLAD
//! ```
//!
//! `id` is a number that no other transfer has. `date` (YYYY-MM-DD) is for people: it is checked and not part of the
//! transfer. `amount` is a whole number in the smallest unit of the currency. `reference` may be empty.

use std::fmt;
use std::io::{self, BufRead, Read};

use csv::{ReaderBuilder, StringRecord};
use quorate_ledger::{LedgerRefusal, Transfer, TransferId};

/// The columns, in their order.
pub const COLUMNS: [&str; 6] = ["id", "date", "debit", "credit", "amount", "reference"];

/// The longest line, in bytes. A transfer needs less than a tenth.
const LINE_BYTES_MAX: u64 = 4096;

/// One transfer of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its line in the file, from 1; the heading is a line too.
    pub number: u64,
    /// The transfer.
    pub transfer: Transfer,
}

/// A line that is no transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// The line in the file, from 1.
    pub number: u64,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The file does not begin with the names of the columns.
    #[error("the first line must be `{}`", COLUMNS.join(","))]
    Heading,
    /// The file cannot be read on.
    #[error("cannot read on: {0}")]
    Unreadable(String),
    /// The line has no end.
    #[error("is longer than {LINE_BYTES_MAX} bytes: this is no file of transfers")]
    TooLong,
    /// The line is no text.
    #[error("is no UTF-8 text")]
    NotText,
    /// Too few or too many columns.
    #[error("has {found} columns instead of {}: is a comma missing, or a quotation mark?", COLUMNS.len())]
    Columns {
        /// How many it has.
        found: usize,
    },
    /// A number that is none.
    #[error("{column} `{text}` is no whole number from {min} to {max}")]
    Number {
        /// The column.
        column: &'static str,
        /// What stands there.
        text: String,
        /// The least number.
        min: u64,
        /// The greatest number.
        max: u128,
    },
    /// A date that is none.
    #[error("date `{0}` is no date: write YYYY-MM-DD")]
    Date(String),
    /// The ledger would refuse it.
    #[error("{column}: {refusal}")]
    Refused {
        /// The column.
        column: &'static str,
        /// Why.
        refusal: LedgerRefusal,
    },
}

impl BadLine {
    /// Whether the system could not read on, so that the file may be a good one all the same.
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        matches!(self.problem, Problem::Unreadable(_))
    }
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.number, self.problem)
    }
}

/// Reads transfers one after the other. It ends after a wrong heading, and where the file cannot be read on.
pub struct TransfersFile<R> {
    source: R,
    number: u64,
    state: ReadState,
}

#[derive(PartialEq, Eq)]
enum ReadState {
    Heading,
    Lines,
    Ended,
}

impl<R: BufRead> TransfersFile<R> {
    /// Reads from `source`.
    pub fn new(source: R) -> Self {
        TransfersFile { source, number: 0, state: ReadState::Heading }
    }

    /// The next line that is not empty; `None` at the end.
    fn read_line(&mut self) -> Option<Result<String, Problem>> {
        loop {
            let mut line = Vec::new();
            self.number += 1;
            let read = (&mut self.source).take(LINE_BYTES_MAX).read_until(b'\n', &mut line);
            match read {
                Ok(0) => return None,
                Ok(length) if length as u64 == LINE_BYTES_MAX && !line.ends_with(b"\n") => {
                    self.state = ReadState::Ended;
                    return Some(Err(Problem::TooLong));
                }
                Ok(_) if line.iter().all(u8::is_ascii_whitespace) => {}
                Ok(_) => return Some(String::from_utf8(line).map_err(|_| Problem::NotText)),
                Err(error) => return Some(Err(self.unreadable(&error))),
            }
        }
    }

    fn unreadable(&mut self, error: &io::Error) -> Problem {
        self.state = ReadState::Ended;
        Problem::Unreadable(error.to_string())
    }

    /// Reads the names of the columns; says what is wrong with them.
    fn read_heading(&mut self) -> Option<Problem> {
        self.state = ReadState::Lines;
        let heading = self.read_line()?;
        let is_heading = |record: &StringRecord| record.iter().map(str::trim).eq(COLUMNS);
        // Spreadsheets put a byte order mark in front.
        let record = heading.map(|line| split(line.trim_start_matches('\u{feff}')));
        let problem = match record {
            Ok(Some(record)) if is_heading(&record) => return None,
            Ok(_) => Problem::Heading,
            Err(problem) => problem,
        };
        self.state = ReadState::Ended;
        Some(problem)
    }
}

impl<R: BufRead> Iterator for TransfersFile<R> {
    type Item = Result<Line, BadLine>;

    fn next(&mut self) -> Option<Self::Item> {
        let parsed = match self.state {
            ReadState::Ended => return None,
            ReadState::Heading => match self.read_heading() {
                Some(problem) => Err(problem),
                None => return self.next(),
            },
            ReadState::Lines => self.read_line()?.and_then(|line| parse(&line)),
        };
        let number = self.number;
        Some(parsed.map(|transfer| Line { number, transfer }).map_err(|problem| BadLine { number, problem }))
    }
}

/// The columns of one line.
fn split(line: &str) -> Option<StringRecord> {
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(line.as_bytes());
    reader.records().next().and_then(Result::ok)
}

fn parse(line: &str) -> Result<Transfer, Problem> {
    let record = split(line).unwrap_or_default();
    let fields: Vec<&str> = record.iter().map(str::trim).collect();
    let [id, date, debit, credit, amount, reference] = fields[..] else {
        return Err(Problem::Columns { found: fields.len() });
    };
    let id = TransferId(number("id", id, 0, u128::MAX)?);
    if !is_date(date) {
        return Err(Problem::Date(date.to_owned()));
    }
    let amount = number("amount", amount, 1, u128::from(u64::MAX))?;
    let amount = u64::try_from(amount).expect("checked just before");
    let in_column = |column| move |refusal| Problem::Refused { column, refusal };
    let debit = debit.parse().map_err(in_column("debit"))?;
    let credit = credit.parse().map_err(in_column("credit"))?;
    let reference = reference.parse().map_err(in_column("reference"))?;
    Transfer::new(id, debit, credit, amount, reference).map_err(in_column("credit"))
}

fn number(column: &'static str, text: &str, min: u64, max: u128) -> Result<u128, Problem> {
    let number = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u128>().ok()).flatten();
    let in_range = number.filter(|number| (u128::from(min)..=max).contains(number));
    in_range.ok_or_else(|| Problem::Number { column, text: text.to_owned(), min, max })
}

/// Whether it looks like a day of the calendar.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return false };
    let digits = |part: &str, length: usize| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
    let in_range = |part: &str, max: u8| part.parse::<u8>().is_ok_and(|number| (1..=max).contains(&number));
    digits(year, 4) && digits(month, 2) && digits(day, 2) && in_range(month, 12) && in_range(day, 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADING: &str = "id,date,debit,credit,amount,reference\n";

    fn read(lines: &str) -> Vec<Result<Line, BadLine>> {
        TransfersFile::new(format!("{HEADING}{lines}").as_bytes()).collect()
    }

    /// What is said about the only line of a file.
    fn complaint(line: &str) -> String {
        let lines = read(line);
        assert_eq!(lines.len(), 1, "{lines:?}");
        lines[0].as_ref().unwrap_err().to_string()
    }

    #[test]
    fn reads_transfers_with_their_lines() {
        let lines = read("695247,1993-01-01,cash,cust-2378,70000,VKLAD\n\n7,1993-01-02,a,\"b, c\",1,\n");
        let expected = |id, debit: &str, credit: &str, amount, reference: &str| {
            let (debit, credit, reference) =
                (debit.parse().unwrap(), credit.parse().unwrap(), reference.parse().unwrap());
            Transfer::new(TransferId(id), debit, credit, amount, reference).unwrap()
        };
        let first = Line { number: 2, transfer: expected(695_247, "cash", "cust-2378", 70_000, "VKLAD") };
        let second = Line { number: 4, transfer: expected(7, "a", "b, c", 1, "") };
        assert_eq!(lines, [Ok(first), Ok(second)]);
    }

    #[test]
    fn says_of_each_bad_line_where_it_is_and_what_is_wrong() {
        for (line, expected) in [
            ("1,1993-01-01,\"a,b,5,", "line 2: has 3 columns instead of 6: is a comma missing, or a quotation mark?"),
            ("1,1993-01-01,a,b,5", "line 2: has 5 columns instead of 6: is a comma missing, or a quotation mark?"),
            (
                "x,1993-01-01,a,b,5,",
                "line 2: id `x` is no whole number from 0 to 340282366920938463463374607431768211455",
            ),
            ("1,1.1.1993,a,b,5,", "line 2: date `1.1.1993` is no date: write YYYY-MM-DD"),
            ("1,1993-13-01,a,b,5,", "line 2: date `1993-13-01` is no date: write YYYY-MM-DD"),
            ("1,1993-01-01,a,b,0,", "line 2: amount `0` is no whole number from 1 to 18446744073709551615"),
            ("1,1993-01-01,a,b,-5,", "line 2: amount `-5` is no whole number from 1 to 18446744073709551615"),
            (
                "1,1993-01-01,a,b,18446744073709551616,",
                "line 2: amount `18446744073709551616` is no whole number from 1 to 18446744073709551615",
            ),
            ("1,1993-01-01,a,b,12.50,", "line 2: amount `12.50` is no whole number from 1 to 18446744073709551615"),
            ("1,1993-01-01,,b,5,", "line 2: debit: the name of an account has 1 to 64 bytes, not 0"),
            ("1,1993-01-01,a,a,5,", "line 2: credit: debit and credit are the same account"),
        ] {
            assert_eq!(complaint(line), expected);
        }
    }

    #[test]
    fn a_bad_line_hides_none_that_follow_it() {
        let source =
            [HEADING.as_bytes(), b"1,1993-01-01,a,b,oops,\n2,1993-01-01,\xff,b,5,\n3,1993-01-01,a,b,5,\n"].concat();
        let lines: Vec<_> = TransfersFile::new(&source[..]).collect();
        assert_eq!(lines.iter().map(Result::is_ok).collect::<Vec<_>>(), [false, false, true]);
        assert_eq!(lines[1].as_ref().unwrap_err().to_string(), "line 3: is no UTF-8 text");
    }

    #[test]
    fn a_file_with_another_heading_is_not_read_on() {
        for heading in ["id,debit\n1,1993-01-01,a,b,5,\n", "1,1993-01-01,a,b,5,\n2,1993-01-01,a,b,5,\n"] {
            let lines: Vec<_> = TransfersFile::new(heading.as_bytes()).collect();
            assert_eq!(lines, [Err(BadLine { number: 1, problem: Problem::Heading })]);
        }
        assert_eq!(TransfersFile::new(&b""[..]).count(), 0);
        assert_eq!(TransfersFile::new(format!("\u{feff}{HEADING}").as_bytes()).count(), 0);
    }

    #[test]
    fn an_endless_line_takes_little_memory_and_ends_the_file() {
        let endless = HEADING.as_bytes().chain(io::repeat(b'1'));
        let lines: Vec<_> = TransfersFile::new(io::BufReader::new(endless)).collect();
        assert_eq!(lines, [Err(BadLine { number: 2, problem: Problem::TooLong })]);
    }
}
