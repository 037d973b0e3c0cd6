//! The program as people and scripts use it: its exit codes, its words, and a network of one replica from its genesis to
//! its end.

#![allow(clippy::unwrap_used)]

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_quorate");

fn quorate(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).env_remove("QUORATE_LOG").output().unwrap()
}

/// What a command said that ended with this exit code.
fn ends_with(code: i32, arguments: &[&str]) -> String {
    let output = quorate(arguments);
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    text
}

/// A running `quorate node`, killed when the test fails.
struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Running {
    fn start(command: &mut Command) -> Running {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert!(line.starts_with("ready: replica 0 of network local, "), "{line}");
        Running { child, stdout }
    }

    fn end(&mut self, signal: Signal) -> Option<i32> {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A network of one replica and one client: the folder, and the homes as arguments.
fn network() -> (TempDir, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net");
    let said = ends_with(0, &["genesis", path.to_str().unwrap(), "--replicas", "1"]);
    let home = |name: &str| path.join(name).to_str().unwrap().to_owned();
    assert!(said.contains(&format!("quorate node --home {}", home("replica-0"))), "{said}");
    let (replica, client) = (home("replica-0"), home("client-0"));
    (folder, replica, client)
}

fn write(folder: &Path, lines: &str) -> String {
    let path = folder.join("transfers.csv");
    fs::write(&path, format!("id,date,debit,credit,amount,reference\n{lines}")).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_command_line_that_makes_no_sense_is_told_what_would() {
    for (arguments, said) in [
        (&["submit"][..], "--client <FOLDER>"),
        (&["node"], "--home <FOLDER>"),
        (&["status"], "<URL>"),
        (&["gensis", "net"], "genesis"),
        (&["genesis", "net", "--base-port", "70000"], "0..=65535"),
        (&["balance", "--client", "x", ""], "1 to 64 bytes"),
        (&["genesis", "/nowhere/net", "--replicas", "2"], "1 member (development) or 4"),
        (&["--log", "quorate=loudly", "genesis", "/nowhere/net"], "no filter for logs"),
    ] {
        let text = ends_with(2, arguments);
        assert!(text.contains(said), "{arguments:?}: {text}");
    }
}

#[test]
fn every_command_helps_with_an_example() {
    for command in ["genesis", "node", "submit", "balance", "status", "inspect", "repair"] {
        let text = ends_with(0, &[command, "--help"]);
        assert!(text.contains(&format!("  quorate {command} ")), "{text}");
    }
}

#[test]
fn a_home_that_cannot_be_used_is_told_by_exit_code_and_in_words() {
    assert!(ends_with(78, &["node", "--home", "/nowhere"]).contains("genesis.toml is missing"));
    assert!(ends_with(78, &["submit", "--client", "/nowhere", "x.csv"]).contains("genesis.toml is missing"));
    assert!(ends_with(78, &["status", "--client", "/nowhere"]).contains("genesis.toml is missing"));
    let (_folder, replica, _) = network();
    let config = Path::new(&replica).join("config.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("speed = 11\n{text}")).unwrap();
    assert!(ends_with(78, &["node", "--home", &replica]).contains("unknown field `speed`"));
    fs::write(&config, text).unwrap();
    fs::write(Path::new(&replica).join("identity"), "nonsense").unwrap();
    assert!(ends_with(65, &["node", "--home", &replica]).contains("damaged"));
}

#[test]
fn a_home_of_another_network_or_with_another_key_is_not_used() {
    let (_folder, replica, _) = network();
    let (_other_folder, other, _) = network();
    let file = |home: &str, name: &str| Path::new(home).join(name);
    let with = |name: &str, said: &str| {
        let own = fs::read(file(&replica, name)).unwrap();
        fs::copy(file(&other, name), file(&replica, name)).unwrap();
        let text = ends_with(78, &["node", "--home", &replica]);
        assert!(text.contains(said), "{text}");
        fs::write(file(&replica, name), own).unwrap();
    };
    with("genesis.toml", "made for network");
    with("node.key", "is not that of replica 0");

    let key = file(&replica, "node.key");
    fs::set_permissions(&key, Permissions::from_mode(0o640)).unwrap();
    assert!(ends_with(78, &["node", "--home", &replica]).contains("chmod 600"));
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();

    // What the engine has written belongs to one network too, whatever the files for people say.
    let mut node = Running::start(Command::new(PROGRAM).args(["node", "--home", &replica]));
    assert_eq!(node.end(Signal::TERM), Some(0));
    for name in ["genesis.toml", "config.toml", "node.key"] {
        fs::copy(file(&other, name), file(&replica, name)).unwrap();
    }
    for command in ["node", "inspect", "repair"] {
        let text = ends_with(78, &[command, "--home", &replica]);
        assert!(text.contains("belongs to"), "{command}: {text}");
    }
}

#[test]
fn a_home_is_inspected_and_repaired() {
    let (folder, replica, client) = network();
    assert!(ends_with(0, &["inspect", "--home", &replica]).contains("A start would make a new home."));
    let mut node = Running::start(Command::new(PROGRAM).args(["node", "--home", &replica]));
    let file = write(folder.path(), "1,1993-01-01,cash,a,5,x\n2,1993-01-02,cash,b,7,\n");
    ends_with(0, &["submit", "--client", &client, &file]);
    assert!(ends_with(75, &["inspect", "--home", &replica]).contains("another process uses this home"));
    assert!(ends_with(75, &["repair", "--home", &replica, "--yes"]).contains("another process uses this home"));
    assert_eq!(node.end(Signal::TERM), Some(0));
    assert!(ends_with(0, &["inspect", "--home", &replica]).contains("A start would go on where the replica stopped."));
    assert!(ends_with(0, &["repair", "--home", &replica]).contains("There is nothing to repair."));

    fs::write(Path::new(&replica).join("identity"), "nonsense").unwrap();
    assert!(ends_with(65, &["inspect", "--home", &replica]).contains("identity: damaged"));
    let text = ends_with(1, &["repair", "--home", &replica]);
    assert!(text.contains("1. write the file `identity` again") && text.contains("Nothing was changed."), "{text}");
    ends_with(65, &["node", "--home", &replica]);
    assert!(ends_with(0, &["repair", "--home", &replica, "--yes"]).contains("Done."));
    let mut node = Running::start(Command::new(PROGRAM).args(["node", "--home", &replica]));
    assert!(ends_with(0, &["balance", "--client", &client, "cash"]).contains("balance -12"));
    assert_eq!(node.end(Signal::TERM), Some(0));
}

#[test]
fn a_replica_of_one_stops_at_once() {
    let (_folder, replica, _) = network();
    let mut node = Running::start(Command::new(PROGRAM).args(["node", "--home", &replica]));
    let asked = Instant::now();
    assert_eq!(node.end(Signal::TERM), Some(0));
    // It would wait three seconds for somebody to take over.
    assert!(asked.elapsed() < Duration::from_millis(2_500), "{:?}", asked.elapsed());
}

#[test]
fn a_network_of_one_from_genesis_to_end() {
    let (folder, replica, client) = network();
    let mut node = Running::start(Command::new(PROGRAM).args(["node", "--home", &replica]));
    assert!(ends_with(75, &["node", "--home", &replica]).contains("another process uses this home"));

    let file = write(folder.path(), "1,1993-01-01,cash,a,5,x\n2,1993-01-02,cash,b,7,\nnonsense\n");
    let text = ends_with(65, &["submit", "--client", &client, &file]);
    assert!(text.contains("line 4: has 1 columns") && text.contains("nothing was sent"), "{text}");
    let text = ends_with(1, &["submit", "--client", &client, "--keep-going", &file]);
    assert!(text.contains("2 transfers posted") && text.contains("1 bad lines were left out"), "{text}");
    let file = write(folder.path(), "1,1993-01-01,cash,a,5,x\n2,1993-01-02,cash,b,7,\n");
    assert!(ends_with(0, &["submit", "--client", &client, &file]).contains("2 were posted before"));
    assert!(ends_with(65, &["submit", "--client", &client, "/dev/null"]).contains("holds no transfer"));
    assert!(ends_with(74, &["submit", "--client", &client, "/"]).contains("cannot read on"));
    let file = write(folder.path(), "1,1993-01-01,cash,a,6,x\n");
    let text = ends_with(1, &["submit", "--client", &client, &file]);
    assert!(text.contains("line 2: the ledger refused: another transfer has this identifier"), "{text}");

    assert!(
        ends_with(0, &["balance", "--client", &client, "cash"]).contains("cash: balance -12, debits 12, credits 0")
    );
    assert!(ends_with(0, &["status", "--client", &client]).contains("1 of 1 replicas vote"));
    assert_eq!(node.end(Signal::TERM), Some(0));
    let text = ends_with(1, &["status", "--client", &client]);
    assert!(text.contains("replica 0 is missing"), "{text}");
}

#[test]
fn a_replica_ends_with_the_process_that_started_it() {
    let (_folder, replica, _) = network();
    // The shell lives until its input ends.
    let script = format!("{PROGRAM} node --home '{replica}' --exit-with-parent $$ & cat >/dev/null; kill -KILL $$");
    let mut shell = Running::start(Command::new("sh").args(["-c", &script]).stdin(Stdio::piped()));
    drop(shell.child.stdin.take());
    // The output ends when the replica does: it holds the other end.
    let mut rest = String::new();
    shell.stdout.read_to_string(&mut rest).unwrap();
    let late = quorate(&["node", "--home", &replica, "--exit-with-parent", "4294967295"]);
    assert_eq!(late.status.code(), Some(74));
}
