//! What can be asked for.

use clap::{Parser, Subcommand};

use super::canary::CanaryArguments;
#[cfg(feature = "mutants")]
use super::mutants::MutantsArguments;
use super::replay::ReplayArguments;
use super::run::RunArguments;
use super::shrink::ShrinkArguments;
use super::stats::StatsArguments;
use super::twins::TwinsArguments;

/// The exit code for wrong arguments and files.
pub(crate) const WRONG_ARGUMENTS: u8 = 64;

#[derive(Debug, Parser)]
#[command(version, about = "Runs simulated Quorate clusters and checks what they do")]
#[command(after_help = "Exit codes: 0 nothing was found; 1 a replica panicked; 2 something that must happen did not; \
    3 something that must never happen did; 4 something that the command must see never happened; 64 wrong arguments.")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs many seeds.
    Run(RunArguments),
    /// Runs one seed, or a recorded schedule, again and draws what happened.
    Replay(ReplayArguments),
    /// Makes a failing seed smaller, as long as it fails in the same way, and draws it.
    Shrink(ShrinkArguments),
    /// Says what is drawn for many seeds and what happens in them.
    Stats(StatsArguments),
    /// Breaks the engine in every known way: each time a checker must notice.
    #[cfg(feature = "mutants")]
    Mutants(MutantsArguments),
    /// Plays attacks of twins: members that run two honest cores with one key.
    Twins(TwinsArguments),
    /// Looks for the fork that one twin too many makes possible.
    Canary(CanaryArguments),
}

impl Arguments {
    /// Does what was asked for; the exit code.
    pub(crate) fn carry_out(self) -> u8 {
        match self.command {
            Command::Run(arguments) => arguments.carry_out(),
            Command::Replay(arguments) => arguments.carry_out(),
            Command::Shrink(arguments) => arguments.carry_out(),
            Command::Stats(arguments) => arguments.carry_out(),
            #[cfg(feature = "mutants")]
            Command::Mutants(arguments) => arguments.carry_out(),
            Command::Twins(arguments) => arguments.carry_out(),
            Command::Canary(arguments) => arguments.carry_out(),
        }
    }
}
