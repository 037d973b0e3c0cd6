//! What can be written on the command line.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use quorate::runtime::Transport;
use quorate_ledger::AccountName;

use super::{balance, genesis, inspect, status, submit};
use crate::exit::Exit;
use crate::home::NodeHome;
use crate::run::run_over;
use crate::wiring::Wiring;
use crate::{logging, parent};

/// A ledger that several machines keep together, and that stays correct while some of them crash, lie or are attacked.
///
/// Four replicas tolerate one that is faulty, seven tolerate two. A network on this machine in three steps:
///
///   quorate genesis net                        make it
///   quorate node --home net/replica-0          run its replicas, each in a terminal of its own
///   quorate submit --client net/client-0 payments.csv
#[derive(Debug, Parser)]
#[command(name = "quorate", version, verbatim_doc_comment)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// What to log, for example `debug`, or `quorate=debug,quorate_net=warn`. Instead of the environment's QUORATE_LOG.
    #[arg(long, global = true, value_name = "FILTER")]
    log: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Genesis(GenesisArguments),
    Node(NodeArguments),
    Submit(SubmitArguments),
    Balance(BalanceArguments),
    Status(StatusArguments),
    Inspect(InspectArguments),
    Repair(RepairArguments),
}

/// Make a network: its genesis, and a home with a key for each replica and client.
///
/// A home is a folder that one replica or client uses. Nothing is ever overwritten.
///
///   quorate genesis net --replicas 4 --clients 2
///
/// To run the replicas on several machines, edit the addresses in the homes and copy each to its machine.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct GenesisArguments {
    /// The folder to make. It must not exist, or be empty.
    pub(super) folder: PathBuf,
    /// How many replicas: 3f+1 tolerate f that are faulty; 1 tolerates none and is for development.
    #[arg(long, default_value_t = 4, value_name = "NUMBER")]
    pub(super) replicas: u16,
    /// How many clients.
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    pub(super) clients: u16,
    /// The network's name. It becomes part of its identity.
    #[arg(long, default_value = "local", value_name = "TEXT")]
    pub(super) name: String,
    /// The IP address on which all replicas listen.
    #[arg(long, default_value = "127.0.0.1", value_name = "IP")]
    pub(super) host: IpAddr,
    /// The first port; each replica takes three. 0 chooses ports that are free now.
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    pub(super) base_port: u16,
}

/// Run a replica.
///
/// It prints one line when it is ready, logs to stderr, and ends in order on Ctrl-C or SIGTERM.
///
///   quorate node --home net/replica-0
///
/// Exit codes:
///   0   ended in order
///   65  its data is damaged
///   70  a bug
///   74  disk or network failed
///   75  another process uses its home
///   78  its home or settings cannot be used
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct NodeArguments {
    /// The replica's home, as `quorate genesis` makes it.
    #[arg(long, value_name = "FOLDER")]
    home: PathBuf,
    /// End when the process with this number, which started this one, ends.
    #[arg(long, hide = true, value_name = "PID")]
    exit_with_parent: Option<u32>,
}

/// Post the transfers of a CSV file.
///
/// The file begins with a line of names; amounts are whole numbers in the smallest unit of the currency:
///
///   id,date,debit,credit,amount,reference
///   695247,1993-01-01,cash,cust-2378,70000,VKLAD
///
///   quorate submit --client net/client-0 payments.csv
///
/// The whole file is checked before anything is sent. Sending a file again is harmless: a transfer is posted once.
///
/// Exit codes:
///   0   all are posted
///   1   some are not
///   65  the file has lines that are no transfers; nothing was sent
///   others as `quorate node`
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct SubmitArguments {
    /// The client's home, as `quorate genesis` makes it.
    #[arg(long, value_name = "FOLDER")]
    pub(super) client: PathBuf,
    /// The file.
    pub(super) file: PathBuf,
    /// Leave out bad lines and go on after refused transfers, instead of stopping at the first.
    #[arg(long)]
    pub(super) keep_going: bool,
    /// How many transfers may be under way; at most the network's client window, which is also the default.
    #[arg(long, value_name = "NUMBER")]
    pub(super) in_flight: Option<NonZeroUsize>,
}

