//! `stats`: what is drawn for many seeds, and what happens in them.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use quorate_sim::campaign::{run_in_order, run_seed};
use quorate_sim::counters::Counter;
use quorate_sim::options::{Setting, Settings};
use quorate_sim::transcript::Transcript;
use quorate_sim::world::Ended;

use super::run::cores;
use super::words::{grouped, share};

#[derive(Debug, Args)]
pub(crate) struct StatsArguments {
    /// How many seeds.
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
    /// The first.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// In how many threads; as many as there are cores if it is left out.
    #[arg(long)]
    jobs: Option<usize>,
    /// The size of the committee, instead of a drawn one.
    #[arg(long, value_parser = clap::value_parser!(u16).range(4..=64))]
    members: Option<u16>,
}

/// Numbers of many seeds under their names.
#[derive(Debug, Default)]
struct Distributions(BTreeMap<String, Vec<u64>>);

impl Distributions {
    fn add(&mut self, name: impl Into<String>, value: u64) {
        self.0.entry(name.into()).or_default().push(value);
    }

    /// Without what is the same in all seeds.
    fn drop_constants(&mut self) {
        self.0.retain(|_, values| values.iter().min() != values.iter().max());
    }

    fn print(&mut self, title: &str) {
        println!("  {title:<42} {:>14} {:>14} {:>14}   {:>7}", "minimum", "median", "maximum", "zero in");
        for (name, values) in &mut self.0 {
            values.sort_unstable();
            let at = |place: usize| grouped(values.get(place).copied().unwrap_or(0));
            let (median, last) = (values.len() / 2, values.len().saturating_sub(1));
            let zeros = values.iter().filter(|value| **value == 0).count() as u64;
            let zeros = share(zeros, values.len() as u64);
            println!("    {name:<40} {:>14} {:>14} {:>14}   {zeros:>7}", at(0), at(median), at(last));
        }
    }
}

impl StatsArguments {
    pub(crate) fn carry_out(&self) -> u8 {
        let (mut drawn, mut happened) = (Distributions::default(), Distributions::default());
        let mut seen = BTreeMap::<Counter, Vec<u64>>::new();
        let mut behaviours = BTreeMap::<String, u64>::new();
        let (mut seeds, mut failed) = (0, 0);
        let run = |seed| run_seed(seed, self.members, Transcript::default());
        let range = self.from..self.from.saturating_add(self.seeds);
        run_in_order(range, self.jobs.unwrap_or_else(cores), run, |_, result| {
            seeds += 1;
            match result {
                Ok(ended) => {
                    failed += u64::from(ended.violation.is_some());
                    add_settings(&mut drawn, &ended);
                    add_happened(&mut happened, &ended);
                    for behaviour in behaviours_of(&ended) {
                        *behaviours.entry(behaviour).or_default() += 1;
                    }
                    for counter in Counter::ALL {
                        seen.entry(*counter).or_default().push(ended.counters.get(*counter));
                    }
                }
                Err(_) => failed += 1,
            }
        });
        println!("  {} seeds, {failed} of them failed", grouped(seeds));
        drawn.drop_constants();
        drawn.print("What was drawn (times in microseconds)");
        print_behaviours(&behaviours, seeds);
        happened.print("What happened in a seed");
        print_seen(&seen, seeds);
        0
    }
}

/// Settings of single replicas: there are as many of them as it happens to be.
const OF_REPLICAS: [&str; 2] = ["byzantine.", "lying.attacks."];

fn add_settings(drawn: &mut Distributions, ended: &Ended) {
    let settings = Settings::of(&ended.options);
    let is_shared = |path: &String| !OF_REPLICAS.iter().any(|family| path.starts_with(family));
    for (path, setting) in settings.leaves().into_iter().filter(|(path, _)| is_shared(path)) {
        match setting {
            Setting::Number(number) => drawn.add(path, number),
            Setting::Flag(flag) => drawn.add(path, u64::from(flag)),
            Setting::Duration(time) => drawn.add(path, u64::try_from(time.as_micros()).unwrap_or(u64::MAX)),
        }
    }
    drawn.add("byzantine replicas", ended.options.byzantine.len() as u64);
}

fn add_happened(happened: &mut Distributions, ended: &Ended) {
    happened.add("events", ended.events);
    happened.add("slots", ended.counters.get(Counter::Slots));
    happened.add("answers", ended.counters.get(Counter::Answers));
    happened.add("highest view", ended.view.0);
    happened.add("faults planned in advance", ended.planned);
    happened.add("simulated milliseconds", u64::try_from(ended.lasted.as_millis()).unwrap_or(u64::MAX));
}

/// The names of what the Byzantine replicas of a world do.
fn behaviours_of(ended: &Ended) -> BTreeSet<String> {
    let plans = ended.options.byzantine.iter().flat_map(|id| ended.options.attacks_of(*id));
    let name = |text: String| text.split(|letter: char| !letter.is_alphanumeric()).next().map(str::to_owned);
    plans.filter_map(|plan| name(format!("{:?}", plan.behaviour))).collect()
}

fn print_behaviours(behaviours: &BTreeMap<String, u64>, seeds: u64) {
    println!("  {:<42} {:>14} {:>14}", "What Byzantine replicas do, in how many seeds", "seeds", "share");
    for (behaviour, count) in behaviours {
        println!("    {behaviour:<40} {:>14} {:>14}", grouped(*count), share(*count, seeds));
    }
}

fn print_seen(seen: &BTreeMap<Counter, Vec<u64>>, seeds: u64) {
    println!("  {:<42} {:>14} {:>14} {:>14}", "In how many seeds it happened", "seeds", "share", "most in one");
    for (counter, counts) in seen {
        let some = counts.iter().filter(|count| **count > 0).count() as u64;
        let most = counts.iter().max().copied().unwrap_or(0);
        println!("    {counter:<40} {:>14} {:>14} {:>14}", grouped(some), share(some, seeds), grouped(most));
    }
}
