//! The closing table of a campaign.

use std::time::Duration;

use quorate_sim::campaign::Summary;
use quorate_sim::counters::{Counter, Group};

use super::words::{grouped, lasting, rate, share};

const MINUTE: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);

/// How a campaign was run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub(super) elapsed: Duration,
    pub(super) jobs: usize,
}

impl Pace {
    /// In one line, for whoever waits.
    pub(super) fn progress(&self, summary: &Summary, of: u64) -> String {
        let minute = rate(summary.seeds, self.elapsed, MINUTE);
        format!(
            "{} of {} seeds, {} a minute ({} a core), {} events a second, {} simulated, {} slots, {} view changes, {} failures",
            grouped(summary.seeds),
            grouped(of),
            grouped(minute),
            grouped(minute / self.jobs as u64),
            grouped(rate(summary.events, self.elapsed, SECOND)),
            lasting(summary.simulated),
            grouped(summary.counters.get(Counter::Slots)),
            grouped(summary.views),
            summary.failures.len(),
        )
    }
}

/// The whole table.
pub(super) fn print(summary: &Summary, pace: Pace) {
    print_run(summary, pace);
    print_counters(summary);
    for counter in summary.missing() {
        println!("  NEVER HAPPENED: {counter}. The campaign proves nothing about it.");
    }
}

fn print_run(summary: &Summary, Pace { elapsed, jobs }: Pace) {
    let minute = rate(summary.seeds, elapsed, MINUTE);
    let second = rate(summary.events, elapsed, SECOND);
    let core = |number: u64| format!("{} a core", grouped(number / jobs as u64));
    println!("  The campaign");
    line("seeds", grouped(summary.seeds), &format!("in {} with {jobs} threads", lasting(elapsed)));
    line("seeds a minute", grouped(minute), &core(minute));
    line("events", grouped(summary.events), "");
    line("events a second", grouped(second), &core(second));
    line("simulated time", lasting(summary.simulated), "");
    line("slots", grouped(summary.counters.get(Counter::Slots)), "committed and executed by whole clusters");
    line("view changes", grouped(summary.views), "how far the clusters' views had come at their ends");
    let most = share(summary.with_most_byzantine, summary.seeds);
    line("seeds with f Byzantine", grouped(summary.with_most_byzantine), &most);
    line("seeds with any Byzantine", grouped(summary.with_byzantine), &share(summary.with_byzantine, summary.seeds));
    let real = summary.counters.get(Counter::RealSignatures);
    line("seeds with Ed25519", grouped(real), &share(real, summary.seeds));
    let twice = summary.counters.get(Counter::SeedsRunTwice);
    line("seeds run twice", grouped(twice), &share(twice, summary.seeds));
    line("trace of all seeds", format!("{:016x}", summary.trace), "");
    line("failures", grouped(summary.failures.len() as u64), "");
}

fn print_counters(summary: &Summary) {
    let mut group = None;
    for counter in Counter::ALL {
        if group.replace(counter.group()) != Some(counter.group()) {
            println!("  {}", title(counter.group()));
        }
        line(&counter.to_string(), grouped(summary.counters.get(*counter)), "");
    }
}

fn line(name: &str, value: String, note: &str) {
    println!("{}", format!("    {name:<34} {value:>14}  {note}").trim_end());
}

fn title(group: Group) -> &'static str {
    match group {
        Group::Protocol => "The protocol",
        Group::Network => "The network",
        Group::Crash => "Crashes",
        Group::Aftermath => "Replicas that stay broken",
        Group::Disk => "Disks",
        Group::Transfer => "Catching up and state transfer",
        Group::Byzantine => "Byzantine replicas",
    }
}