/// Ask the network for the balance of an account.
///
/// The answer is what f+1 replicas say, so no faulty one can forge it.
///
///   quorate balance --client net/client-0 cash
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct BalanceArguments {
    /// The client's home, as `quorate genesis` makes it.
    #[arg(long, value_name = "FOLDER")]
    pub(super) client: PathBuf,
    /// The account.
    pub(super) account: AccountName,
    /// Ask for the balance at the last certified checkpoint, with a proof, instead of having the read ordered.
    #[arg(long)]
    pub(super) proven: bool,
}

/// Show how the replicas are, who is missing, and why one does not vote.
///
///   quorate status --client net/client-0
///   quorate status http://127.0.0.1:7002 http://127.0.0.1:7005
///
/// Exit codes: 0 enough replicas vote, 1 too few do.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct StatusArguments {
    /// The replicas' HTTP addresses.
    #[arg(value_name = "URL", required_unless_present = "client", conflicts_with = "client")]
    pub(super) urls: Vec<String>,
    /// A client's home, which names the addresses of all replicas.
    #[arg(long, value_name = "FOLDER")]
    pub(super) client: Option<PathBuf>,
}

/// Say what the home of a stopped replica holds, what of it is damaged, and what a start would do. Changes nothing.
///
///   quorate inspect --home net/replica-0
///
/// Exit codes:
///   0   nothing is damaged
///   65  something is
///   75  a process uses the home: ask that one with `quorate status`
///   others as `quorate node`
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct InspectArguments {
    /// The replica's home.
    #[arg(long, value_name = "FOLDER")]
    pub(super) home: PathBuf,
}

/// Repair the home of a stopped replica: show the steps, and take them with --yes.
///
/// A start does most of this by itself. Nothing is deleted, and a repaired replica never votes on what it may have
/// forgotten.
///
///   quorate repair --home net/replica-0
///
/// Exit codes:
///   0   repaired, or nothing to do
///   1   there is something to do: add --yes
///   65  what is damaged cannot be repaired
///   75  a process uses the home
///   others as `quorate node`
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct RepairArguments {
    /// The replica's home.
    #[arg(long, value_name = "FOLDER")]
    pub(super) home: PathBuf,
    /// Take the steps.
    #[arg(long)]
    pub(super) yes: bool,
}

impl Arguments {
    /// Does what was asked for.
    #[must_use]
    pub fn run(self) -> Exit {
        // What a person waits for is in the output; logs would only be in its way.
        let quiet = match &self.command {
            Command::Node(_) => None,
            // They say all that a log would, and better.
            Command::Inspect(_) | Command::Repair(_) => Some("off"),
            Command::Genesis(_) | Command::Submit(_) | Command::Balance(_) | Command::Status(_) => Some("warn"),
        };
        let filter = self.log.or_else(|| std::env::var(logging::VARIABLE).ok()).or(quiet.map(str::to_owned));
        if let Err(error) = logging::start(filter.as_deref()) {
            eprintln!("error: {error}");
            return Exit::Usage;
        }
        match self.command {
            Command::Genesis(arguments) => genesis::run(&arguments),
            Command::Node(arguments) => arguments.run(),
            Command::Submit(arguments) => submit::run(&arguments),
            Command::Balance(arguments) => balance::run(&arguments),
            Command::Status(arguments) => status::run(&arguments),
            Command::Inspect(arguments) => inspect::inspect(&arguments),
            Command::Repair(arguments) => inspect::repair(&arguments),
        }
    }
}

impl NodeArguments {
    /// Runs the node to its end. Logging must have been started.
    #[must_use]
    pub fn run(self) -> Exit {
        self.run_over(|_, transport| Wiring::direct(transport))
    }

    /// As [`NodeArguments::run`], with what is made of the node's wiring: for tests of a faulty network or replica.
    #[must_use]
    pub fn run_over(self, wire: impl FnOnce(&NodeHome, Arc<dyn Transport>) -> Wiring) -> Exit {
        if let Some(parent) = self.exit_with_parent
            && let Err(error) = parent::exit_with_parent(parent)
        {
            tracing::error!("cannot end together with the parent: {error}");
            return Exit::Io;
        }
        run_over(&self.home, wire)
    }
}
