//! A replica that was away comes back while the others serve: the whole program, with small numbers.

#![allow(clippy::unwrap_used)]

mod support;

use std::fs;

use serde_json::Value;
use support::run;

/// Runs `absence` for a moment; what it says, and the report of its only case. All claims hold, but for how much the
/// others do in two seconds: that is up to what else this machine does.
async fn absence(arguments: &[&str]) -> (String, Value) {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("report.json");
    // A low rate: what a debug build on a busy machine does is not what is tested here.
    let common = ["absence", "--window", "2", "--clients", "2", "--rate", "100", "--json", json.to_str().unwrap()];
    let (code, stdout, stderr) = run(&[&common[..], arguments].concat()).await;
    let report: Vec<Value> = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    let (said, report) = (format!("{stdout}{stderr}"), report.into_iter().next().unwrap());
    let problems = report["problems"].as_array().unwrap();
    assert!(problems.iter().all(|problem| problem.as_str().unwrap().contains("of their goodput")), "{said}");
    assert_eq!(code, i32::from(!problems.is_empty()), "{said}");
    (said, report)
}

#[tokio::test]
async fn a_replica_that_missed_operations_executes_at_the_head_again_while_the_others_serve() {
    let (said, report) = absence(&["--only", "missed", "--operations", "2000"]).await;
    assert!(report["missed_operations"].as_u64().unwrap() >= 2_000, "{said}");
    assert!(report["at_head_seconds"].as_f64().unwrap() <= 30.0);
    let timeline = report["timeline"].as_array().unwrap();
    assert!(timeline.iter().any(|row| row["phase"] == "before" && row["state"] == "away"), "{timeline:?}");
    assert_eq!(timeline.last().unwrap()["state"], "at the head");
}

#[tokio::test]
async fn a_replica_with_an_emptied_home_fetches_the_state_although_one_source_damages_what_it_serves() {
    let (said, report) = absence(&["--only", "emptied", "--accounts", "100000", "--corrupt-chunks"]).await;
    assert!(report["fetched"]["nodes"].as_u64().unwrap() > 0, "{said}");
    assert!(report["fetched"]["rejected"].as_u64().unwrap() > 0, "{said}");
}

#[tokio::test]
async fn a_fetch_of_state_ends_although_a_source_is_killed_meanwhile() {
    let (said, report) = absence(&["--only", "emptied", "--accounts", "100000", "--kill-source"]).await;
    assert!(report["killed_source"].is_u64(), "{said}");
    assert!(report["fetched"]["nodes"].as_u64().unwrap() > 0, "{said}");
}

#[tokio::test]
async fn what_cannot_be_shown_is_refused_before_anything_is_started() {
    for (arguments, code, said) in [
        (&["absence", "--replicas", "3"][..], 2, "tolerate none that is away"),
        (&["absence", "--replicas", "4", "--kill-source"], 2, "use 7 or more"),
        (&["absence", "--accounts", "1"], 2, "two accounts"),
        (&["absence", "--rate", "fast"], 2, "half-of-peak"),
        (&["absence", "--json", "/nowhere/report.json"], 74, "cannot write /nowhere/report.json"),
    ] {
        let (found, stdout, stderr) = run(arguments).await;
        assert_eq!(found, code, "{stdout}{stderr}");
        assert!(stderr.contains(said), "{stderr}");
    }
}
