//! Logs: to stderr, in colours on a terminal and plain elsewhere.

use std::env;
use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

/// The environment variable with the filter, when the command line names none.
pub const VARIABLE: &str = "QUORATE_LOG";

/// What the network library says at `info` is said here in better words.
const DEFAULT: &str = "info,libp2p_swarm=warn";

/// A filter that is none.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{filter}` is no filter for logs ({reason}): write for example info, debug, or quorate=debug,quorate_net=warn"
)]
pub struct InvalidFilter {
    filter: String,
    reason: String,
}

/// Starts logging for the whole process, as `filter` says, or else the environment, or else everything from `info` up.
/// A process that logs already goes on as it did.
///
/// # Errors
/// [`InvalidFilter`] when the filter makes no sense.
pub fn start(filter: Option<&str>) -> Result<(), InvalidFilter> {
    let filter = filter.map(str::to_owned).or_else(|| env::var(VARIABLE).ok()).unwrap_or_else(|| DEFAULT.to_owned());
    let parsed = EnvFilter::try_new(&filter).map_err(|error| InvalidFilter { filter, reason: error.to_string() })?;
    let is_terminal = io::stderr().is_terminal();
    // Whoever embeds a node may have set up logging of its own.
    let _ = tracing_subscriber::fmt().with_env_filter(parsed).with_writer(io::stderr).with_ansi(is_terminal).try_init();
    Ok(())
}
