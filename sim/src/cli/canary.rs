//! `canary`: with more twins than the protocol bears the checkers must see a fork.

use clap::Args;
use quorate_sim::campaign::PROVES_NOTHING;
use quorate_sim::twins::find_fork;

/// Where it is looked for.
#[derive(Debug, Args)]
pub(crate) struct CanaryArguments {
    /// Within how many seeds.
    #[arg(long, default_value_t = 200)]
    seeds: u64,
}

impl CanaryArguments {
    pub(crate) fn carry_out(&self) -> u8 {
        match find_fork(self.seeds) {
            Some(found) => {
                print!("{}", found.story());
                0
            }
            None => {
                println!("no fork within {} seeds: the checkers would not see one", self.seeds);
                PROVES_NOTHING
            }
        }
    }
}
