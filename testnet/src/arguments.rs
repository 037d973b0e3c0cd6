//! What can be written on the command line.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use quorate_node::cli::NodeArguments;
use quorate_node::{Exit, logging};

use crate::display::write_line;
use crate::error::TestnetError;
use crate::{run, up};

/// Start a network of replicas on this machine, pay, kill the primary half-way, and check that every replica holds the
/// same ledger with every payment executed exactly once.
///
///   quorate-testnet                              four replicas, generated payments, one kill
///   quorate-testnet --replicas 7 --kill 2        seven replicas, two primaries killed one after the other
///   quorate-testnet up                           a network to play with, until Ctrl-C
///
/// Exit codes: 0 all is as it must be, 1 something is not, 2 usage, 65 a file is no such file, 70 to 78 as
/// `quorate node`, 130 and 143 interrupted.
#[derive(Debug, Parser)]
#[command(name = "quorate-testnet", version, verbatim_doc_comment, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: RunArguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    Up(UpArguments),
    /// Run one replica: what this program starts itself again for.
    #[command(hide = true)]
    Node(NodeArguments),
}

/// A run with payments, kills and a check.
#[derive(Clone, Debug, Args)]
pub struct RunArguments {
    #[command(flatten)]
    pub(crate) network: NetworkArguments,
    /// Post the payments of this CSV file: id,date,debit,credit,amount,reference. Without it they are generated.
    #[arg(long, value_name = "FILE")]
    pub(crate) payments: Option<PathBuf>,
    /// Compare all accounts on all replicas with this CSV file: account,debits,credits.
    #[arg(long, value_name = "FILE")]
    pub(crate) expect: Option<PathBuf>,
    /// How many payments are generated.
    #[arg(long, default_value = "30000", value_name = "NUMBER", conflicts_with = "payments")]
    pub(crate) count: NonZeroU64,
    /// How many payments of each client are under way at the same time, at most 256.
    #[arg(long, default_value = "64", value_name = "NUMBER")]
    pub(crate) in_flight: NonZeroUsize,
    /// How many primaries are killed, one after the other, spread over the run.
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    pub(crate) kill: u32,
    /// Write the report to this file too, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

/// What a network is like.
#[derive(Clone, Debug, Args)]
pub struct NetworkArguments {
    /// How many replicas: four tolerate one that is down, seven two.
    #[arg(long, default_value_t = 4, value_name = "NUMBER")]
    pub(crate) replicas: u16,
    /// How many clients.
    #[arg(long, default_value_t = 4, value_name = "NUMBER")]
    pub(crate) clients: u16,
    /// Keep the folder with the homes and logs of the replicas.
    #[arg(long)]
    pub(crate) keep: bool,
}

/// Start a network and leave it running until Ctrl-C. Says how to talk to it.
#[derive(Clone, Debug, Args)]
pub struct UpArguments {
    #[command(flatten)]
    pub(crate) network: NetworkArguments,
}

impl Arguments {
    /// Does what was asked for, and says on stderr why it could not.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let result = match self.command {
            Some(Command::Node(arguments)) => return run_node(arguments),
            Some(Command::Up(arguments)) => block_on(up::up(&arguments)),
            None => block_on(run::run(&self.run)),
        };
        match result {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                write_line(&format!("error: {error}"));
                ExitCode::from(error.exit_code())
            }
        }
    }
}

fn run_node(arguments: NodeArguments) -> ExitCode {
    match logging::start(None) {
        Ok(()) => arguments.run().into(),
        Err(error) => {
            write_line(&format!("error: {error}"));
            Exit::Usage.into()
        }
    }
}

/// Runs `future` on the main thread, so that processes which it starts end with this one.
fn block_on(future: impl Future<Output = Result<(), TestnetError>>) -> Result<(), TestnetError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|source| TestnetError::System { doing: "start threads", source })?;
    let result = runtime.block_on(future);
    runtime.shutdown_background();
    result
}
