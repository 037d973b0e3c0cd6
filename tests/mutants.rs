//! The mistakes that src/mutants.rs makes on purpose are in no program but the simulator, and there only if asked for.

use std::process::Command;

/// The features with which the engine is compiled into a package, and who asks for them.
fn features_of_engine_in(package: &str, with: &str) -> String {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--offline", "--locked", "--edges", "features", "--invert", "quorate", "--package", package]);
    let output = cargo.arg(with).output().expect("cargo runs this test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("names are text")
}

fn has_mutants(package: &str, with: &str) -> bool {
    let features = features_of_engine_in(package, with);
    assert!(features.starts_with("quorate v"), "the engine is a part of {package}: {features}");
    features.contains("quorate feature \"mutants\"")
}

#[test]
fn no_node_and_no_cluster_of_nodes_can_be_compiled_with_mutants() {
    for package in ["quorate-node", "quorate-testnet", "quorate-ledger", "quorate-net", "quorate-bench"] {
        assert!(!has_mutants(package, "--all-features"), "{package}");
    }
}

#[test]
fn the_simulator_is_compiled_with_mutants_only_if_it_is_asked_to() {
    assert!(!has_mutants("quorate-sim", "--frozen"));
    assert!(has_mutants("quorate-sim", "--features=mutants"));
}
