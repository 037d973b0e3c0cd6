//! `quorate-sim`: runs simulated clusters.
//!
//! Exit codes: 0 nothing was found; 1 a replica panicked; 2 something that must happen did not (liveness); 3 something
//! that must never happen did (safety); 4 nothing was found, but in 1,000 seeds or more something never happened that must;
//! 64 wrong arguments.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};
use quorate_sim::campaign::{Summary, run_seed};
use quorate_sim::choices::Choices;
use quorate_sim::options::Options;
use quorate_sim::transcript::Transcript;

#[derive(Debug, Parser)]
#[command(version, about = "Runs simulated Quorate clusters and checks what they do")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs many seeds. Exit codes: 0 nothing found, 1 panic, 2 liveness, 3 safety, 4 something never happened.
    Run {
        /// How many.
        #[arg(long)]
        seeds: u64,
        /// The first.
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// The size of the committee, instead of a drawn one.
        #[arg(long)]
        members: Option<u16>,
    },
    /// Runs one seed again.
    Replay {
        /// The seed.
        seed: u64,
        /// Prints what happened.
        #[arg(long)]
        transcript: bool,
        /// The size of the committee, instead of a drawn one.
        #[arg(long)]
        members: Option<u16>,
        /// Prints the last so many lines of the transcript, at the end, instead of all as they come.
        #[arg(long)]
        lines: Option<usize>,
    },
}

fn main() -> ExitCode {
    let code = match Arguments::parse().command {
        Command::Run { seeds, from, members } => run(from..from.saturating_add(seeds), members),
        Command::Replay { seed, transcript, members, lines } => {
            let transcript = match lines {
                Some(lines) => Transcript::keeping(lines),
                None if transcript => Transcript::printing(),
                None => Transcript::default(),
            };
            replay(seed, members, transcript)
        }
    };
    ExitCode::from(code)
}

fn run(seeds: std::ops::Range<u64>, members: Option<u16>) -> u8 {
    let (started, mut printed) = (Instant::now(), Instant::now());
    let mut summary = Summary::default();
    for seed in seeds {
        let before = summary.failures.len();
        summary.add(seed, run_seed(seed, members, Transcript::default()));
        if let Some((seed, violation)) = summary.failures.get(before) {
            println!("seed {seed}: {violation}");
        }
        if printed.elapsed() > Duration::from_secs(5) {
            printed = Instant::now();
            let failures = summary.failures.len();
            eprintln!("{} seeds, {} events, {failures} failures", summary.seeds, summary.events);
        }
    }
    print_table(&summary, started.elapsed());
    summary.exit_code()
}

fn print_table(summary: &Summary, elapsed: Duration) {
    let seconds = elapsed.as_secs_f64();
    println!("{}", summary.counters);
    println!("  seeds                {:>12}", summary.seeds);
    println!("  events               {:>12}", summary.events);
    println!("  seeds per minute     {:>12.0}", summary.seeds as f64 / seconds * 60.0);
    println!("  events per second    {:>12.0}", summary.events as f64 / seconds);
    println!("  failures             {:>12}", summary.failures.len());
    for counter in summary.missing() {
        println!("  {counter:?} never happened: the campaign proves nothing about it");
    }
    for (seed, violation) in &summary.failures {
        let text: String = violation.text.chars().take(160).collect();
        println!("  quorate-sim replay {seed} --transcript    # {:?}, {}: {text}", violation.class, violation.checker);
    }
}

fn replay(seed: u64, members: Option<u16>, transcript: Transcript) -> u8 {
    println!("{:#?}", Options::draw(&mut Choices::from_seed(seed), members));
    let mut summary = Summary::default();
    match run_seed(seed, members, transcript) {
        Ok(ended) => {
            for line in ended.transcript.lines() {
                println!("{line}");
            }
            println!("{}", ended.counters);
            println!("trace {:016x}, {} events, {:?} of virtual time", ended.trace, ended.events, ended.lasted);
            summary.add(seed, Ok(ended));
        }
        Err(violation) => summary.add(seed, Err(violation)),
    }
    match summary.failures.first() {
        Some((_, violation)) => println!("{violation}"),
        None => println!("nothing was broken"),
    }
    summary.exit_code()
}
