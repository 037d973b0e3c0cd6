//! Many seeds.
//!
//! | Module | What it holds |
//! | --- | --- |
//! | `seed` | the world of a seed, and how it is run |
//! | `parallel` | many seeds in several threads, their results in order |
//! | `summary` | what a campaign found |

mod parallel;
mod seed;
mod summary;

pub use parallel::run_in_order;
pub use seed::{run_caught, run_checked, run_seed, world_of, world_with};
pub use summary::{PROVES_NOTHING, Summary};
