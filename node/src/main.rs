//! The program `quorate`: a node, and the tools around it.

use std::process::ExitCode;

use clap::Parser;
use quorate_node::cli::Arguments;

fn main() -> ExitCode {
    Arguments::parse().run().into()
}
