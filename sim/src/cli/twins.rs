//! `twins`: Byzantine behaviour made of honest parts, every scenario of some kinds and a sample of others.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use quorate_sim::campaign::PROVES_NOTHING;
use quorate_sim::twins::{Exploration, Interest, Kind, Moves, Part, Scenario, TwinWorld, play, sample};
use quorate_sim::violation::{Class, Violation};

use super::run::cores;
use super::words::grouped;

/// How often progress is shown.
const PROGRESS_EVERY: Duration = Duration::from_secs(5);
/// Every round with lost Commits is enumerated up to so many rounds; beyond there are too many, and they are sampled.
const MASKED_ROUNDS_MAX: usize = 2;
/// The same for restarts between rounds.
const RESTARTED_ROUNDS_MAX: usize = 2;

#[derive(Debug, Args)]
pub(crate) struct TwinsArguments {
    /// The longest attack that is enumerated at n = 4, in rounds.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How many scenarios are drawn, with two twins at n = 7, and as many with one at n = 4.
    #[arg(long, default_value_t = 50_000)]
    sampled: u64,
    /// The first seed of the sample.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Plays one part of so many of what is enumerated, 0/8 to 7/8: by their first rounds.
    #[arg(long, value_parser = read_part)]
    part: Option<Part>,
    /// In how many threads; as many as there are cores if it is left out.
    #[arg(long)]
    jobs: Option<usize>,
    /// Plays one scenario, written as a failure shows it, and prints what happens.
    #[arg(long)]
    scenario: Option<Scenario>,
}

impl TwinsArguments {
    pub(crate) fn carry_out(&self) -> u8 {
        if let Some(scenario) = &self.scenario {
            return replay(scenario);
        }
        let jobs = self.jobs.unwrap_or_else(cores).max(1);
        let part = self.part.unwrap_or(Part::WHOLE);
        let mut all = Exploration::default();
        for kind in kinds(self.rounds) {
            all.merge(timed(&name_of(kind), |progress| kind.explore(part, jobs, progress)));
        }
        let seeds = self.from..self.from.saturating_add(self.sampled);
        for members in [4, 7] {
            let name = format!("n = {members}, sampled from seed {}", seeds.start);
            all.merge(timed(&name, |progress| sample(members, seeds.clone(), jobs, progress)));
        }
        conclude(&all)
    }
}

/// What is enumerated up to so many rounds.
fn kinds(rounds_max: usize) -> Vec<Kind> {
    let of = |rounds, moves| Kind { members: 4, twins: 1, rounds, moves };
    let plain = (1..=rounds_max)
        .map(|rounds| of(rounds, if rounds <= MASKED_ROUNDS_MAX { Moves::Masks } else { Moves::Partitions }));
    let restarted = (2..=rounds_max.min(RESTARTED_ROUNDS_MAX)).map(|rounds| of(rounds, Moves::Restarts));
    plain.chain(restarted).collect()
}

fn name_of(kind: Kind) -> String {
    let rounds = if kind.rounds == 1 { "1 round".to_owned() } else { format!("{} rounds", kind.rounds) };
    let moves = match kind.moves {
        Moves::Partitions => "partitions",
        Moves::Masks => "partitions and lost Commits",
        Moves::Restarts => "partitions and restarts",
    };
    format!("n = {}, {rounds}, all {moves}", kind.members)
}

fn read_part(text: &str) -> Result<Part, String> {
    let numbers = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
    match numbers {
        Some((number, of)) if number < of => Ok(Part { number, of }),
        Some(_) | None => Err("a part is 0/8, 1/8 and so on".to_owned()),
    }
}

fn timed(name: &str, explore: impl FnOnce(&(dyn Fn(u64) + Sync)) -> Exploration) -> Exploration {
    let (started, printed, played) = (Instant::now(), Mutex::new(Instant::now()), AtomicU64::new(0));
    let progress = |more: u64| {
        let sum = played.fetch_add(more, Ordering::Relaxed) + more;
        if let Ok(mut printed) = printed.try_lock()
            && printed.elapsed() > PROGRESS_EVERY
        {
            *printed = Instant::now();
            eprintln!(
                "  {name}: {} scenarios, {:.0} a second",
                grouped(sum),
                sum as f64 / started.elapsed().as_secs_f64()
            );
        }
    };
    let found = explore(&progress);
    let seconds = started.elapsed().as_secs_f64();
    let Exploration { scenarios, all, .. } = &found;
    let share = if scenarios == all { String::new() } else { format!(" canonical of {}", grouped(*all)) };
    println!(
        "{name}: {}{share} scenarios in {seconds:.1} s, {:.0} a second, {} violations",
        grouped(*scenarios),
        *scenarios as f64 / seconds,
        grouped(found.broken)
    );
    found
}

fn conclude(all: &Exploration) -> u8 {
    println!("scenarios in which it happened:");
    for (interest, count) in all.interests.iter() {
        println!("  {:<22} {:>14}", format!("{interest:?}"), grouped(count));
    }
    println!("  events                 {:>14}", grouped(all.steps));
    println!("  highest view           {:>14}", all.view);
    println!("  longest, ms            {:>14}", all.longest_ms);
    println!("{} scenarios, {} violations", grouped(all.scenarios), grouped(all.broken));
    for (scenario, violation) in &all.failures {
        println!("  quorate-sim twins --scenario \"{scenario}\"    # {}", summary(violation));
    }
    let missing = all.interests.missing(&Interest::EXPECTED);
    for interest in &missing {
        println!("  {interest:?} never happened: this proves nothing about it");
    }
    let proves = if missing.is_empty() { 0 } else { PROVES_NOTHING };
    all.failures.iter().map(|(_, violation)| violation.class).max().map_or(proves, Class::exit_code)
}

fn replay(scenario: &Scenario) -> u8 {
    let found = match play(TwinWorld::narrating(&scenario.cast), scenario) {
        Ok(world) => world.violation().cloned(),
        Err(violation) => Some(violation),
    };
    match found {
        Some(violation) => {
            println!("{violation}");
            violation.class.exit_code()
        }
        None => {
            println!("nothing was broken");
            0
        }
    }
}

fn summary(violation: &Violation) -> String {
    let text: String = violation.text.chars().take(160).collect();
    format!("{:?}, {}: {text}", violation.class, violation.checker)
}
