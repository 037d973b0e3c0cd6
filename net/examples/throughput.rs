//! What a small frame costs between two members on loopback, both in this process.
//!
//! `cargo run --release -p quorate-net --example throughput`
//!
//! CPU time is that of the whole process, hence of both ends together.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use quorate::ReplicaId;
use quorate_crypto::{Digest, KeyPair};
use quorate_net::{Class, Limits, Member, MemberHandler, MemberNet, MemberNetConfig, PeerStats, SendOutcome};
use tokio::sync::Notify;

const VOTE_BYTES: usize = 150;
const BULK_BYTES: usize = 256 * 1024;

/// Counts what arrives.
#[derive(Default)]
struct Sink {
    frames: AtomicU64,
    votes: AtomicU64,
    changed: Notify,
}

impl MemberHandler for Sink {
    fn frame(&self, _: ReplicaId, class: Class, _: Bytes) {
        if class == Class::Vote {
            self.votes.fetch_add(1, Ordering::Relaxed);
        }
        self.frames.fetch_add(1, Ordering::Relaxed);
        self.changed.notify_one();
    }

    fn link(&self, _: ReplicaId, _: bool) {
        self.changed.notify_one();
    }
}

struct Pair {
    sender: MemberNet,
    receiver: MemberNet,
    sink: Arc<Sink>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let pair = Pair::start().await?;
    println!("{:<36} {:>12} {:>12} {:>14} {:>12}", "load", "frames/s", "MiB/s", "CPU µs/frame", "frames/flush");
    for group in [1, 4, 16, 64, 256] {
        let name = format!("{VOTE_BYTES} B, {group} at a time, then wait");
        pair.measure(&name, Load { class: Class::Vote, bytes: VOTE_BYTES, frames: 100_000, group }).await?;
    }
    let saturated = Load { class: Class::Vote, bytes: VOTE_BYTES, frames: 2_000_000, group: u64::MAX };
    pair.measure("150 B, as many as the queue takes", saturated).await?;
    let bulk = Load { class: Class::Bulk, bytes: BULK_BYTES, frames: 8_000, group: u64::MAX };
    pair.measure("256 KiB, as many as the queue takes", bulk).await?;
    pair.vote_latency("alone", 0).await;
    pair.vote_latency("beside 1 bulk frame of 256 KiB", 1).await;
    pair.vote_latency("beside 32 bulk frames of 256 KiB", 32).await;
    Ok(())
}

/// `frames` frames, of which `group` are sent before the sender waits for all of them to arrive.
struct Load {
    class: Class,
    bytes: usize,
    frames: u64,
    group: u64,
}

impl Pair {
    async fn start() -> Result<Self, Box<dyn Error>> {
        let sink = Arc::new(Sink::default());
        let receiver = MemberNet::start(config(1, ([127, 0, 0, 1], 0).into()), sink.clone()).await?;
        let sender = MemberNet::start(config(0, receiver.listen_address()), Arc::new(Sink::default())).await?;
        let pair = Pair { sender, receiver, sink };
        while pair.sent().links == 0 || pair.receiver.stats().peers.iter().any(|(_, peer)| peer.links == 0) {
            tokio::task::yield_now().await;
        }
        Ok(pair)
    }

    async fn measure(&self, name: &str, load: Load) -> Result<(), Box<dyn Error>> {
        let frame = Bytes::from(vec![7; load.bytes]);
        let flushes = self.sent().flushes;
        let (cpu, clock, base) = (cpu_time()?, Instant::now(), self.received());
        let mut sent = 0;
        while sent < load.frames {
            match self.sender.send(ReplicaId(1), load.class, frame.clone()) {
                SendOutcome::Queued => sent += 1,
                SendOutcome::Dropped(_) => tokio::task::yield_now().await,
            }
            if sent % load.group == 0 {
                self.wait_for(base + sent).await;
            }
        }
        self.wait_for(base + load.frames).await;
        let (cpu, clock) = (cpu_time()? - cpu, clock.elapsed());
        let frames = load.frames as f64;
        println!(
            "{name:<36} {:>12.0} {:>12.1} {:>14.2} {:>12.1}",
            frames / clock.as_secs_f64(),
            frames * load.bytes as f64 / clock.as_secs_f64() / f64::from(1 << 20),
            cpu.as_secs_f64() * 1e6 / frames,
            frames / (self.sent().flushes - flushes) as f64,
        );
        Ok(())
    }

    /// How long a vote takes that is sent right after `bulk` large frames.
    async fn vote_latency(&self, name: &str, bulk: u64) {
        let (vote, large) = (Bytes::from(vec![7; VOTE_BYTES]), Bytes::from(vec![7; BULK_BYTES]));
        let mut latencies = Vec::new();
        for _ in 0..300 {
            let (base, votes) = (self.received(), self.sink.votes.load(Ordering::Relaxed));
            for _ in 0..bulk {
                let _ = self.sender.send(ReplicaId(1), Class::Bulk, large.clone());
            }
            let start = Instant::now();
            let _ = self.sender.send(ReplicaId(1), Class::Vote, vote.clone());
            while self.sink.votes.load(Ordering::Relaxed) == votes {
                self.sink.changed.notified().await;
            }
            latencies.push(start.elapsed());
            self.wait_for(base + bulk + 1).await;
        }
        latencies.sort();
        let percentile = |p: usize| latencies.get(latencies.len() * p / 100).copied().unwrap_or_default();
        println!("a vote {name}: p50 {:?}, p99 {:?}", percentile(50), percentile(99));
    }

    async fn wait_for(&self, frames: u64) {
        while self.received() < frames {
            self.sink.changed.notified().await;
        }
    }

    fn received(&self) -> u64 {
        self.sink.frames.load(Ordering::Relaxed)
    }

    fn sent(&self) -> PeerStats {
        self.sender.stats().peers.first().map(|(_, peer)| *peer).unwrap_or_default()
    }
}

fn config(me: u16, address: SocketAddr) -> MemberNetConfig {
    let key = |id: u16| KeyPair::from_seed(&[u8::try_from(id).unwrap_or_default(); 32]);
    MemberNetConfig {
        key_pair: key(me),
        chain_id: Digest::ZERO,
        me: ReplicaId(me),
        members: [0, 1].map(|id| Member { id: ReplicaId(id), key: key(id).public(), address }).to_vec(),
        listen: ([127, 0, 0, 1], 0).into(),
        limits: Limits::members(),
    }
}

/// User and system time of this process, from /proc (fields 14 and 15, in ticks of 10 ms).
fn cpu_time() -> Result<Duration, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(") ").ok_or("unexpected /proc/self/stat")?;
    let ticks: u64 = fields.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(10 * ticks))
}
