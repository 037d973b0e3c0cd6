//! Four nodes and a client in one process, over real sockets: what the client is told stands on every replica, can be
//! read over HTTP, is proven at a checkpoint, and is there again after a restart.

#![allow(clippy::unwrap_used)]

mod support;

use quorate::genesis::Limits;
use quorate_ledger::{AccountName, LedgerRefusal, Transfer, TransferId};
use quorate_node::{Exit, LedgerClient, LedgerError, NetworkPlan, Node, NodeHome};
use serde_json::Value;
use support::{Cluster, get, request, until};
use tokio::task::JoinSet;

fn account(name: &str) -> AccountName {
    name.parse().unwrap()
}

/// Moves `id + 1` from `cash` to one of ten customers.
fn transfer(id: u64) -> Transfer {
    let credit = account(&format!("cust-{}", id % 10));
    Transfer::new(TransferId(id.into()), account("cash"), credit, id + 1, "test".parse().unwrap()).unwrap()
}

async fn post(client: &LedgerClient, ids: std::ops::Range<u64>) {
    let mut posting = JoinSet::new();
    for id in ids {
        let client = client.clone();
        posting.spawn(async move { client.transfer(transfer(id)).await });
    }
    while let Some(result) = posting.join_next().await {
        result.unwrap().unwrap();
    }
}

/// Waits until every node has executed the same history, with so many transfers.
async fn agreed(cluster: &Cluster, transfers: u64) -> Value {
    let mut summaries = Vec::new();
    until("all nodes have executed everything", async || {
        summaries = cluster.get_all("/ledger/summary").await;
        summaries.iter().all(|summary| summary["transfers"] == transfers && summary == &summaries[0])
    })
    .await;
    summaries.swap_remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_client_is_told_stands_on_every_node_and_outlives_a_restart() {
    let limits = Limits { checkpoint_interval: 4, ..Limits::default() };
    let mut cluster = Cluster::start(&NetworkPlan { limits, ..NetworkPlan::default() }).await;
    let client = cluster.client().await;
    post(&client, 0..100).await;

    let cash = client.balance(&account("cash")).await.unwrap();
    assert_eq!(cash.balance.unwrap().net(), -5050);
    assert_eq!(client.balance(&account("nobody")).await.unwrap().balance, None);
    let again = client.transfer(transfer(7)).await.unwrap_err();
    assert!(matches!(again, LedgerError::Refused(LedgerRefusal::AlreadyPosted { .. })), "{again}");

    let summary = agreed(&cluster, 100).await;
    assert_eq!(
        (&summary["debits"], &summary["credits"], &summary["accounts"]),
        (&5050.into(), &5050.into(), &11.into())
    );
    let accounts = cluster.get_all("/ledger/accounts?prefix=cust-&limit=1000").await;
    assert!(accounts.iter().all(|page| page["accounts"] == accounts[0]["accounts"]));
    assert_eq!(accounts[0]["accounts"].as_array().unwrap().len(), 10);

    // Reads are ordered too, so that they lead to the checkpoint that contains the transfers.
    until("a checkpoint with all transfers is certified", async || {
        client.balance(&account("cash")).await.unwrap();
        let proven = client.balance_proven(&account("cash")).await;
        proven.is_ok_and(|proven| proven.at.balance.is_some_and(|balance| balance.net() == -5050))
    })
    .await;

    drop(client);
    cluster.stop_nodes().await;
    cluster.start_nodes().await;
    let client = cluster.client().await;
    assert_eq!(client.balance(&account("cash")).await.unwrap().balance, cash.balance);
    post(&client, 100..120).await;
    agreed(&cluster, 120).await;
    cluster.stop_nodes().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_steps_down_leaves_no_gap() {
    let mut cluster = Cluster::start(&NetworkPlan::default()).await;
    let client = cluster.client().await;
    post(&client, 0..10).await;
    let primary = cluster.nodes.remove(0);
    assert_eq!(primary.view().role, "primary");
    primary.step_down(support::PATIENCE).await;
    assert_eq!(primary.view().role, "backup");
    primary.stop().await.unwrap();
    post(&client, 10..20).await;
    let summary = agreed(&cluster, 20).await;
    assert_eq!(summary["debits"], 210);
    cluster.stop_nodes().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_says_plainly_what_it_does_not_answer() {
    let mut cluster = Cluster::start(&NetworkPlan { replicas: 1, ..NetworkPlan::default() }).await;
    let client = cluster.client().await;
    post(&client, 0..1).await;
    let address = cluster.nodes[0].listen().http.unwrap();
    for (path, status, said) in [
        ("/", 404, "/ledger/summary"),
        ("/ledger/accounts?limit=0", 400, "limit is 1 to 1000"),
        ("/ledger/accounts?limit=1001", 400, "limit is 1 to 1000"),
        ("/ledger/accounts?limit=many", 400, "invalid digit"),
        ("/ledger/accounts?speed=11", 400, "unknown field `speed`"),
        ("/ledger/accounts/nobody", 404, "no transfer"),
        ("/ledger/accounts/%00", 400, "not printable"),
        ("/ledger/accounts/%ff", 400, "UTF-8"),
        ("/ledger/accounts/cust-0", 200, "\"balance\":1"),
        ("/metrics", 200, "quorate_net_links{peer=\"clients\"} 1"),
        ("/status", 200, "\"role\":\"primary\""),
    ] {
        let (found, body) = get(address, path).await;
        assert_eq!(found, status, "{path}: {body}");
        assert!(body.contains(said), "{path}: {body}");
    }
    let (status, body) = request(address, "DELETE /status HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n").await;
    assert_eq!(status, 405, "{body}");
    let (status, _) = request(address, &format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(20_000))).await;
    assert!(status == 414 || status == 431, "{status}");
    cluster.stop_nodes().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_home_and_a_port_have_one_user_and_a_failed_start_leaves_nothing_behind() {
    let mut cluster = Cluster::start(&NetworkPlan { replicas: 1, ..NetworkPlan::default() }).await;
    let home = NodeHome::load(&cluster.network.replicas[0]).unwrap();
    let error = Node::start(&home).await.err().unwrap();
    assert_eq!(error.exit(), Exit::Locked, "{error}");
    cluster.stop_nodes().await;

    let taken = std::net::TcpListener::bind(home.settings().listen.clients).unwrap();
    let error = Node::start(&home).await.err().unwrap();
    assert_eq!(error.exit(), Exit::Io, "{error}");
    drop(taken);
    cluster.start_nodes().await;
    cluster.stop_nodes().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_has_one_user() {
    let mut cluster = Cluster::start(&NetworkPlan { replicas: 1, ..NetworkPlan::default() }).await;
    let _client = cluster.client().await;
    let home = quorate_node::ClientHome::load(&cluster.network.clients[0]).unwrap();
    let error = LedgerClient::connect(&home, Default::default()).await.err().unwrap();
    assert_eq!(error.exit(), Exit::Locked, "{error}");
    cluster.stop_nodes().await;
}
