//! However the program ends, it leaves no process behind.

#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};
use support::{PATIENCE, cluster, processes_with, program, until};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Child;

/// The folder of the network that is named in the first line of what the program says.
async fn folder(says: impl AsyncRead + Unpin) -> String {
    let mut line = String::new();
    let read = async { BufReader::new(says).read_line(&mut line).await.unwrap() };
    tokio::time::timeout(PATIENCE, read).await.expect("a line in time");
    let folder = line.split_whitespace().find(|word| word.starts_with('/')).expect("a folder");
    folder.trim_end_matches(';').to_owned()
}

fn send(child: &Child, signal: Signal) {
    let pid = i32::try_from(child.id().unwrap()).unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

async fn gone(folder: &str) {
    until(|| format!("processes {:?} are left", processes_with(folder)), async || processes_with(folder).is_empty())
        .await;
}

#[tokio::test]
async fn the_replicas_of_a_program_that_is_killed_with_sigkill_end_too() {
    let mut up = program(&["up"]).spawn().unwrap();
    let folder = folder(up.stdout.take().unwrap()).await;
    assert_eq!(processes_with(&folder).len(), 4);
    up.kill().await.unwrap();
    gone(&folder).await;
    // Whatever network is made next removes what the killed one could not.
    cluster().await.stop().await.unwrap();
    assert!(!Path::new(&folder).exists());
}

#[tokio::test]
async fn ctrl_c_ends_a_network_that_is_up_and_removes_its_folder() {
    let mut up = program(&["up", "--replicas", "5"]).spawn().unwrap();
    let folder = folder(up.stdout.take().unwrap()).await;
    assert_eq!(processes_with(&folder).len(), 5);
    send(&up, Signal::INT);
    assert_eq!(up.wait().await.unwrap().code(), Some(0));
    assert!(processes_with(&folder).is_empty() && !Path::new(&folder).exists());
}

#[tokio::test]
async fn a_run_that_is_terminated_half_way_leaves_nothing_behind() {
    let mut run = program(&["--count", "1000000", "--kill", "0"]).spawn().unwrap();
    let folder = folder(run.stderr.take().unwrap()).await;
    assert_eq!(processes_with(&folder).len(), 4);
    send(&run, Signal::TERM);
    assert_eq!(run.wait().await.unwrap().code(), Some(143));
    assert!(processes_with(&folder).is_empty() && !Path::new(&folder).exists());
}

#[tokio::test]
async fn a_replica_that_dies_by_itself_ends_the_run_which_names_it() {
    let mut run = program(&["--count", "1000000", "--kill", "0"]).spawn().unwrap();
    let mut stderr = run.stderr.take().unwrap();
    let folder = folder(&mut stderr).await;
    let victim = processes_with(&format!("{folder}/replica-2"))[0];
    kill_process(Pid::from_raw(i32::try_from(victim).unwrap()).unwrap(), Signal::KILL).unwrap();
    let ended = tokio::time::timeout(PATIENCE, run.wait_with_output()).await.expect("an end in time").unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let mut rest = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut stderr, &mut rest).await.unwrap();
    assert!(rest.contains("replica 2 has ended by itself (signal: 9 (SIGKILL))"), "{rest}");
    assert!(processes_with(&folder).is_empty() && !Path::new(&folder).exists());
}
