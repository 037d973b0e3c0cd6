//! Many seeds in several threads. Each world runs wholly in one of them, and nobody sees which.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;

/// Runs `run` for all seeds in `jobs` threads, and hands each result to `take` in the order of the seeds.
pub fn run_in_order<T: Send>(
    seeds: Range<u64>,
    jobs: usize,
    run: impl Fn(u64) -> T + Sync,
    mut take: impl FnMut(u64, T),
) {
    let next = AtomicU64::new(seeds.start);
    let (results, arrived) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            let (results, next, run, end) = (results.clone(), &next, &run, seeds.end);
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end || results.send((seed, run(seed))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(results);
        // Those that are ahead of a slow one wait for it.
        let (mut ahead, mut expected) = (BTreeMap::new(), seeds.start);
        for (seed, result) in arrived {
            ahead.insert(seed, result);
            while let Some(result) = ahead.remove(&expected) {
                take(expected, result);
                expected += 1;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_seeds_whatever_the_threads_do() {
        for jobs in [0, 1, 3, 8] {
            let mut taken = Vec::new();
            let run = |seed| {
                if seed % 7 == 0 {
                    thread::yield_now();
                }
                seed * 2
            };
            run_in_order(5..105, jobs, run, |seed, result| taken.push((seed, result)));
            assert_eq!(taken, (5..105).map(|seed| (seed, seed * 2)).collect::<Vec<_>>());
        }
    }
}
