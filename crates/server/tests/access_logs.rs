//! The commands that read access logs, run as a person runs them.

use std::path::Path;
use std::process::{Command, Output};

const LOG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/semicomplete-2015.log.gz");

/// A snapshot that is never made.
const NEVER: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/never-written");

fn headstart(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_headstart")).args(words).output().expect("the program starts")
}

fn json(words: &[&str]) -> serde_json::Value {
    let output = headstart(words);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

#[test]
fn the_learner_is_right_about_a_site_it_was_not_made_for() {
    let report = json(&["evaluate", LOG, "--json"]);
    let f1 = |of: &serde_json::Value| of["cold"]["f1"].as_f64().expect("a number");
    assert!(f1(&report) >= 0.85, "{report:#}");
    assert!(report["cold"]["wasted_per_view"].as_f64().is_some_and(|wasted| wasted < 0.5), "{report:#}");
    for baseline in ["pusher", "top_ten"] {
        assert!(f1(&report["baselines"][baseline]) < f1(&report), "{report:#}");
    }
    // What a page is drawn with is what is sent, and with hints in effect the evidence does not go.
    let sent =
        |report: &serde_json::Value, what: &str| report["sent"]["hint"]["cold"][what].as_f64().expect("a number");
    assert!(sent(&report, "blocking_recall") >= 0.85 && sent(&report, "wasted_bytes_per_view") >= 0.0, "{report:#}");
    let hinted = json(&["evaluate", LOG, "--json", "--hints"]);
    assert!(sent(&hinted, "f1") > 0.7, "{hinted:#}");
    let one = json(&["evaluate", LOG, "--json", "--max-hints", "1"]);
    assert!(sent(&one, "recall") < sent(&report, "recall"), "{one:#}");
    assert_eq!(report["days"].as_object().map(serde_json::Map::len), Some(4));
}

#[test]
fn the_table_has_a_row_for_each_algorithm() {
    let output = headstart(&["evaluate", LOG]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for row in ["cold: headstart", "warm: headstart", "cold: pusher", "warm: top_ten", "2015-05-17 cold"] {
        assert!(text.contains(row), "{text}");
    }
}

#[test]
fn a_log_warms_a_snapshot() {
    let directory = tempfile::tempdir().expect("a directory");
    let state = directory.path().join("snapshot");
    let state = state.to_str().expect("a path in UTF-8");
    let output = headstart(&["learn", LOG, "--state", state]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("10,000 lines") && text.contains("page views of www.semicomplete.com"), "{text}");
    let written = std::fs::read(state).expect("a snapshot");
    assert!(written.windows(10).any(|window| window == b"/reset.css"), "what passed the gate is in it by name");
    let explained = headstart(&["explain", "http://www.semicomplete.com/", "--state", state]);
    let text = String::from_utf8_lossy(&explained.stdout).into_owned();
    let reset = text.lines().find(|line| line.ends_with(" /reset.css")).expect("a row for the stylesheet");
    assert!(reset.contains("push or hint") && text.contains("section"), "{text}");
    let again = headstart(&["learn", LOG, "--state", state]);
    assert!(again.status.success(), "a snapshot can be added to");
}

#[test]
fn what_cannot_be_read_is_named() {
    for words in [
        vec!["evaluate", "/no/such.log"],
        vec!["learn", "/no/such.log", "--state", NEVER],
        vec!["evaluate", LOG, "--window", "0"],
        vec!["evaluate", LOG, "--min-networks", "99"],
        vec!["evaluate"],
        vec!["explain", "http://example.org/", "--state", "/no/such.snapshot"],
    ] {
        let output = headstart(&words);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{words:?}: {said}");
        assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    }
    assert!(!Path::new(NEVER).exists());
}
