//! A failing world as a file: its options, and the answers of its choices.

use serde::{Deserialize, Serialize};

use super::subject::{Failure, Subject};
use crate::choices::Choices;
use crate::options::Options;

/// The format of these files.
const VERSION: u32 = 1;
/// No file is longer. Bytes.
pub const FILE_BYTES_MAX: usize = 16 << 20;
/// No schedule is longer.
const ANSWERS_MAX: usize = 8 << 20;
/// The sizes of committees that are simulated.
const MEMBERS: std::ops::RangeInclusive<u16> = 4..=64;
/// No more clients are simulated.
const CLIENTS_MAX: u64 = 1024;

/// A recorded world. The answers are numbers with blanks between them; `0*17` stands for seventeen zeros.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleFile {
    version: u32,
    /// What was found, in words.
    found: String,
    answers: String,
    options: Options,
}

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSchedule {
    /// It is larger than any that this program writes.
    #[error("the file has more than {FILE_BYTES_MAX} bytes")]
    TooLarge,
    /// It is none.
    #[error("this is no schedule: {0}")]
    Syntax(String),
    /// Written by another release.
    #[error("schedule format {found}, this release reads {VERSION}")]
    Version {
        /// The format of the file.
        found: u32,
    },
    /// An answer that is none.
    #[error("`{0}` is no answer")]
    Answer(String),
    /// More answers than any world has.
    #[error("more than {ANSWERS_MAX} answers")]
    TooLong,
    /// Options that no world has.
    #[error("{0}")]
    Options(String),
}

impl ScheduleFile {
    pub(super) fn new(options: &Options, failure: &Failure) -> Self {
        let found = failure.violation.to_string();
        ScheduleFile { version: VERSION, found, answers: written(&failure.schedule), options: options.clone() }
    }

    /// The file as text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let body = toml::to_string(self).expect("numbers, names and lists of them have a TOML form");
        format!("# A recorded world. To see it again: quorate-sim replay --schedule FILE\n{body}")
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`InvalidSchedule`] for anything that this release does not write.
    pub fn parse(text: &str) -> Result<Self, InvalidSchedule> {
        if text.len() > FILE_BYTES_MAX {
            return Err(InvalidSchedule::TooLarge);
        }
        let version = toml::from_str::<Versioned>(text).map_err(syntax)?.version;
        if version != VERSION {
            return Err(InvalidSchedule::Version { found: version });
        }
        toml::from_str(text).map_err(syntax)
    }

    /// The world.
    ///
    /// # Errors
    /// [`InvalidSchedule`] when there is no such world.
    pub fn to_subject(&self) -> Result<Subject, InvalidSchedule> {
        check(&self.options)?;
        let choices = Choices::from_schedule(read(&self.answers)?);
        Ok(Subject { options: self.options.clone(), choices })
    }
}

/// The part that all formats share.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

fn syntax(error: toml::de::Error) -> InvalidSchedule {
    InvalidSchedule::Syntax(error.message().to_owned())
}

/// What a world relies on, beyond what its engine checks.
fn check(options: &Options) -> Result<(), InvalidSchedule> {
    let wrong = |text: String| Err(InvalidSchedule::Options(text));
    if !MEMBERS.contains(&options.members) {
        return wrong(format!("{} members", options.members));
    }
    if let Some(id) = options.byzantine.iter().find(|id| id.0 >= options.members) {
        return wrong(format!("replica {id} is no member"));
    }
    if options.clients.count > CLIENTS_MAX {
        return wrong(format!("{} clients, at most {CLIENTS_MAX}", options.clients.count));
    }
    Ok(())
}

fn written(answers: &[u64]) -> String {
    let used = answers.iter().rposition(|answer| *answer > 0).map_or(0, |last| last + 1);
    let (mut words, mut zeros) = (Vec::new(), 0_usize);
    for answer in answers.iter().take(used) {
        if *answer == 0 {
            zeros += 1;
            continue;
        }
        push_zeros(&mut words, std::mem::take(&mut zeros));
        words.push(answer.to_string());
    }
    words.join(" ")
}

fn push_zeros(words: &mut Vec<String>, zeros: usize) {
    match zeros {
        0 => {}
        1 => words.push("0".to_owned()),
        _ => words.push(format!("0*{zeros}")),
    }
}

fn read(text: &str) -> Result<Vec<u64>, InvalidSchedule> {
    let mut answers = Vec::new();
    for word in text.split_ascii_whitespace() {
        let invalid = || InvalidSchedule::Answer(word.chars().take(20).collect());
        let (answer, count) = match word.strip_prefix("0*") {
            Some(count) => (0, count.parse().map_err(|_| invalid())?),
            None => (word.parse().map_err(|_| invalid())?, 1_usize),
        };
        if count > ANSWERS_MAX - answers.len() {
            return Err(InvalidSchedule::TooLong);
        }
        answers.resize(answers.len() + count, answer);
    }
    Ok(answers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> ScheduleFile {
        let options = Options::draw(&mut Choices::from_seed(4), None);
        ScheduleFile { version: VERSION, found: "a \"thing\"".to_owned(), answers: "3 0*7 5".to_owned(), options }
    }

    #[test]
    fn a_schedule_survives_the_way_to_a_file_and_back() {
        let file = file();
        let again = ScheduleFile::parse(&file.to_text()).expect("it was written here");
        assert_eq!(again, file);
        assert_eq!(again.to_subject().expect("a world").options, file.options);
        for answers in [vec![], vec![0, 0], vec![1], vec![0, 3, 0, 0, 0, u64::MAX, 0]] {
            let used = answers.iter().rposition(|answer| *answer > 0).map_or(0, |last| last + 1);
            assert_eq!(read(&written(&answers)).expect("it was written here"), answers[..used]);
        }
    }

    #[test]
    fn what_is_no_schedule_is_refused_with_a_reason() {
        let reason = |text: &str| match ScheduleFile::parse(text).and_then(|file| file.to_subject()) {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        };
        let text = file().to_text();
        assert_eq!(reason(&text), "");
        assert!(reason("").contains("missing field `version`"), "{}", reason(""));
        assert!(reason("\u{0}\u{ff}").contains("no schedule"));
        assert!(reason(&text.replace("version = 1", "version = 2")).contains("format 2"));
        assert!(reason(&text.replace("0*7", "0*99999999")).contains("more than"));
        assert!(reason(&text.replace("0*7", "0*99999999999999999999999")).contains("no answer"));
        assert!(reason(&text.replace("0*7", "-7")).contains("`-7` is no answer"));
        assert!(reason(&text.replace("[options]", "[options]\nnothing = 1")).contains("unknown field"));
        let mut small = file();
        small.options.members = 3;
        assert!(reason(&small.to_text()).contains("3 members"));
        assert!(reason(&"#".repeat(FILE_BYTES_MAX + 1)).contains("bytes"));
    }
}
