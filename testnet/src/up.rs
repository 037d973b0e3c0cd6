//! A network to play with, until it is told to end.

use std::collections::BTreeSet;
use std::io::{Write, stdout};
use std::time::Duration;

use crate::arguments::UpArguments;
use crate::cluster::Cluster;
use crate::error::TestnetError;
use crate::run::cluster_plan;
use crate::signals::{Interrupt, Signals};

/// How often the processes are looked at.
const LOOKS: Duration = Duration::from_millis(500);

/// Starts a network, says how to talk to it, and leaves it running until Ctrl-C.
///
/// # Errors
/// [`TestnetError`] when it cannot start, or all replicas end by themselves.
pub(crate) async fn up(arguments: &UpArguments) -> Result<(), TestnetError> {
    let mut signals = Signals::catch()?;
    let plan = cluster_plan(&arguments.network)?;
    let mut cluster = signals.or(Cluster::start(&plan)).await?;
    // Whoever closed stdout wants the network all the same.
    let _ = write!(stdout(), "{}", how_to_talk_to(&cluster)).and_then(|()| stdout().flush());
    let end = signals.or(watch(&mut cluster)).await;
    cluster.stop().await?;
    match end {
        // This is how it is meant to end.
        Ok(()) | Err(TestnetError::Interrupted(Interrupt::Interrupt | Interrupt::Terminate)) => Ok(()),
        Err(error) => Err(error),
    }
}

async fn watch(cluster: &mut Cluster) -> Result<(), TestnetError> {
    let mut looks = tokio::time::interval(LOOKS);
    let mut told = BTreeSet::new();
    loop {
        looks.tick().await;
        let mut ended = cluster.ended();
        for error in &ended {
            if told.insert(error.to_string()) {
                eprintln!("{error}\nThe others go on.");
            }
        }
        // Losing some is what such a network is for; without any there is nothing left to play with.
        if ended.len() == cluster.network().replicas.len()
            && let Some(error) = ended.pop()
        {
            return Err(error);
        }
    }
}

fn how_to_talk_to(cluster: &Cluster) -> String {
    let mut lines =
        vec![format!("{} replicas run in {}", cluster.network().replicas.len(), cluster.folder().display())];
    for (replica, pid) in cluster.pids() {
        if let Some(address) = cluster.http_address(replica) {
            lines.push(format!("  replica {replica}  http://{address}  process {pid}"));
        }
    }
    lines.push(String::new());
    lines.push("Talk to them from another terminal:".into());
    if let Some(client) = cluster.network().clients.first() {
        let client = client.display();
        lines.push(format!("  quorate status --client {client}"));
        lines.push(format!("  quorate submit --client {client} payments.csv"));
        lines.push(format!("  quorate balance --client {client} cash"));
    }
    if let Some(address) = cluster.network().addresses.first().and_then(|listen| listen.http) {
        lines.push(format!("  curl http://{address}/status"));
        lines.push(format!("  curl http://{address}/ledger/summary"));
    }
    lines.push(String::new());
    lines.push("Ctrl-C ends them.\n".into());
    lines.join("\n")
}
