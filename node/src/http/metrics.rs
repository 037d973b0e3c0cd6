//! `/metrics`: what the engine counts, and beside it what the networks count.

use std::fmt::{Display, Write};

use quorate_net::{ClientListener, ListenerStats, MemberNet, PeerStats, Stats};

use crate::transport::NodeTransport;

const END: &str = "# EOF\n";

/// What is counted for each peer.
type PeerMetric = (&'static str, &'static str, fn(&PeerStats) -> u64);
/// What is counted for each listener.
type ListenerMetric = (&'static str, &'static str, fn(&ListenerStats) -> u64);

const PEER_COUNTERS: [PeerMetric; 8] = [
    ("quorate_net_frames_sent", "Frames sent", |stats| stats.frames_sent),
    ("quorate_net_sent_bytes", "Payload sent", |stats| stats.bytes_sent),
    ("quorate_net_flushes", "Flushes of a connection", |stats| stats.flushes),
    ("quorate_net_frames_received", "Frames received", |stats| stats.frames_received),
    ("quorate_net_received_bytes", "Payload received", |stats| stats.bytes_received),
    ("quorate_net_links_broken", "Connections that broke", |stats| stats.links_broken),
    ("quorate_net_frames_dropped_link_down", "Frames dropped: not connected", |stats| stats.dropped_link_down),
    ("quorate_net_frames_dropped_queue_full", "Frames dropped: queue full", |stats| stats.dropped_queue_full),
];

const LISTENER_COUNTERS: [ListenerMetric; 3] = [
    ("quorate_net_connections_refused", "Connections of unknown or too many peers", |stats| stats.refused),
    ("quorate_net_handshakes_failed", "Handshakes that failed", |stats| stats.handshakes_failed),
    ("quorate_net_violations", "Connections closed because a peer broke a rule", |stats| stats.violations),
];

/// The engine's text with the networks' counters added.
pub(super) fn with_networks(engine: &str, transport: &NodeTransport) -> String {
    let members = transport.members().map_or_else(empty, MemberNet::stats);
    let clients = transport.clients().map_or_else(empty, ClientListener::stats);
    join(engine, &members, &total(&clients))
}

/// Before the networks exist.
fn empty<P>() -> Stats<P> {
    Stats { peers: Vec::new(), listener: ListenerStats::default() }
}

/// All clients as one: there may be tens of thousands of them.
fn total<P>(stats: &Stats<P>) -> Stats<&'static str> {
    let mut sum = PeerStats::default();
    for (_, peer) in &stats.peers {
        sum.links += peer.links;
        sum.links_broken += peer.links_broken;
        sum.frames_sent += peer.frames_sent;
        sum.bytes_sent += peer.bytes_sent;
        sum.flushes += peer.flushes;
        sum.frames_received += peer.frames_received;
        sum.bytes_received += peer.bytes_received;
        sum.dropped_link_down += peer.dropped_link_down;
        sum.dropped_queue_full += peer.dropped_queue_full;
        sum.dropped_length += peer.dropped_length;
    }
    Stats { peers: vec![("clients", sum)], listener: stats.listener }
}

fn join<P: Display>(engine: &str, members: &Stats<P>, clients: &Stats<&'static str>) -> String {
    let mut text = engine.strip_suffix(END).unwrap_or(engine).to_owned();
    let named = || {
        let members = members.peers.iter().map(|(id, stats)| (id.to_string(), stats));
        members.chain(clients.peers.iter().map(|(name, stats)| ((*name).to_owned(), stats)))
    };
    header(&mut text, "quorate_net_links", "gauge", "Connections that stand");
    for (peer, stats) in named() {
        line(&mut text, format_args!("quorate_net_links{{peer=\"{peer}\"}} {}", stats.links));
    }
    for (name, help, value) in PEER_COUNTERS {
        header(&mut text, name, "counter", help);
        for (peer, stats) in named() {
            line(&mut text, format_args!("{name}_total{{peer=\"{peer}\"}} {}", value(stats)));
        }
    }
    for (name, help, value) in LISTENER_COUNTERS {
        header(&mut text, name, "counter", help);
        for (listener, stats) in [("members", &members.listener), ("clients", &clients.listener)] {
            line(&mut text, format_args!("{name}_total{{listener=\"{listener}\"}} {}", value(stats)));
        }
    }
    text.push_str(END);
    text
}

fn header(text: &mut String, name: &str, kind: &str, help: &str) {
    line(text, format_args!("# HELP {name} {help}."));
    line(text, format_args!("# TYPE {name} {kind}"));
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("writing to a string cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_networks_counters_stand_before_the_only_end() {
        let members = Stats {
            peers: vec![(1, PeerStats { links: 1, frames_sent: 7, ..PeerStats::default() })],
            ..Stats::default()
        };
        let clients = Stats {
            peers: vec![
                (5, PeerStats { links: 2, ..PeerStats::default() }),
                (6, PeerStats { links: 3, ..PeerStats::default() }),
            ],
            ..Stats::default()
        };
        let text = join("# TYPE a counter\na_total 1\n# EOF\n", &members, &total(&clients));
        assert!(text.starts_with("# TYPE a counter\na_total 1\n# HELP quorate_net_links Connections that stand.\n"));
        for line in [
            "quorate_net_links{peer=\"1\"} 1",
            "quorate_net_links{peer=\"clients\"} 5",
            "quorate_net_frames_sent_total{peer=\"1\"} 7",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}");
        }
        assert!(text.ends_with(END));
        assert_eq!(text.matches("# EOF").count(), 1);
    }
}
