//! `quorate-sim`: runs simulated clusters.
//!
//! Exit codes: 0 nothing was found; 1 a replica panicked; 2 something that must happen did not (liveness); 3 something
//! that must never happen did (safety); 4 nothing was found, but something never happened that the command must see; 64
//! wrong arguments.

mod cli;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use cli::arguments::{Arguments, WRONG_ARGUMENTS};
use quorate_sim::panics::note_panics;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let is_help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            // Nobody is left to tell when that cannot be printed.
            let _ = error.print();
            return ExitCode::from(if is_help { 0 } else { WRONG_ARGUMENTS });
        }
    };
    note_panics();
    ExitCode::from(arguments.carry_out())
}
