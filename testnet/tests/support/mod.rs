//! What the tests with real processes share: the program, networks of it, and waiting for what they do.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use quorate::client::ClientOptions;
use quorate_ledger::Transfer;
use quorate_node::NetworkPlan;
use quorate_testnet::audit::{Expected, audit};
use quorate_testnet::balances::Balances;
use quorate_testnet::byzantine::Liars;
use quorate_testnet::load::{Load, connect};
use quorate_testnet::payments::generate;
use quorate_testnet::replica_status::{Observation, table};
use quorate_testnet::{Cluster, ClusterPlan};
use tokio::process::Command;

/// Far longer than anything takes: only a failing test waits for it.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// The pause between two looks at something that reports no event.
const LOOKS: Duration = Duration::from_millis(20);

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_quorate-testnet");

pub fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// The exit code and what was written to stdout and stderr.
pub async fn run(arguments: &[&str]) -> (i32, String, String) {
    let ended = tokio::time::timeout(PATIENCE, program(arguments).output()).await;
    let Output { status, stdout, stderr } = ended.expect("an end in time").unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().expect("an exit code"), text(stdout), text(stderr))
}

/// A network of four replicas.
pub async fn cluster() -> Cluster {
    let network = NetworkPlan { clients: 2, ..NetworkPlan::default() };
    Cluster::start(&ClusterPlan { program: PROGRAM.into(), network, keep: false, corrupt: None, liars: Liars::new() })
        .await
        .unwrap()
}

/// Two clients that pay.
pub async fn pay(cluster: &Cluster, payments: &Arc<[Transfer]>) -> Load {
    let clients = connect(&cluster.client_homes().unwrap(), ClientOptions::default()).await.unwrap();
    Load::start(clients, Arc::clone(payments), 64)
}

/// Has all payments paid.
pub async fn all_paid(cluster: &Cluster, payments: &[Transfer]) {
    let payments: Arc<[Transfer]> = payments.into();
    let mut load = pay(cluster, &payments).await;
    while let Some(paid) = load.next().await {
        paid.result.unwrap();
    }
}

/// Copies a folder with all that is below it.
pub fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// No replica has found two statements of one member that contradict each other.
pub fn assert_no_evidence(cluster: &Cluster) {
    for home in &cluster.network().replicas {
        let found = fs::read_dir(home.join("evidence")).map(Iterator::count).unwrap_or_default();
        assert_eq!(found, 0, "{}", home.display());
    }
}

pub fn payments(count: u64) -> Arc<[Transfer]> {
    generate(count).unwrap().into()
}

/// Waits until all replicas vote and stand at the same slot, and checks every account of each of them.
pub async fn assert_all_hold(cluster: &Cluster, payments: &[Transfer]) {
    let mut seen = Vec::new();
    until(
        || table(&[]),
        async || {
            seen = cluster.observe().await;
            is_agreed(&seen)
        },
    )
    .await;
    let expected = Expected { source: "the payments".into(), balances: Balances::after(payments) };
    let audit = audit(cluster.http(), cluster.liars(), payments.len() as u64, &[expected]).await;
    assert!(audit.problems.is_empty(), "{:#?}", audit.problems);
}

fn is_agreed(observations: &[Observation]) -> bool {
    let Some(first) = observations.first().and_then(Observation::status) else { return false };
    observations.iter().all(|found| found.status().is_some_and(|status| status.voting && status.chain == first.chain))
}

/// Waits until `condition` holds; `state` says what is so instead.
pub async fn until(state: impl Fn() -> String, mut condition: impl AsyncFnMut() -> bool) {
    let mut looks = tokio::time::interval(LOOKS);
    let holds = async {
        while !condition().await {
            looks.tick().await;
        }
    };
    if tokio::time::timeout(PATIENCE, holds).await.is_err() {
        panic!("not in time; {}", state());
    }
}

/// The processes that have `text` in their command line and have not ended.
pub fn processes_with(text: &str) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().into_string().ok());
    let numbers = processes.filter_map(|name| name.parse::<u32>().ok());
    numbers.filter(|pid| command_line(*pid).contains(text)).collect()
}

/// Empty for a process that has ended, whether or not somebody has taken note of it.
fn command_line(pid: u32) -> String {
    let bytes = fs::read(Path::new("/proc").join(pid.to_string()).join("cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).replace('\0', " ")
}
