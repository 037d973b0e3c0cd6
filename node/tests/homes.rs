//! What stands in a home comes back as it was written, and whatever was spoilt in it is refused with words that say what
//! to do.

#![allow(clippy::unwrap_used)]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use quorate::{NodeConfig, ReplicaId};
use quorate_node::network::{Network, NetworkError, create};
use quorate_node::{ClientHome, Exit, HomeError, NetworkPlan, NodeHome, Ports};
use tempfile::TempDir;

fn network(plan: &NetworkPlan) -> (TempDir, Network) {
    let folder = tempfile::tempdir().unwrap();
    let network = create(folder.path(), plan).unwrap();
    (folder, network)
}

/// Replaces a text in a file of a home.
fn spoil(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).unwrap();
    let (from, to) = (format!("\n{from}\n"), format!("\n{to}\n"));
    assert!(text.contains(&from), "{text}");
    fs::write(file, text.replacen(&from, &to, 1)).unwrap();
}

/// What is said of a fresh replica's home after a text in one of its files was replaced.
fn complaint(file: &str, from: &str, to: &str) -> String {
    let (_folder, network) = network(&NetworkPlan::default());
    let home = &network.replicas[1];
    spoil(&home.join(file), from, to);
    let error = NodeHome::load(home).unwrap_err();
    assert_eq!(error.exit(), Exit::Configuration);
    let text = error.to_string();
    assert!(text.contains(file), "{text}");
    text
}

#[test]
fn every_home_of_a_new_network_comes_back_as_planned() {
    let engine = NodeConfig { timeout_ms: 500, ..NodeConfig::default() };
    let plan = NetworkPlan { clients: 2, engine: engine.clone(), ..NetworkPlan::default() };
    let (_folder, network) = network(&plan);
    assert_eq!((network.replicas.len(), network.clients.len()), (4, 2));
    for (id, (path, listen)) in (0..).zip(network.replicas.iter().zip(&network.addresses)) {
        let home = NodeHome::load(path).unwrap();
        assert_eq!(home.replica(), ReplicaId(id));
        assert_eq!(**home.genesis(), network.genesis);
        assert_eq!(home.settings().listen, *listen);
        assert_eq!(home.settings().engine, engine);
        assert_eq!(network.genesis.committee.key(ReplicaId(id)), Some(&home.key().public()));
    }
    for path in &network.clients {
        let home = ClientHome::load(path).unwrap();
        assert_eq!(home.genesis().chain_id(), network.genesis.chain_id());
        let contacts = home.settings().replicas.iter().map(|replica| replica.clients);
        assert!(contacts.eq(network.addresses.iter().map(|listen| listen.clients)));
    }
}

#[test]
fn settings_that_are_left_out_have_their_defaults() {
    let (_folder, network) = network(&NetworkPlan::default());
    let config = network.replicas[0].join("config.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.split("\n[engine]\n").next().unwrap()).unwrap();
    assert_eq!(NodeHome::load(&network.replicas[0]).unwrap().settings().engine, NodeConfig::default());
}

#[test]
fn a_network_never_overwrites_anything() {
    let (folder, network) = network(&NetworkPlan::default());
    let refused = create(folder.path(), &NetworkPlan::default()).unwrap_err();
    assert!(matches!(refused, NetworkError::Home(HomeError::NotEmpty { .. })), "{refused}");
    NodeHome::load(&network.replicas[0]).unwrap();
}

#[test]
fn an_impossible_plan_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("network");
    let plans = [
        NetworkPlan { replicas: 3, ..NetworkPlan::default() },
        NetworkPlan { ports: Ports::From(65_530), ..NetworkPlan::default() },
        NetworkPlan { ports: Ports::From(0), ..NetworkPlan::default() },
        NetworkPlan { engine: NodeConfig { timeout_ms: 1, ..NodeConfig::default() }, ..NetworkPlan::default() },
    ];
    for plan in plans {
        let error = create(&target, &plan).unwrap_err();
        assert_eq!(error.exit(), Exit::Usage, "{error}");
        assert!(!target.exists(), "{error}");
    }
}

#[test]
fn refuses_fields_that_it_does_not_know() {
    for (file, from) in [("config.toml", "[engine]"), ("config.toml", "[listen]"), ("genesis.toml", "[limits]")] {
        let text = complaint(file, from, &format!("{from}\nspeed = 11"));
        assert!(text.contains("unknown field `speed`"), "{text}");
    }
    assert!(complaint("genesis.toml", "[committee]", "[committee]\nspeed = 11").contains("speed"));
}

#[test]
fn refuses_a_genesis_that_is_not_the_one_the_home_was_made_with() {
    let text = complaint("genesis.toml", "checkpoint_interval = 128", "checkpoint_interval = 64");
    assert!(text.contains("restore the genesis.toml"), "{text}");
}

#[test]
fn refuses_addresses_that_are_none_or_cannot_be_dialled() {
    let (_folder, network) = network(&NetworkPlan::default());
    let address = network.addresses[1].members.to_string();
    let home = &network.replicas[1];
    let original = fs::read_to_string(home.join("config.toml")).unwrap();
    for (to, expected) in [
        ("127.0.0.1:http", "invalid socket address"),
        ("127.0.0.1:70000", "invalid socket address"),
        ("localhost", "invalid socket address"),
        ("127.0.0.1:0", "has port 0"),
        (&network.addresses[2].members.to_string(), "stands twice"),
    ] {
        fs::write(home.join("config.toml"), original.replace(&address, to)).unwrap();
        let error = NodeHome::load(home).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn refuses_a_replica_outside_the_committee_and_settings_out_of_range() {
    assert!(complaint("config.toml", "replica = 1", "replica = 4").contains("members 0 to 3"));
    assert!(complaint("config.toml", "timeout_ms = 1000", "timeout_ms = 1").contains("timeout_ms = 1 is outside"));
    assert!(complaint("genesis.toml", "version = 1", "version = 9").contains("genesis format 9"));
}

#[test]
fn refuses_the_key_of_another_and_one_that_others_can_read() {
    let (_folder, network) = network(&NetworkPlan::default());
    fs::copy(network.replicas[0].join("node.key"), network.replicas[1].join("node.key")).unwrap();
    let error = NodeHome::load(&network.replicas[1]).unwrap_err();
    assert!(error.to_string().contains("is not that of replica 1"), "{error}");

    fs::copy(network.replicas[0].join("node.key"), network.clients[0].join("client.key")).unwrap();
    let error = ClientHome::load(&network.clients[0]).unwrap_err();
    assert!(error.to_string().contains("is not that of any client"), "{error}");

    fs::set_permissions(network.replicas[2].join("node.key"), Permissions::from_mode(0o640)).unwrap();
    let error = NodeHome::load(&network.replicas[2]).unwrap_err();
    assert!(error.to_string().contains("chmod 600"), "{error}");
    assert_eq!(error.exit(), Exit::Configuration);
}

#[test]
fn says_which_file_is_missing() {
    let (_folder, network) = network(&NetworkPlan::default());
    for file in ["node.key", "config.toml", "genesis.toml"] {
        fs::remove_file(network.replicas[3].join(file)).unwrap();
        let error = NodeHome::load(&network.replicas[3]).unwrap_err().to_string();
        assert!(error.contains(file), "{error}");
    }
}
