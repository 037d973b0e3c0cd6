//! What can be written on the command line.

use std::num::{NonZeroU16, NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};
use quorate_node::cli::NodeArguments;

use crate::byzantine::{BehaviourName, Lie};
use crate::display::write_line;
use crate::error::TestnetError;
use crate::{absence, node, run, up};

/// Start a network of replicas on this machine, pay, kill the primary half-way, and check that every replica holds the
/// same ledger with every payment executed exactly once.
///
///   quorate-testnet                              four replicas, generated payments, one kill
///   quorate-testnet --replicas 7 --kill 2        seven replicas, two primaries killed one after the other
///   quorate-testnet --byzantine 0=equivocate     four replicas, one of which lies
///   quorate-testnet up                           a network to play with, until Ctrl-C
///   quorate-testnet absence                      replicas that were away come back, with a timeline
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
    Absence(AbsenceArguments),
    #[command(hide = true)]
    Node(ReplicaArguments),
}

/// Run one replica: what this program starts itself again for.
#[derive(Debug, Args)]
pub(crate) struct ReplicaArguments {
    #[command(flatten)]
    pub(crate) node: NodeArguments,
    /// Damage all parts of the state that are sent to other replicas.
    #[arg(long)]
    pub(crate) corrupt_chunks: bool,
    /// Lie in this way.
    #[arg(long)]
    pub(crate) byzantine: Option<BehaviourName>,
}

/// Show that a replica which was away comes back while the others serve: with a line each second, and claims that are
/// checked.
///
/// Case 1: one replica is killed, many operations pass, and it comes back. Case 2: a replica is killed, its home is
/// emptied but for its key and settings, and it joins again, on a ledger with many accounts. In both it must execute at
/// the head again within 30 s of its new start, while the others are offered half of the peak that was measured just
/// before, in an open loop, and keep at least 90 % of the goodput that they had just before the new start.
///
///   quorate-testnet absence
///   quorate-testnet absence --only emptied --corrupt-chunks     one of the others serves damaged state
///   quorate-testnet absence --only emptied --kill-source        seven replicas; one that serves state is killed
///
/// Exit codes: 0 all claims hold, 1 one does not, which is named; others as `quorate-testnet`.
#[derive(Clone, Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct AbsenceArguments {
    /// How many operations pass in case 1.
    #[arg(long, default_value = "100000", value_name = "NUMBER")]
    pub(crate) operations: NonZeroU64,
    /// How many accounts the ledger of case 2 has.
    #[arg(long, default_value = "1000000", value_name = "NUMBER")]
    pub(crate) accounts: NonZeroU64,
    /// How many payments are offered each second: `half-of-peak`, or a number.
    #[arg(long, default_value = "half-of-peak", value_name = "RATE")]
    pub(crate) rate: Rate,
    /// For how many seconds the peak and the goodput before the new start are measured.
    #[arg(long, default_value = "10", value_name = "SECONDS")]
    pub(crate) window: NonZeroU16,
    /// Show this case only.
    #[arg(long, value_name = "CASE")]
    pub(crate) only: Option<Only>,
    /// Have one of the others serve damaged state in case 2.
    #[arg(long)]
    pub(crate) corrupt_chunks: bool,
    /// Kill a replica while it serves state in case 2.
    #[arg(long)]
    pub(crate) kill_source: bool,
    /// How many replicas: 4, or 7 with --kill-source, when two are down at the same time.
    #[arg(long, value_name = "NUMBER")]
    replicas: Option<u16>,
    /// How many clients.
    #[arg(long, default_value = "8", value_name = "NUMBER")]
    pub(crate) clients: NonZeroU16,
    /// Keep the folders with the homes and logs of the replicas.
    #[arg(long)]
    pub(crate) keep: bool,
    /// Write the report to this file too, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

/// The cases of `absence`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Only {
    /// One that missed operations.
    Missed,
    /// One whose home was emptied.
    Emptied,
}

/// How many payments are offered each second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Rate {
    /// Half of the peak that is measured just before.
    HalfOfPeak,
    /// So many.
    PerSecond(f64),
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "half-of-peak" {
            return Ok(Rate::HalfOfPeak);
        }
        let number = text.parse::<f64>().ok().filter(|rate| (1.0..=1e6).contains(rate));
        number.map(Rate::PerSecond).ok_or_else(|| "`half-of-peak`, or a number from 1 to 1000000".into())
    }
}

impl AbsenceArguments {
    /// How many replicas there are.
    pub(crate) fn replicas(&self) -> u16 {
        self.replicas.unwrap_or(if self.kill_source { 7 } else { 4 })
    }
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
    /// How many primaries are killed, one after the other, spread over the run: 1 unless so many others lie that none
    /// can be down beside them.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) kill: Option<u32>,
    /// Let a replica lie. May be repeated for others, as far as they are tolerated. What a liar says of itself is not
    /// looked at. Needs the feature `byzantine`.
    ///
    /// BEHAVIOUR is equivocate, silent, slow, censor, wrong-checkpoint, conflicting-votes, misleading-new-view, replays,
    /// flood, mutate, lying-replies or lying-status.
    #[arg(long, value_name = "ID=BEHAVIOUR")]
    pub(crate) byzantine: Vec<Lie>,
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
            Some(Command::Node(arguments)) => return node::run(arguments),
            Some(Command::Up(arguments)) => block_on(up::up(&arguments)),
            Some(Command::Absence(arguments)) => block_on(absence::absence(&arguments)),
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

/// Runs `future` on the main thread, so that processes which it starts end with this one.
fn block_on(future: impl Future<Output = Result<(), TestnetError>>) -> Result<(), TestnetError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|source| TestnetError::System { doing: "start threads", source })?;
    let result = runtime.block_on(future);
    runtime.shutdown_background();
    result
}
