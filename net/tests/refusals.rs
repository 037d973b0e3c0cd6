//! What happens to peers that break the rules, and to everybody else meanwhile.

mod support;

use quorate::ReplicaId;
use quorate_crypto::Digest;
use quorate_net::{Class, Limits, Member, MemberNet, MemberNetConfig, NetError};
use support::rogue::{self, BULK, Rogue, VOTE};
use support::{CHAIN, Node, PATIENCE, key, linked_pair, loopback, numbered, pair_config, queued, recorder, start};
use tokio::net::TcpStream;

/// Member 1 of two, alone.
async fn lone_listener() -> Node {
    start(pair_config(1, loopback())).await
}

/// A connection to `node`, which is member 1, under the key of member 0.
async fn rogue_member(node: &Node) -> Rogue {
    Rogue::connect(&key(0), rogue::MEMBER, (&key(1), node.net.listen_address())).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_is_refused_before_it_can_open_a_stream() {
    let mut node = lone_listener().await;
    let mut stranger = Rogue::connect(&key(9), rogue::MEMBER, (&key(1), node.net.listen_address())).await;
    stranger.closed().await;
    assert_eq!(node.net.stats().listener.refused, 1);
    assert!(node.events.pending().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_is_dialled_may_not_dial_itself() {
    let (zero, _one) = linked_pair().await;
    let mut backwards = Rogue::connect(&key(1), rogue::MEMBER, (&key(0), zero.net.listen_address())).await;
    backwards.closed().await;
    assert_eq!(zero.net.stats().listener.refused, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hello_of_another_chain_version_or_shape_is_told_why_and_ends_the_connection() {
    let node = lone_listener().await;
    let cases = [
        (rogue::hello(Digest::from_bytes([2; 32]), VOTE), 3),
        ([b"QRTE\x02\x01", &CHAIN.as_bytes()[..]].concat(), 2),
        (vec![b'x'; 38], 1),
        (rogue::hello(CHAIN, 77), 4),
    ];
    for (violations, (hello, verdict)) in (1..).zip(cases) {
        let mut rogue = rogue_member(&node).await;
        assert_eq!(rogue.say(&hello).await.1, verdict);
        rogue.closed().await;
        assert_eq!(node.net.stats().listener.violations, violations);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_stream_of_a_class_or_more_streams_than_classes_end_the_connection() {
    let node = lone_listener().await;
    let mut rogue = rogue_member(&node).await;
    let _vote = rogue.open_for(VOTE).await;
    assert_eq!(rogue.say(&rogue::hello(CHAIN, VOTE)).await.1, 4);
    rogue.closed().await;
    let mut greedy = Rogue::connect(&key(0), rogue::GREEDY_MEMBER, (&key(1), node.net.listen_address())).await;
    greedy.closed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_after_the_handshake_ends_the_connection_and_a_correct_member_gets_in_after_it() {
    let mut node = lone_listener().await;
    let mut rogue = rogue_member(&node).await;
    let mut stream = rogue.open_for(VOTE).await;
    rogue::write(&mut stream, &[0xFF; 64]).await;
    rogue.closed().await;
    assert_eq!(node.net.stats().listener.violations, 1);
    let _zero = start(pair_config(0, node.net.listen_address())).await;
    node.events.link(ReplicaId(0), true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_of_one_gibibyte_disconnects_its_sender_and_nobody_else() {
    let mut two = start(trio_config(2, loopback())).await;
    let mut one = start(trio_config(1, two.net.listen_address())).await;
    two.events.link(ReplicaId(1), true).await;
    one.events.link(ReplicaId(2), true).await;
    let mut rogue = Rogue::connect(&key(0), rogue::MEMBER, (&key(2), two.net.listen_address())).await;
    let mut stream = rogue.open_for(BULK).await;
    rogue::write(&mut stream, &rogue::framed(b"honest so far")).await;
    assert_eq!(two.events.frame().await.2, "honest so far");
    rogue::write(&mut stream, &[1, 0, 0, 0, 0x40]).await;
    rogue.closed().await;
    for number in 0..100 {
        queued(one.net.send(ReplicaId(2), Class::Bulk, numbered(number, 1_000)));
        assert_eq!(two.events.frame().await.2, numbered(number, 1_000));
    }
    assert!(two.events.pending().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handshakes_that_never_complete_do_not_keep_a_member_out() {
    let mut one = lone_listener().await;
    let address = one.net.listen_address();
    let mut silent = Vec::new();
    for _ in 0..3 * Limits::members().pending_handshakes_max {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let _zero = start(pair_config(0, address)).await;
    one.events.link(ReplicaId(0), true).await;
    drop(silent);
    assert!(one.net.stats().listener.handshakes_replaced > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_opens_no_streams_is_closed_in_time() {
    let mut config = pair_config(1, loopback());
    config.limits.handshake_timeout = PATIENCE / 60;
    let node = start(config).await;
    rogue_member(&node).await.closed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_member_gets_in_although_its_old_connection_still_stands() {
    let mut one = lone_listener().await;
    let mut old = rogue_member(&one).await;
    let _streams = (old.open_for(VOTE).await, old.open_for(BULK).await);
    let _zero = start(pair_config(0, one.net.listen_address())).await;
    one.events.link(ReplicaId(0), true).await;
    old.closed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_that_cannot_work_says_so_at_once() {
    let node = lone_listener().await;
    let start = async |config: MemberNetConfig| MemberNet::start(config, recorder().0).await.err().expect("an error");
    let taken = pair_config(1, node.net.listen_address());
    assert!(matches!(start(taken).await, NetError::Listen { .. }));
    let not_listed = MemberNetConfig { key_pair: key(5), ..pair_config(0, loopback()) };
    assert!(matches!(start(not_listed).await, NetError::NotListed(ReplicaId(0))));
    let mut twice = trio_config(2, loopback());
    twice.members[1].key = key(0).public();
    assert!(matches!(start(twice).await, NetError::DuplicateKey(_)));
}

/// Member `me` of three, of whom 2 listens at `address`.
fn trio_config(me: u16, address: std::net::SocketAddr) -> MemberNetConfig {
    let third = Member { id: ReplicaId(2), key: key(2).public(), address };
    let mut config = pair_config(me.min(1), loopback());
    config.members.push(third);
    MemberNetConfig {
        me: ReplicaId(me),
        key_pair: key(me as u8),
        listen: if me == 2 { address } else { loopback() },
        ..config
    }
}
