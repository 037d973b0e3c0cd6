//! Whole runs of the program: what it says and how it ends.

#![allow(clippy::unwrap_used)]

mod support;

use std::fs;

use serde_json::Value;
use support::run;

#[tokio::test]
async fn a_run_with_a_killed_primary_ends_well_and_says_so_plainly() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("report.json");
    let json_path = json.to_str().unwrap();
    let (code, stdout, stderr) = run(&["--count", "1500", "--clients", "2", "--json", json_path]).await;
    assert_eq!(code, 0, "{stdout}{stderr}");
    for expected in ["1500 of 1500 acknowledged", "replica 0, primary of view 0; view 1 went on", "ok  "] {
        assert!(stdout.contains(expected), "{stdout}");
    }
    assert!(!stdout.contains('\u{1b}') && !stderr.contains('\u{1b}'), "no escape codes without a terminal");
    let report: Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    assert_eq!(report["ok"], true);
    assert_eq!(report["ledgers"].as_array().unwrap().len(), 4);
    assert!(report["kills"][0]["pause_ms"].as_f64().unwrap() > 0.0);
}

#[tokio::test]
async fn a_table_with_one_wrong_figure_makes_a_run_fail_and_the_account_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let heading = "id,date,debit,credit,amount,reference";
    let payments = file("payments.csv", &format!("{heading}\n1,1993-01-01,a,b,5,x\n2,1993-01-02,b,c,3,y\n"));
    let right = file("right.csv", "account,debits,credits\na,5,0\nb,3,5\nc,0,3\n");
    let wrong = file("wrong.csv", "account,debits,credits\na,5,0\nb,3,6\nc,0,3\n");
    let common = ["--clients", "1", "--kill", "0", "--payments", &payments, "--expect"];
    let (code, stdout, stderr) = run(&[&common[..], &[&right]].concat()).await;
    assert_eq!(code, 0, "{stdout}{stderr}");
    let (code, stdout, stderr) = run(&[&common[..], &[&wrong]].concat()).await;
    assert_eq!(code, 1, "{stdout}{stderr}");
    for replica in 0..4 {
        let said = "account b: found debits 3 and credits 5, expected debits 3 and credits 6";
        assert!(stdout.contains(&format!("replica {replica}: {said}")), "{stdout}");
    }
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_before_anything_is_started() {
    for (arguments, code, said) in [
        (&["--replicas", "1"][..], 2, "1 replicas tolerate none that is down"),
        (&["--replicas", "3", "--kill", "0"], 2, "not 3"),
        (&["--clients", "0"], 2, "at least one client"),
        (&["--count", "3"], 2, "at least 4 payments"),
        (&["--payments", "/nowhere.csv"], 74, "/nowhere.csv"),
        (&["--expect", "/nowhere.csv"], 74, "/nowhere.csv"),
        (&["--payments", "/"], 74, "cannot read /"),
        (&["--expect", "/"], 74, "cannot read /"),
        (&["--json", "/nowhere/report.json"], 74, "cannot write /nowhere/report.json"),
    ] {
        let (found, stdout, stderr) = run(arguments).await;
        assert_eq!(found, code, "{stdout}{stderr}");
        assert!(stderr.contains(said), "{stderr}");
    }
}
