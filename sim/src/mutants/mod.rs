//! Broken engines, which the checkers must notice: a green campaign is worth what it would catch.
//!
//! Each of [`quorate::mutants`] has a [`Case`]: what the world must be like for the mistake to show, and which checkers may
//! say so. A [`hunt`](hunt()) runs seeds until one of them does, and then the same seed with the engine as it is, which must
//! pass: a world that fails by itself proves nothing.
//!
//! | Module | What it holds |
//! | --- | --- |
//! | `case` | what a case is, and what worlds of cases have in common |
//! | `votes`, `views`, `disks`, `states`, `clients` | the cases, by what is broken |
//! | `hunt` | the search, and what it found |
//! | `clock` | the time that a thread has worked |

mod case;
mod clients;
mod clock;
mod disks;
mod hunt;
mod states;
mod views;
mod votes;

pub use case::{Case, all_cases};
pub use hunt::{Catch, Hunt, hunt, run_unbroken};
