//! The program `quorate-testnet`: a local network of real processes, and its replicas.

use std::process::ExitCode;

use clap::Parser;
use quorate_testnet::Arguments;

fn main() -> ExitCode {
    Arguments::parse().run()
}
