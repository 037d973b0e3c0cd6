//! `quorate genesis`.

use std::num::NonZeroU16;

use super::arguments::GenesisArguments;
use crate::exit::Exit;
use crate::network::{self, NetworkPlan, Ports};

pub(super) fn run(arguments: &GenesisArguments) -> Exit {
    let plan = NetworkPlan {
        name: arguments.name.clone(),
        replicas: arguments.replicas,
        clients: arguments.clients,
        host: arguments.host,
        ports: NonZeroU16::new(arguments.base_port).map_or(Ports::Free, |port| Ports::From(port.get())),
        ..NetworkPlan::default()
    };
    let network = match network::create(&arguments.folder, &plan) {
        Ok(network) => network,
        Err(error) => {
            eprintln!("error: {error}");
            return error.exit();
        }
    };
    let committee = &network.genesis.committee;
    println!(
        "Network `{}` with {} replicas, of which {} may be faulty.",
        plan.name,
        plan.replicas,
        committee.faulty_max()
    );
    println!("Chain id {}", network.genesis.chain_id());
    println!("\nRun each replica:");
    for home in &network.replicas {
        println!("  quorate node --home {}", home.display());
    }
    if let Some(client) = network.clients.first() {
        println!("\nThen, for example:");
        println!("  quorate status --client {}", client.display());
        println!("  quorate submit --client {} payments.csv", client.display());
    }
    Exit::Success
}
