//! Networks in which one replica lies: the others keep the right ledger. Built with the feature `byzantine` only.

#![cfg(feature = "byzantine")]
#![allow(clippy::unwrap_used)]

mod support;

use support::run;

/// Pays with a replica that lies, and gives what the program said.
async fn pay_beside(lie: &str, more: &[&str]) -> String {
    let common = ["--count", "1500", "--clients", "2", "--in-flight", "256", "--byzantine", lie];
    let (code, stdout, stderr) = run(&[&common[..], more].concat()).await;
    assert_eq!(code, 0, "{lie}: {stdout}{stderr}");
    let (replica, how) = lie.split_once('=').unwrap();
    assert!(stderr.contains(&format!("replica {replica} lies: {how}")), "{stderr}");
    assert!(stdout.contains(&format!("replica {replica}    lied ({how})")), "{stdout}");
    assert!(stdout.contains("all correct replicas hold the same ledger"), "{stdout}");
    stdout
}

#[tokio::test]
async fn the_correct_replicas_live_with_a_primary_that_equivocates() {
    let said = pay_beside("0=equivocate", &[]).await;
    assert!(!said.contains("kill "), "nobody is killed beside a liar that four replicas bear alone: {said}");
}

#[tokio::test]
async fn the_correct_replicas_live_with_a_primary_that_is_silent() {
    pay_beside("0=silent", &[]).await;
}

#[tokio::test]
async fn the_correct_replicas_live_with_a_primary_that_is_slow() {
    pay_beside("0=slow", &[]).await;
}

#[tokio::test]
async fn the_correct_replicas_live_with_a_primary_that_ignores_a_client() {
    pay_beside("0=censor", &[]).await;
}

#[tokio::test]
async fn the_correct_replicas_live_with_one_that_signs_wrong_checkpoints() {
    pay_beside("3=wrong-checkpoint", &[]).await;
}

#[tokio::test]
async fn seven_replicas_bear_a_liar_and_a_killed_primary() {
    let said = pay_beside("6=mutate", &["--replicas", "7"]).await;
    assert!(said.contains("kill         replica 0, primary of view 0"), "{said}");
}

#[tokio::test]
async fn more_faults_than_are_tolerated_are_refused_before_anything_is_started() {
    for (arguments, said) in [
        (&["--byzantine", "0=silent", "--byzantine", "1=silent"][..], "4 replicas tolerate 1 that lie, not 2"),
        (&["--byzantine", "0=silent", "--kill", "1"], "use more, or --kill 0"),
        (&["--byzantine", "7=silent"], "there is no replica 7"),
        (&["--byzantine", "0=asleep"], "none of equivocate, silent"),
    ] {
        let (code, _, stderr) = run(arguments).await;
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains(said), "{stderr}");
    }
}
