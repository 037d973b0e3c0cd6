//! Replicas that lie are in no node, and in the local network only if asked for.

use std::process::Command;

/// All packages that are compiled into one, with their features.
fn features_of(package: &str, with: &str) -> String {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--offline", "--locked", "--edges", "features,normal", "--package", package, with]);
    let output = cargo.output().expect("cargo runs this test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("names are text")
}

#[test]
fn no_node_can_be_compiled_with_behaviours_that_lie() {
    let features = features_of("quorate-node", "--all-features");
    assert!(features.contains("quorate v"), "{features}");
    assert!(!features.contains("quorate-sim"), "{features}");
    assert!(!features.contains("byzantine"), "{features}");
}

#[test]
fn the_local_network_is_compiled_with_them_only_if_it_is_asked_to() {
    assert!(!features_of("quorate-testnet", "--frozen").contains("quorate-sim"));
    assert!(features_of("quorate-testnet", "--features=byzantine").contains("quorate-sim"));
}
