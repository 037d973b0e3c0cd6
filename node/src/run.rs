//! A node as a process: from its home to its exit code.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use quorate::runtime::{Failure, Transport};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::Exit;
use crate::home::NodeHome;
use crate::node::{Node, NodeError};
use crate::wiring::Wiring;

/// How long a primary that is told to end waits for another one, at most.
const STEP_DOWN_PATIENCE: Duration = Duration::from_secs(3);

/// Runs the replica of a home until SIGINT or SIGTERM, or until it fails, and says on stderr why it ended. On the first
/// signal it ends in order; on a second one at once, which loses nothing that was acknowledged either.
///
/// Prints one line to stdout when the replica runs and listens.
#[must_use]
pub fn run(home: &Path) -> Exit {
    run_over(home, |_, transport| Wiring::direct(transport))
}

/// As [`run`], with what is made of the node's wiring: for tests of a faulty network or replica.
#[must_use]
pub fn run_over(home: &Path, wire: impl FnOnce(&NodeHome, Arc<dyn Transport>) -> Wiring) -> Exit {
    match run_to_end(home, wire) {
        Ok(()) => Exit::Success,
        Err(error) => {
            tracing::error!("{error}");
            error.exit()
        }
    }
}

fn run_to_end(home: &Path, wire: impl FnOnce(&NodeHome, Arc<dyn Transport>) -> Wiring) -> Result<(), NodeError> {
    let home = NodeHome::load(home)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|source| NodeError::System { doing: "start threads", source })?;
    let result = runtime.block_on(run_node(&home, |transport| wire(&home, transport)));
    // A thread that is stuck in the file system must not keep the process from ending.
    runtime.shutdown_background();
    result
}

async fn run_node(home: &NodeHome, wire: impl FnOnce(Arc<dyn Transport>) -> Wiring) -> Result<(), NodeError> {
    let mut signals = Signals::catch()?;
    let node = tokio::select! {
        started = Node::start_over(home, wire) => started?,
        name = signals.next() => {
            tracing::warn!("{name}: stopped before it was ready");
            return Ok(());
        }
    };
    say_ready(home, &node);
    tokio::select! {
        failure = node.failed() => return end_failed(node, failure, &mut signals).await,
        name = signals.next() => tracing::info!("{name}: stopping in order; a second signal stops at once"),
    }
    let ending = async {
        node.step_down(STEP_DOWN_PATIENCE).await;
        node.stop().await?;
        tracing::info!("stopped in order");
        Ok(())
    };
    tokio::select! {
        result = ending => result,
        name = signals.next() => {
            tracing::warn!("{name}: stopped at once");
            Ok(())
        }
    }
}

/// Ends what still runs; the failure is what there is to say. A thread that is stuck with the failed part, for example
/// in a file system that does not answer, keeps nobody from ending the process with a signal.
async fn end_failed(node: Node, failure: Failure, signals: &mut Signals) -> Result<(), NodeError> {
    tokio::select! {
        _ = node.stop() => {}
        name = signals.next() => tracing::warn!("{name}: stopped at once"),
    }
    Err(failure.into())
}

fn say_ready(home: &NodeHome, node: &Node) {
    let listen = node.listen();
    let http = listen.http.map_or_else(|| "off".to_owned(), |address| format!("http://{address}"));
    let line = format!(
        "ready: replica {} of network {}, members {}, clients {}, http {http}",
        home.replica(),
        home.genesis().network,
        listen.members,
        listen.clients,
    );
    tracing::info!(chain_id = %home.genesis().chain_id(), home = %home.path().display(), "{line}");
    // Whoever closed stdout does not want to know.
    let _ = writeln!(io::stdout(), "{line}");
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn catch() -> Result<Self, NodeError> {
        let catch = |kind| signal(kind).map_err(|source| NodeError::System { doing: "catch signals", source });
        Ok(Signals { interrupt: catch(SignalKind::interrupt())?, terminate: catch(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}
