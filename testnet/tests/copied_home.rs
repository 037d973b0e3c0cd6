//! A home that was copied and is used twice: a second process with the same key and, at first, the same journal. Its
//! peers tell it that it has signed more than it knows, or have no ear for it; the original and all others go on.

#![allow(clippy::unwrap_used)]

mod support;

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use quorate::ReplicaId;
use quorate::genesis::Limits;
use quorate_node::NetworkPlan;
use quorate_testnet::byzantine::Liars;
use quorate_testnet::http::Http;
use quorate_testnet::replica_status::{Observation, ReplicaStatus, observe};
use quorate_testnet::{Cluster, ClusterPlan};
use support::{PROGRAM, all_paid, assert_all_hold, assert_no_evidence, copy_folder, payments, program, until};
use tokio::process::Child;

/// A process that uses a copy of a replica's home, on ports of its own.
struct Copy {
    process: Child,
    log: PathBuf,
    http: Http,
}

impl Copy {
    fn start(home: &Path) -> Copy {
        // Held until all are chosen, so that they differ.
        let listeners: Vec<_> = (0..3).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let ports: Vec<SocketAddr> = listeners.iter().map(|listener| listener.local_addr().unwrap()).collect();
        drop(listeners);
        let config = fs::read_to_string(home.join("config.toml")).unwrap();
        let moved = config.lines().map(|line| match line.split('=').next().unwrap().trim() {
            "members" => format!("members = \"{}\"", ports[0]),
            "clients" => format!("clients = \"{}\"", ports[1]),
            "http" => format!("http = \"{}\"", ports[2]),
            _ => line.to_owned(),
        });
        fs::write(home.join("config.toml"), moved.collect::<Vec<_>>().join("\n")).unwrap();
        let log = home.with_extension("log");
        let mut command = program(&["node", "--home", home.to_str().unwrap()]);
        command.stdout(Stdio::null()).stderr(File::create(&log).unwrap());
        Copy { process: command.spawn().unwrap(), log, http: Http::new(vec![ports[2]]) }
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    async fn status(&self) -> Option<ReplicaStatus> {
        observe(&self.http).await.first().and_then(Observation::status).cloned()
    }

    /// Waits until it says why it does not vote.
    async fn says(&self, what: &str) {
        until(
            || format!("waited for `{what}`: {}", self.log()),
            async || {
                self.status().await.is_some_and(|status| status.why_not_voting.is_some_and(|why| why.contains(what)))
            },
        )
        .await;
    }

    async fn end(mut self) -> String {
        self.process.kill().await.unwrap();
        self.log()
    }
}

async fn cluster() -> Cluster {
    let limits = Limits { checkpoint_interval: 16, ..Limits::default() };
    let network = NetworkPlan { clients: 2, limits, ..NetworkPlan::default() };
    Cluster::start(&ClusterPlan { program: PROGRAM.into(), network, keep: false, corrupt: None, liars: Liars::new() })
        .await
        .unwrap()
}

/// A copy of a replica's home, made while it did not run. It runs again, and has signed more since.
async fn copied(cluster: &mut Cluster, original: ReplicaId) -> PathBuf {
    let payments = payments(200);
    all_paid(cluster, &payments[..100]).await;
    cluster.kill(original).await.unwrap();
    let copy = cluster.folder().join("copy");
    copy_folder(&cluster.network().replicas[original.index()], &copy);
    cluster.restart(original).unwrap();
    assert_all_hold(cluster, &payments[..100]).await;
    all_paid(cluster, &payments[100..]).await;
    assert_all_hold(cluster, &payments).await;
    copy
}

/// Replica 3 dials nobody: the others dial the address at which they know it, where the original listens.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copied_home_that_nobody_dials_never_votes_and_the_original_goes_on() {
    let mut cluster = cluster().await;
    let copy = Copy::start(&copied(&mut cluster, ReplicaId(3)).await);
    let payments = payments(400);
    copy.says("checking its votes with its peers after its start; no answer yet from replicas 0, 1, 2").await;
    all_paid(&cluster, &payments[200..]).await;
    assert_all_hold(&cluster, &payments).await;
    copy.says("no answer yet from replicas 0, 1, 2").await;
    copy.end().await;
    assert_no_evidence(&cluster);
    cluster.stop().await.unwrap();
}

/// Replica 0 dials all others, and they take its newest connection for the one that counts: the copy is heard, and the
/// original has to dial again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copied_home_that_dials_the_others_is_told_so_and_casts_no_second_vote() {
    let mut cluster = cluster().await;
    let copy = Copy::start(&copied(&mut cluster, ReplicaId(0)).await);
    let payments = payments(500);
    copy.says("does not know all that it has signed").await;
    all_paid(&cluster, &payments[200..350]).await;
    copy.says("does not know all that it has signed").await;
    let log = copy.end().await;
    assert!(log.contains("its home was emptied or set back, or is used twice"), "{log}");
    all_paid(&cluster, &payments[350..]).await;
    assert_all_hold(&cluster, &payments).await;
    assert_no_evidence(&cluster);
    cluster.stop().await.unwrap();
}
