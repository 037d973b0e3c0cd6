//! What becomes of a replica whose disk is not as it left it: a home that was set back, a damaged one, an emptied one, a
//! full disk. Real processes, killed with SIGKILL; the payments of everybody else go on.

#![allow(clippy::unwrap_used)]

mod support;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use quorate::genesis::Limits;
use quorate::{NodeConfig, ReplicaId};
use quorate_node::NetworkPlan;
use quorate_testnet::byzantine::Liars;
use quorate_testnet::replica_status::table;
use quorate_testnet::{Cluster, ClusterPlan};
use support::{PROGRAM, all_paid, assert_all_hold, assert_no_evidence, copy_folder, payments, program, until};

const ABSENT: ReplicaId = ReplicaId(3);

/// Four replicas with a small window, so that checkpoints come soon, and small segments.
async fn cluster() -> Cluster {
    let limits = Limits { checkpoint_interval: 16, ..Limits::default() };
    let engine = NodeConfig { segment_bytes: 8 << 20, ..NodeConfig::default() };
    let network = NetworkPlan { clients: 2, limits, engine, ..NetworkPlan::default() };
    Cluster::start(&ClusterPlan { program: PROGRAM.into(), network, keep: false, corrupt: None, liars: Liars::new() })
        .await
        .unwrap()
}

fn home(cluster: &Cluster) -> PathBuf {
    cluster.network().replicas[ABSENT.index()].clone()
}

fn log(cluster: &Cluster) -> String {
    fs::read_to_string(home(cluster).with_extension("log")).unwrap()
}

/// Waits until the absent replica says so of itself.
async fn says(cluster: &Cluster, what: &str) {
    let mut seen = Vec::new();
    until(
        || format!("waited for `{what}`"),
        async || {
            seen = cluster.observe().await;
            let status = seen[ABSENT.index()].status();
            status.is_some_and(|status| status.why_not_voting.as_ref().is_some_and(|why| why.contains(what)))
        },
    )
    .await;
    assert!(!table(&seen).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_home_that_was_set_back_casts_no_second_vote_and_says_why() {
    let mut cluster = cluster().await;
    let payments = payments(600);
    all_paid(&cluster, &payments[..200]).await;
    cluster.kill(ABSENT).await.unwrap();
    let (path, backup) = (home(&cluster), cluster.folder().join("backup"));
    copy_folder(&path, &backup);
    cluster.restart(ABSENT).unwrap();
    // It takes part again, so that it signs what the copy does not know.
    assert_all_hold(&cluster, &payments[..200]).await;
    all_paid(&cluster, &payments[200..400]).await;
    cluster.kill(ABSENT).await.unwrap();
    fs::remove_dir_all(&path).unwrap();
    fs::rename(&backup, &path).unwrap();

    cluster.restart(ABSENT).unwrap();
    says(&cluster, "does not know all that it has signed").await;
    all_paid(&cluster, &payments[400..]).await;
    assert_all_hold(&cluster, &payments).await;
    assert!(log(&cluster).contains("its home was emptied or set back, or is used twice"), "{}", log(&cluster));
    assert_no_evidence(&cluster);
    cluster.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_with_an_emptied_home_joins_again() {
    let mut cluster = cluster().await;
    let payments = payments(600);
    all_paid(&cluster, &payments[..300]).await;
    cluster.kill(ABSENT).await.unwrap();
    cluster.empty_home(ABSENT).unwrap();
    cluster.restart(ABSENT).unwrap();
    all_paid(&cluster, &payments[300..]).await;
    assert_all_hold(&cluster, &payments).await;
    assert_no_evidence(&cluster);
    cluster.stop().await.unwrap();
}

/// Flips bits in the middle of what a file holds; says whether it holds anything.
fn damage(file: &Path) -> bool {
    let mut bytes = fs::read(file).unwrap();
    let Some(end) = bytes.iter().rposition(|byte| *byte != 0) else { return false };
    let middle = end / 2;
    bytes[middle..=(middle + 64).min(end)].iter_mut().for_each(|byte| *byte ^= 0x5A);
    fs::write(file, bytes).unwrap();
    true
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .flat_map(|entry| if entry.file_type().unwrap().is_dir() { files(&entry.path()) } else { vec![entry.path()] })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_comes_back_whichever_of_its_files_is_damaged() {
    let mut cluster = cluster().await;
    let payments = payments(500);
    all_paid(&cluster, &payments[..100]).await;
    let (path, mut paid) = (home(&cluster), 100);
    for part in ["journal", "promises", "sealed", "snapshots"] {
        cluster.kill(ABSENT).await.unwrap();
        let damaged = files(&path).into_iter().filter(|file| {
            let name = file.strip_prefix(&path).unwrap().to_string_lossy().into_owned();
            name.contains(part) && damage(file)
        });
        let damaged: Vec<_> = damaged.collect();
        assert!(!damaged.is_empty() || part == "snapshots", "{part} is not in {:?}", files(&path));
        cluster.restart(ABSENT).unwrap();
        all_paid(&cluster, &payments[paid..paid + 100]).await;
        paid += 100;
        assert_all_hold(&cluster, &payments[..paid]).await;
    }
    assert_no_evidence(&cluster);
    cluster.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_keeps_a_replica_from_voting_until_there_is_room_again() {
    let mut cluster = cluster().await;
    let payments = payments(400);
    all_paid(&cluster, &payments[..100]).await;
    cluster.kill(ABSENT).await.unwrap();
    let path = home(&cluster);
    // The home may take 128 MiB, 32 of which must be left.
    let config = fs::read_to_string(path.join("config.toml")).unwrap();
    let limited = config.lines().map(|line| match line.split('=').next().unwrap().trim() {
        "disk_bytes_max" => format!("disk_bytes_max = {}", 128 << 20),
        "disk_reserve_bytes" => format!("disk_reserve_bytes = {}", 32 << 20),
        _ => line.to_owned(),
    });
    fs::write(path.join("config.toml"), limited.collect::<Vec<_>>().join("\n")).unwrap();
    cluster.restart(ABSENT).unwrap();
    all_paid(&cluster, &payments[100..200]).await;
    assert_all_hold(&cluster, &payments[..200]).await;

    let filler = path.join("filler");
    let mut file = OpenOptions::new().create_new(true).write(true).open(&filler).unwrap();
    file.write_all(&vec![1; 128 << 20]).unwrap();
    says(&cluster, "its disk is full").await;
    all_paid(&cluster, &payments[200..300]).await;
    fs::remove_file(filler).unwrap();
    all_paid(&cluster, &payments[300..]).await;
    assert_all_hold(&cluster, &payments).await;
    assert!(log(&cluster).contains("the disk is full: stopped voting"), "{}", log(&cluster));
    cluster.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_home_that_is_in_use_is_not_used_by_a_second_process() {
    let cluster = cluster().await;
    let path = home(&cluster);
    let second = program(&["node", "--home", path.to_str().unwrap()]).output().await.unwrap();
    let said = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(75), "{said}");
    assert!(said.contains("another process uses this home"), "{said}");
    let payments = payments(50);
    all_paid(&cluster, &payments).await;
    assert_all_hold(&cluster, &payments).await;
    cluster.stop().await.unwrap();
}
