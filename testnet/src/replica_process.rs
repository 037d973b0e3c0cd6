//! [`ReplicaProcess`]: one replica in a process of its own.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use quorate::ReplicaId;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::error::TestnetError;

/// How many of the last lines of a log are shown.
const LOG_LINES: usize = 8;

/// A replica in a process of its own. Dropping it kills the process.
#[derive(Debug)]
pub struct ReplicaProcess {
    replica: ReplicaId,
    home: PathBuf,
    log: PathBuf,
    options: Vec<String>,
    child: Option<Child>,
}

impl ReplicaProcess {
    /// A replica that does not run yet, and what is written on its command line beside the usual.
    #[must_use]
    pub fn new(replica: ReplicaId, home: PathBuf, options: Vec<String>) -> Self {
        let log = home.with_extension("log");
        ReplicaProcess { replica, home, log, options, child: None }
    }

    /// Who it is.
    #[must_use]
    pub fn replica(&self) -> ReplicaId {
        self.replica
    }

    /// The number of the process while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    /// Starts the process; `program` is this program. Its log is added to the file beside its home.
    ///
    /// # Errors
    /// [`TestnetError`] when the system gives no process or the log cannot be written.
    pub fn start(&mut self, program: &Path) -> Result<(), TestnetError> {
        let log = OpenOptions::new().create(true).append(true).open(&self.log);
        let log = log.map_err(|source| TestnetError::File { path: self.log.clone(), doing: "write", source })?;
        let parent = OsString::from(std::process::id().to_string());
        let child = Command::new(program)
            .args(["node".as_ref(), "--home".as_ref(), self.home.as_os_str()])
            .args(["--exit-with-parent".into(), parent])
            .args(&self.options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            // Ctrl-C in a terminal is for the one that manages the replicas.
            .process_group(0)
            .kill_on_drop(true)
            .spawn();
        self.child = Some(child.map_err(|source| TestnetError::System { doing: "start a replica", source })?);
        Ok(())
    }

    /// Waits until it says that it listens.
    ///
    /// # Errors
    /// The exit status of a process that has ended instead.
    pub async fn ready(&mut self) -> io::Result<Result<(), ExitStatus>> {
        let child = self.child.as_mut().ok_or_else(|| io::Error::other("the replica was not started"))?;
        if let Some(stdout) = child.stdout.take() {
            let mut line = String::new();
            BufReader::new(stdout).read_line(&mut line).await?;
            if line.starts_with("ready:") {
                return Ok(Ok(()));
            }
        }
        child.wait().await.map(Err)
    }

    /// Kills the process with SIGKILL and waits for its end.
    ///
    /// # Errors
    /// What the system says.
    pub async fn kill(&mut self) -> io::Result<()> {
        match self.child.take() {
            Some(mut child) => child.kill().await,
            None => Ok(()),
        }
    }

    /// Whether it was started and not killed.
    #[must_use]
    pub fn is_meant_to_run(&self) -> bool {
        self.child.is_some()
    }

    /// Checks that the process runs if it is meant to.
    ///
    /// # Errors
    /// [`TestnetError::ReplicaEnded`] when it has ended by itself.
    pub fn check(&mut self) -> Result<(), TestnetError> {
        let Some(child) = &mut self.child else { return Ok(()) };
        let status = child.try_wait().map_err(|source| TestnetError::System { doing: "look at a process", source })?;
        status.map_or(Ok(()), |status| Err(self.ended(status)))
    }

    /// What there is to say about a replica that has ended by itself.
    pub(crate) fn ended(&self, status: ExitStatus) -> TestnetError {
        TestnetError::ReplicaEnded { replica: self.replica, ending: status.to_string(), log: self.log_end() }
    }

    fn log_end(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = log.lines().rev().take(LOG_LINES).collect();
        lines.into_iter().rev().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
    }
}
