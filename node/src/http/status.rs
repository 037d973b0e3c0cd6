//! `/status`.

use quorate::runtime::ReplicaView;
use quorate::{Genesis, ReplicaId};
use serde::Serialize;

use crate::transport::NodeTransport;

/// What a node says of itself.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// The release.
    pub release: &'static str,
    /// The network's name.
    pub network: String,
    /// The network's chain id.
    pub chain_id: String,
    /// n.
    pub members: usize,
    /// Q: how many of them have to vote.
    pub quorum: usize,
    /// The members to whom the connection stands.
    pub connected_members: Vec<ReplicaId>,
    /// Clients that are connected.
    pub connected_clients: usize,
    /// The replica.
    #[serde(flatten)]
    pub replica: ReplicaView,
}

impl Status {
    pub(super) fn of(genesis: &Genesis, replica: ReplicaView, transport: &NodeTransport) -> Self {
        let members = transport.members().map(|net| net.stats().peers).unwrap_or_default();
        let clients = transport.clients().map(|net| net.stats().peers).unwrap_or_default();
        Status {
            release: env!("CARGO_PKG_VERSION"),
            network: genesis.network.clone(),
            chain_id: genesis.chain_id().to_string(),
            members: genesis.committee.size(),
            quorum: genesis.committee.quorum(),
            connected_members: members.into_iter().filter(|(_, stats)| stats.links > 0).map(|(id, _)| id).collect(),
            connected_clients: clients.iter().filter(|(_, stats)| stats.links > 0).count(),
            replica,
        }
    }
}
