//! `quorate submit`.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use quorate::client::ClientOptions;
use quorate_ledger::LedgerRefusal;
use tokio::task::JoinSet;

use super::arguments::SubmitArguments;
use crate::exit::Exit;
use crate::home::ClientHome;
use crate::ledger_client::{ConnectError, LedgerClient, LedgerError, Posted};
use crate::transfers_file::{BadLine, Line, TransfersFile};

/// Bad lines and failed transfers that are shown each; further ones are counted.
const SHOWN_MAX: u64 = 20;

/// Why not all of a file was posted.
#[derive(Debug, thiserror::Error)]
enum SubmitError {
    #[error("cannot read {}: {source}", path.display())]
    File { path: std::path::PathBuf, source: io::Error },
    #[error("{}: {problem}; nothing was sent", path.display())]
    Unreadable { path: std::path::PathBuf, problem: BadLine },
    #[error("{0} lines are no transfers; nothing was sent. Correct them, or leave them out with --keep-going")]
    BadLines(u64),
    #[error("{} holds no transfer: nothing was sent. Is it the right file?", .0.display())]
    NoTransfers(std::path::PathBuf),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("cannot start threads: {0}")]
    System(#[from] io::Error),
}

impl SubmitError {
    fn exit(&self) -> Exit {
        match self {
            SubmitError::File { .. } | SubmitError::Unreadable { .. } | SubmitError::System(_) => Exit::Io,
            SubmitError::BadLines(_) | SubmitError::NoTransfers(_) => Exit::Damaged,
            SubmitError::Connect(error) => error.exit(),
        }
    }
}

pub(super) fn run(arguments: &SubmitArguments) -> Exit {
    match submit(arguments) {
        Ok(tally) => {
            println!("{tally}");
            if tally.is_complete() { Exit::Success } else { Exit::Incomplete }
        }
        Err(error) => {
            eprintln!("error: {error}");
            error.exit()
        }
    }
}

fn submit(arguments: &SubmitArguments) -> Result<Tally, SubmitError> {
    let home = ClientHome::load(&arguments.client).map_err(ConnectError::Home)?;
    let checked = check(&arguments.file, arguments.keep_going)?;
    let window = usize::try_from(home.genesis().limits.client_window).unwrap_or(usize::MAX);
    let in_flight = arguments.in_flight.map_or(window, |number| number.get().min(window));
    let lines = open(&arguments.file)?.filter_map(Result::ok);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = LedgerClient::connect(&home, ClientOptions::default()).await?;
        let mut submission = Submission::new(client, checked, arguments.keep_going);
        submission.send(lines, in_flight).await;
        Ok(submission.finish())
    })
}

fn open(path: &Path) -> Result<TransfersFile<BufReader<File>>, SubmitError> {
    let file = File::open(path).map_err(|source| SubmitError::File { path: path.into(), source })?;
    Ok(TransfersFile::new(BufReader::new(file)))
}

/// How many lines of a file are transfers, and how many are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Checked {
    good: u64,
    bad: u64,
}

/// Looks at every line and shows the bad ones.
fn check(path: &Path, keep_going: bool) -> Result<Checked, SubmitError> {
    let (mut good, mut bad) = (0, 0);
    for line in open(path)? {
        match line {
            Ok(_) => good += 1,
            Err(problem) if problem.is_unreadable() => {
                return Err(SubmitError::Unreadable { path: path.into(), problem });
            }
            Err(line) => {
                bad += 1;
                if bad <= SHOWN_MAX {
                    eprintln!("{}: {line}", path.display());
                }
            }
        }
    }
    if bad > SHOWN_MAX {
        eprintln!("{}: and {} more bad lines", path.display(), bad - SHOWN_MAX);
    }
    match (good, bad) {
        (0, 0) => Err(SubmitError::NoTransfers(path.into())),
        (_, 0) => Ok(Checked { good, bad }),
        (_, _) if keep_going => Ok(Checked { good, bad }),
        (_, _) => Err(SubmitError::BadLines(bad)),
    }
}

/// The end of one transfer's way.
type Sent = (u64, Result<Posted, LedgerError>);

/// A file on its way to the network.
struct Submission {
    client: LedgerClient,
    progress: ProgressBar,
    started: Instant,
    keep_going: bool,
    tally: Tally,
}

