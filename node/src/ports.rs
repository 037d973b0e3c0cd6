//! Choosing free TCP ports for a network on one machine.

use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};

/// Below it are ports that need privileges or that well-known services use.
const LOWEST: u16 = 10_000;
/// Where Linux begins to give ports to outgoing connections unless it is told otherwise.
const EPHEMERAL_DEFAULT: u16 = 32_768;

/// `count` ports on `host` on which nobody listens now.
///
/// They lie below the range from which the system takes the ports of outgoing connections: a replica that is restarted
/// must find its port free, and not taken by somebody's connection. The start is random, so that networks that are
/// made at the same time do not choose the same.
pub(crate) fn free_ports(host: IpAddr, count: usize) -> io::Result<Vec<u16>> {
    let end = ephemeral_start().max(LOWEST + 1);
    let range = end - LOWEST;
    let mut random = [0; 2];
    getrandom::fill(&mut random)?;
    let start = u16::from_le_bytes(random) % range;
    let candidates = (0..range).map(|step| LOWEST + ((u32::from(start) + u32::from(step)) % u32::from(range)) as u16);
    let free: Vec<_> =
        candidates.filter(|port| TcpListener::bind(SocketAddr::new(host, *port)).is_ok()).take(count).collect();
    if free.len() == count { Ok(free) } else { Err(io::Error::other("too few ports are free")) }
}

fn ephemeral_start() -> u16 {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    range.split_whitespace().next().and_then(|port| port.parse().ok()).unwrap_or(EPHEMERAL_DEFAULT)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn free_ports_are_distinct_and_can_be_listened_on_together() {
        let host = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let ports = free_ports(host, 30).unwrap();
        let listeners: Vec<_> = ports.iter().map(|port| TcpListener::bind((host, *port)).unwrap()).collect();
        assert_eq!(listeners.len(), 30);
    }
}
