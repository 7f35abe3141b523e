//! The access log that the real program writes.

use crate::admin::visit;
use crate::rig::curl;
use crate::rig::server::{Home, PATIENCE, Server};
use crate::rig::site::{FONT, ONE, SHARED, Site};
use crate::rig::tools;
use serde_json::Value;
use std::time::{Duration, Instant};

#[test]
fn each_response_is_a_line_and_a_page_says_what_was_sent_early() {
    if !tools::have(&["curl"]) {
        return;
    }
    let (site, home) = (Site::small(), Home::new());
    let dir = tempfile::tempdir().expect("a temporary directory");
    let log = dir.path().join("access.json");
    let options = ["--access-log", log.to_str().expect("a name in Unicode"), "--access-log-format", "json"];
    let server = Server::start(&site, &home, &options);
    for _ in 0..4 {
        visit(&server, "127.0.0.1", "/", &[SHARED, FONT, ONE]);
    }
    server.let_visits_end();
    curl::get(&server, "/", &["--http1.1", "-e", "https://else.example/\"x\"", "-A", "a test"]);
    curl::get(&server, "/none?q=1", &["--head"]);
    assert!(server.stop().success());

    let text = std::fs::read_to_string(&log).expect("the log");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    assert_eq!(lines.len(), 4 * 4 + 2, "{text}");
    let first = &lines[0];
    assert_eq!((&first["path"], &first["protocol"]), (&Value::from("/"), &Value::from("HTTP/2.0")));
    assert_eq!(first["early"]["pushed"], 0, "{first}");
    let asset = &lines[1];
    assert_eq!((&asset["path"], asset["status"].as_u64()), (&Value::from(SHARED), Some(200)));
    assert_eq!(asset["bytes"].as_u64(), Some(site.bytes(SHARED) as u64));
    assert!(asset["early"].is_null() && asset["duration_ms"].as_f64().is_some_and(|took| took > 0.0), "{asset}");

    let page = &lines[16];
    assert_eq!((&page["protocol"], page["early"]["linked"].as_u64()), (&Value::from("HTTP/1.1"), Some(3)), "{page}");
    assert_eq!((&page["referer"], &page["agent"]), (&"https://else.example/\"x\"".into(), &"a test".into()));
    assert_eq!((page["complete"].as_bool(), &page["client"]), (Some(true), &"127.0.0.1".into()));
    let head = &lines[17];
    assert_eq!(
        (&head["method"], head["status"].as_u64(), head["bytes"].as_u64()),
        (&"HEAD".into(), Some(404), Some(0))
    );
    assert_eq!((&head["path"], head["complete"].as_bool()), (&"/none?q=1".into(), Some(true)));
}

#[test]
fn pushes_are_logged_as_such_and_the_combined_form_is_learned_from() {
    if !tools::have(&["curl", "nghttp"]) {
        return;
    }
    let (site, home) = (Site::small(), Home::new());
    let dir = tempfile::tempdir().expect("a temporary directory");
    let log = dir.path().join("access.log");
    let server = Server::start(&site, &home, &["--access-log", log.to_str().expect("a name in Unicode")]);
    for _ in 0..4 {
        visit(&server, "127.0.0.1", "/", &[SHARED, FONT, ONE]);
    }
    server.let_visits_end();
    let trace = crate::rig::nghttp::get(&server, "/", &[]);
    assert_eq!(trace.pushed().len(), 3);
    assert!(server.stop().success());
    let text = std::fs::read_to_string(&log).expect("the log");
    assert_eq!(text.lines().count(), 4 * 4 + 1 + 3, "the page and its pushes: {text}");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_headstart"))
        .arg("evaluate")
        .arg(&log)
        .output()
        .expect("the program starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

#[test]
fn a_log_that_was_moved_away_is_begun_anew() {
    if !tools::have(&["curl"]) {
        return;
    }
    let (site, home) = (Site::small(), Home::new());
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (log, old) = (dir.path().join("access.log"), dir.path().join("access.log.1"));
    let server = Server::start(&site, &home, &["--access-log", log.to_str().expect("a name in Unicode")]);
    visit(&server, "127.0.0.1", "/", &[SHARED]);
    let lines = |path| std::fs::read_to_string(path).expect("a log").lines().count();
    let deadline = Instant::now() + PATIENCE;
    while lines(&log) < 2 {
        assert!(Instant::now() < deadline, "two requests, {} lines", lines(&log));
        std::thread::sleep(Duration::from_millis(20));
    }
    std::fs::rename(&log, &old).expect("it can be moved");
    server.hang_up();
    server.line("after the reload", |line| line.contains("reloaded"));
    let deadline = Instant::now() + PATIENCE;
    while !log.exists() {
        assert!(Instant::now() < deadline, "no new log");
        std::thread::sleep(Duration::from_millis(20));
    }
    visit(&server, "127.0.0.1", "/other.html", &[]);
    assert!(server.stop().success());
    assert_eq!((lines(&old), lines(&log)), (2, 1));
}