impl Submission {
    fn new(client: LedgerClient, checked: Checked, keep_going: bool) -> Self {
        let progress = ProgressBar::new(checked.good);
        let style = ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} {per_sec} {eta}");
        progress.set_style(style.expect("the template is well formed"));
        Submission {
            client,
            progress,
            started: Instant::now(),
            keep_going,
            tally: Tally { left_out: checked.bad, ..Tally::default() },
        }
    }

    async fn send(&mut self, lines: impl Iterator<Item = Line>, in_flight: usize) {
        let mut on_their_way: JoinSet<Sent> = JoinSet::new();
        for line in lines {
            if on_their_way.len() >= in_flight {
                self.take_next(&mut on_their_way).await;
            }
            if self.is_over() {
                self.tally.is_cut_short = true;
                break;
            }
            let client = self.client.clone();
            on_their_way.spawn(async move { (line.number, client.transfer(line.transfer).await) });
        }
        while !on_their_way.is_empty() {
            self.take_next(&mut on_their_way).await;
        }
    }

    fn is_over(&self) -> bool {
        self.tally.failed > 0 && !self.keep_going
    }

    async fn take_next(&mut self, on_their_way: &mut JoinSet<Sent>) {
        if let Some(Ok((line, result))) = on_their_way.join_next().await {
            self.progress.inc(1);
            if let Some(problem) = self.tally.count(result)
                && self.tally.failed <= SHOWN_MAX
            {
                self.progress.suspend(|| eprintln!("line {line}: {problem}"));
            }
        }
    }

    fn finish(self) -> Tally {
        self.progress.finish_and_clear();
        Tally { took: self.started.elapsed(), ..self.tally }
    }
}

/// What became of the transfers of a file.
#[derive(Debug, Default)]
struct Tally {
    posted: u64,
    posted_before: u64,
    failed: u64,
    left_out: u64,
    is_cut_short: bool,
    took: Duration,
}

impl Tally {
    fn is_complete(&self) -> bool {
        self.failed == 0 && self.left_out == 0 && !self.is_cut_short
    }

    /// Counts one; gives what there is to say about it.
    fn count(&mut self, result: Result<Posted, LedgerError>) -> Option<LedgerError> {
        match result {
            Ok(_) => self.posted += 1,
            Err(LedgerError::Refused(LedgerRefusal::AlreadyPosted { .. })) => self.posted_before += 1,
            Err(error) => {
                self.failed += 1;
                return Some(error);
            }
        }
        None
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.took.as_secs_f64();
        write!(f, "{} transfers posted in {seconds:.1} s", self.posted)?;
        if self.posted > 0 && seconds > 0.0 {
            write!(f, " ({:.0} per second)", self.posted as f64 / seconds)?;
        }
        if self.posted_before > 0 {
            write!(f, ", {} were posted before", self.posted_before)?;
        }
        if self.failed > 0 {
            write!(f, ", {} failed", self.failed)?;
        }
        if self.left_out > 0 {
            write!(f, ", {} bad lines were left out", self.left_out)?;
        }
        if self.is_cut_short {
            f.write_str("; stopped there: the rest of the file was not sent. Send it again when the cause is gone")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use quorate::SeqNum;

    use super::*;

    fn file(lines: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        write!(file, "id,date,debit,credit,amount,reference\n{lines}").unwrap();
        file
    }

    #[test]
    fn bad_lines_stop_a_file_unless_it_shall_go_on() {
        let file = file("1,1993-01-01,a,b,5,\nnonsense\n2,1993-01-01,a,b,5,\n");
        assert!(matches!(check(file.path(), false), Err(SubmitError::BadLines(1))));
        assert_eq!(check(file.path(), true).unwrap(), Checked { good: 2, bad: 1 });
        let missing = check(Path::new("/nowhere/at/all.csv"), true).unwrap_err();
        assert_eq!(missing.exit(), Exit::Io);
    }

    #[test]
    fn a_file_without_transfers_and_a_folder_are_no_files_of_transfers() {
        for keep_going in [false, true] {
            let empty = tempfile::NamedTempFile::new().unwrap();
            for nothing in [empty, file(""), file("\n\n")] {
                let error = check(nothing.path(), keep_going).unwrap_err();
                assert_eq!(error.exit(), Exit::Damaged);
                assert!(error.to_string().contains("holds no transfer"), "{error}");
            }
            let folder = tempfile::tempdir().unwrap();
            let error = check(folder.path(), keep_going).unwrap_err();
            assert_eq!(error.exit(), Exit::Io, "{error}");
        }
    }

    #[test]
    fn a_transfer_that_is_posted_already_is_no_failure() {
        let mut tally = Tally::default();
        assert!(tally.count(Ok(Posted { seq: SeqNum(1), index: 0 })).is_none());
        let before = LedgerRefusal::AlreadyPosted { seq: SeqNum(1) };
        assert!(tally.count(Err(LedgerError::Refused(before))).is_none());
        let taken = LedgerRefusal::IdTaken { seq: SeqNum(1) };
        assert!(tally.count(Err(LedgerError::Refused(taken))).is_some());
        assert_eq!((tally.posted, tally.posted_before, tally.failed), (1, 1, 1));
        let tally = Tally { took: Duration::from_secs(2), ..tally };
        assert_eq!(tally.to_string(), "1 transfers posted in 2.0 s (0 per second), 1 were posted before, 1 failed");
    }
}
