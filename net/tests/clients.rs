//! Clients and replicas: several connections of one client, clients that do not read, clients that fall silent.

#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use bytes::Bytes;
use futures::AsyncReadExt;
use quorate::{ClientId, ReplicaId};
use quorate_net::{
    ClientListener, ClientListenerConfig, ClientNet, ClientNetConfig, DropReason, Limits, Member, SendOutcome,
};
use support::rogue::{self, BULK, Rogue};
use support::{CHAIN, Events, key, loopback, queued, recorder, until};

const REPLICA: ReplicaId = ReplicaId(0);

struct Listener {
    net: ClientListener,
    events: Events<ClientId>,
}

fn client(seed: u8) -> ClientId {
    ClientId(key(seed).public())
}

/// The client listener of replica 0, for clients 10 and 11.
async fn listen(limits: Limits) -> Listener {
    let (handler, events) = recorder();
    let clients = vec![client(10), client(11)];
    let config = ClientListenerConfig { key_pair: key(0), chain_id: CHAIN, clients, listen: loopback(), limits };
    Listener { net: ClientListener::start(config, handler).await.unwrap(), events }
}

async fn connect(listener: &Listener, seed: u8) -> (ClientNet, Events<ReplicaId>) {
    let (handler, mut events) = recorder();
    let replicas = vec![Member { id: REPLICA, key: key(0).public(), address: listener.net.listen_address() }];
    let config = ClientNetConfig { key_pair: key(seed), chain_id: CHAIN, replicas, limits: Limits::clients() };
    let net = ClientNet::start(config, handler).await.unwrap();
    events.link(REPLICA, true).await;
    (net, events)
}

/// The links of a client that the replica can send to.
fn links(listener: &Listener, seed: u8) -> u64 {
    let stats = listener.net.stats();
    stats.peers.iter().find(|(id, _)| *id == client(seed)).map_or(0, |(_, peer)| peer.links)
}

/// A client whose link is up as the listener sees it. Returns the stream on which the replica's frames come.
async fn rogue_client(listener: &mut Listener) -> (Rogue, [libp2p::Stream; 2]) {
    let mut rogue = Rogue::connect(&key(10), rogue::CLIENT, (&key(0), listener.net.listen_address())).await;
    let inbound = rogue.accept().await;
    let outbound = rogue.open_for(BULK).await;
    listener.events.link(client(10), true).await;
    (rogue, [inbound, outbound])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_reach_the_replica_and_replies_reach_every_connection_of_the_client() {
    let mut listener = listen(Limits::clients()).await;
    let (first, mut first_events) = connect(&listener, 10).await;
    listener.events.link(client(10), true).await;
    let (second, mut second_events) = connect(&listener, 10).await;
    until(|| links(&listener, 10) == 2).await;
    for net in [&first, &second] {
        queued(net.send(REPLICA, Bytes::from_static(b"request")));
        assert_eq!(listener.events.frame().await, (client(10), quorate_net::Class::Bulk, "request".into()));
    }
    queued(listener.net.send(client(10), Bytes::from_static(b"reply")));
    assert_eq!(first_events.frame().await.2, "reply");
    assert_eq!(second_events.frame().await.2, "reply");
    assert_eq!(listener.net.send(client(11), Bytes::from_static(b"reply")), SendOutcome::Dropped(DropReason::LinkDown));
    first.shutdown().await;
    second.shutdown().await;
    listener.events.link(client(10), false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_beyond_the_limit_of_a_client_replaces_its_oldest() {
    let mut listener = listen(Limits { connections_per_peer: 2, ..Limits::clients() }).await;
    let (mut oldest, _streams) = rogue_client(&mut listener).await;
    let (_second, mut second_events) = connect(&listener, 10).await;
    let (_third, mut third_events) = connect(&listener, 10).await;
    oldest.closed().await;
    until(|| links(&listener, 10) == 2).await;
    queued(listener.net.send(client(10), Bytes::from_static(b"reply")));
    assert_eq!(second_events.frame().await.2, "reply");
    assert_eq!(third_events.frame().await.2, "reply");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_queue_to_a_client_that_never_reads_is_bounded_and_delays_no_other_client() {
    let mut listener = listen(Limits::clients()).await;
    let (_rogue, _streams) = rogue_client(&mut listener).await;
    let (_other, mut other_events) = connect(&listener, 11).await;
    listener.events.link(client(11), true).await;
    let frame = Bytes::from(vec![0; 64 * 1024]);
    let full = SendOutcome::Dropped(DropReason::QueueFull);
    let mut accepted = 0;
    // What fits is the queue itself, and what the writer, Yamux and the sockets hold: bounded, though not by us.
    while listener.net.send(client(10), frame.clone()) != full {
        accepted += frame.len();
        assert!(accepted < 256 << 20, "the queue grows without bound");
        tokio::task::yield_now().await;
    }
    assert!(accepted >= Limits::clients().bulk_queue.bytes_max);
    for _ in 0..100 {
        queued(listener.net.send(client(11), frame.clone()));
        assert_eq!(other_events.frame().await.2, frame);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_link_carries_empty_frames_and_one_on_which_nothing_comes_is_closed() {
    let limits = Limits {
        keep_alive_interval: Duration::from_millis(20),
        silence_max: Duration::from_millis(500),
        ..Limits::clients()
    };
    let mut listener = listen(limits).await;
    let (mut silent, [mut inbound, _outbound]) = rogue_client(&mut listener).await;
    for _ in 0..3 {
        let mut header = [9; 5];
        inbound.read_exact(&mut header).await.unwrap();
        assert_eq!(header, [1, 0, 0, 0, 0]);
    }
    silent.closed().await;
    listener.events.link(client(10), false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_no_client_is_refused_even_if_it_is_a_replica() {
    let listener = listen(Limits::clients()).await;
    let mut stranger = Rogue::connect(&key(1), rogue::CLIENT, (&key(0), listener.net.listen_address())).await;
    stranger.closed().await;
    assert_eq!(listener.net.stats().listener.refused, 1);
}
