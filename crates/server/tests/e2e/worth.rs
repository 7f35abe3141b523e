//! The gain of the help: figures that outlive the program, for others to compute with, and their own check.

use crate::first_visits::teach;
use crate::rig::admin::Admin;
use crate::rig::node::Browser;
use crate::rig::server::{Home, Server};
use crate::rig::site::Site;
use crate::rig::tools;
use serde_json::{Value, json};
use std::fs;
use std::process::Command;

/// About half of the views of a page that is new are held out, fewer of one that is known.
const OPTIONS: [&str; 4] = ["--admin", "127.0.0.1:0", "--holdout", "16"];

/// Lines of JSON without what changes by itself: the age of the figures, and views that were still open.
fn arms(text: &str) -> Vec<Value> {
    let rows = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"));
    rows.filter(|row| row["row"] == "arm").collect()
}

fn views(arms: &[Value], scope: &str, arm: &str) -> u64 {
    let rows = arms.iter().filter(|row| row["scope"] == scope && row["arm"] == arm);
    rows.map(|row| row["views"].as_u64().expect("a count")).sum()
}

#[test]
fn figures_outlive_the_program_and_are_given_to_others() {
    if !tools::have(&["node"]) {
        return;
    }
    let (site, home) = (Site::small(), Home::new());
    let server = Server::start(&site, &home, &OPTIONS);
    let page = site.page("/");
    teach(&server, &page);
    server.let_visits_end();
    Browser::default().visits(&server, &page, &json!({"visits": 80}));
    let admin = Admin::of(&server);
    let before = arms(&admin.get("/gain.jsonl").body);
    let timed = |arm| views(&before, "site", arm);
    assert!(timed("helped") >= 1 && timed("held_out") >= 1, "{} and {}", timed("helped"), timed("held_out"));
    assert!(before.iter().any(|row| row["scope"] == "page" && row["page"] == "/"), "a page by its name");
    assert!(server.stop().success());

    let snapshot = home.state().join("snapshot");
    let mut gain = Command::new(env!("CARGO_BIN_EXE_headstart"));
    gain.arg("gain").arg(&snapshot).args(["--min-networks", "1"]);
    let table = String::from_utf8(gain.output().expect("the program starts").stdout).expect("text");
    assert!(table.contains("all pages") && table.contains("median") && table.contains("/, by clients"), "{table}");
    let output = gain.arg("--json").output().expect("the program starts");
    assert!(output.status.success());
    assert_eq!(arms(&String::from_utf8(output.stdout).expect("text")), before, "of the file as of the listener");

    let server = Server::start(&site, &home, &OPTIONS);
    assert_eq!(arms(&Admin::of(&server).get("/gain.jsonl").body), before, "of the next process, too");
    Browser::default().visits(&server, &page, &json!({"visits": 3}));
    let after = arms(&Admin::of(&server).get("/gain.jsonl").body);
    let all = |arms: &[Value]| views(arms, "site", "helped") + views(arms, "site", "held_out");
    assert_eq!(all(&after), all(&before) + 3, "it goes on");
    server.kill();

    // What cannot be read is said and set aside.
    let file = home.state().join("snapshot.gain");
    fs::write(&file, b"hsgain\0\x01 and nothing that is true").expect("it can be written");
    let server = Server::start(&site, &home, &OPTIONS);
    server.line("of what is wrong", |line| line.contains("cannot use the figures of the gain"));
    assert!(file.with_extension("gain.bad").exists());
    assert!(arms(&Admin::of(&server).get("/gain.jsonl").body).is_empty());
}

#[test]
fn an_a_a_comparison_is_said_loudly_and_measured_apart() {
    if !tools::have(&["node"]) {
        return;
    }
    let (site, home) = (Site::small(), Home::new());
    // At least a quarter of the views is held out, however settled the page is.
    let options = ["--admin", "127.0.0.1:0", "--holdout", "2", "--set", "gain.aa=true"];
    let server = Server::start(&site, &home, &options);
    let page = site.page("/");
    teach(&server, &page);
    server.let_visits_end();
    let visits = Browser::default().visits(&server, &page, &json!({"visits": 80}));
    assert!(visits.iter().all(|visit| visit.pushed() == page.paths()), "all are helped");
    let admin = Admin::of(&server);
    let rows = arms(&admin.get("/gain.jsonl").body);
    assert!(views(&rows, "aa", "held_out") >= 5, "hold-outs are drawn as ever");
    assert_eq!(views(&rows, "site", "helped") + views(&rows, "site", "held_out"), 0, "nothing is mixed into the gain");
    let detail = format!("/page?host=127.0.0.1:{}&page=/", server.port);
    for path in ["/", &detail] {
        let body = admin.get(path).body;
        assert!(body.contains("Hold-outs get help like all other views now"), "{body}");
    }
}
