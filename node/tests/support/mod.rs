//! Networks of nodes in this process, and waiting for what they say.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used, clippy::panic)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use quorate::client::ClientOptions;
use quorate_node::network::create;
use quorate_node::{ClientHome, LedgerClient, Network, NetworkPlan, Node, NodeHome};
use serde_json::Value;
use tempfile::TempDir;

/// Far longer than anything takes: only a failing test waits for it.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The pause between two looks at something that reports no event.
const LOOKS: Duration = Duration::from_millis(10);

/// A network whose nodes run in this process.
pub struct Cluster {
    pub nodes: Vec<Node>,
    pub network: Network,
    _folder: TempDir,
}

impl Cluster {
    pub async fn start(plan: &NetworkPlan) -> Cluster {
        let folder = tempfile::tempdir().unwrap();
        let network = create(folder.path(), plan).unwrap();
        let mut cluster = Cluster { nodes: Vec::new(), network, _folder: folder };
        cluster.start_nodes().await;
        cluster
    }

    pub async fn start_nodes(&mut self) {
        for home in &self.network.replicas {
            self.nodes.push(Node::start(&NodeHome::load(home).unwrap()).await.unwrap());
        }
    }

    pub async fn stop_nodes(&mut self) {
        for node in self.nodes.drain(..) {
            node.stop().await.unwrap();
        }
    }

    pub async fn client(&self) -> LedgerClient {
        let home = ClientHome::load(&self.network.clients[0]).unwrap();
        LedgerClient::connect(&home, ClientOptions::default()).await.unwrap()
    }

    /// What every node answers under a path of HTTP.
    pub async fn get_all(&self, path: &str) -> Vec<Value> {
        let mut answers = Vec::new();
        for node in &self.nodes {
            let (status, body) = get(node.listen().http.unwrap(), path).await;
            assert_eq!(status, 200, "{body}");
            answers.push(serde_json::from_str(&body).unwrap());
        }
        answers
    }
}

/// The status and the body of the answer to one request over HTTP.
pub async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    request(address, &format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n")).await
}

/// As [`get`], for a request that is written as a whole.
pub async fn request(address: SocketAddr, request: &str) -> (u16, String) {
    let request = request.to_owned();
    let exchange = move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let answer = tokio::task::spawn_blocking(exchange).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    let status = head.split(' ').nth(1).unwrap_or_default().parse().unwrap_or_default();
    (status, body.to_owned())
}

/// Waits until `condition` holds.
pub async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let mut looks = tokio::time::interval(LOOKS);
    let holds = async {
        while !condition().await {
            looks.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, holds).await.unwrap_or_else(|_| panic!("not in time: {what}"));
}
