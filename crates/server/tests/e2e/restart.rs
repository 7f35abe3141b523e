//! Evidence outlives the program; damage is reported and does no harm.

use crate::first_visits::teach;
use crate::rig::server::{Home, Server};
use crate::rig::site::Site;
use crate::rig::{curl, nghttp, set, tools};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

#[test]
fn an_orderly_end_loses_nothing() {
    if !tools::have(&["nghttp", "node"]) {
        return;
    }
    let (site, home) = (Site::small(), Home::new());
    let page = site.page("/");
    let server = Server::start(&site, &home, &[]);
    teach(&server, &page);
    // Visits that are still open are learned at the end.
    assert!(server.stop().success());
    let server = Server::start(&site, &home, &[]);
    assert_eq!(nghttp::get(&server, "/", &[]).pushed(), page.paths());
}

/// What two servers have learned, each of another page and under a secret of its own, a third one knows at once.
#[test]
fn a_server_that_starts_from_a_merged_state_knows_what_both_knew() {
    if !tools::have(&["nghttp", "node"]) {
        return;
    }
    let (site, home) = (Site::small(), Home::new());
    let names = tempfile::tempdir().expect("a temporary directory");
    let [a, b, both] = ["a", "b", "both"].map(|name| names.path().join(name).to_string_lossy().into_owned());
    for (state, path) in [(&a, "/"), (&b, "/other.html")] {
        let server = Server::start(&site, &home, &["--state", state]);
        teach(&server, &site.page(path));
        assert!(server.stop().success());
    }
    let mut merge = Command::new(env!("CARGO_BIN_EXE_headstart"));
    merge.args(["state", "merge", "--min-networks", "1", "--output", &both, &a, &b]);
    assert!(merge.stdout(Stdio::null()).status().expect("the program starts").success());
    let server = Server::start(&site, &home, &["--state", &both]);
    for path in ["/", "/other.html"] {
        assert_eq!(nghttp::get(&server, path, &[]).pushed(), site.page(path).paths());
    }
}

#[test]
fn a_kill_loses_no_more_than_the_snapshot_interval() {
    if !tools::have(&["nghttp", "node"]) {
        return;
    }
    let (site, home) = (Site::small(), Home::new());
    let page = site.page("/");
    let server = Server::start(&site, &home, &["--snapshot-interval", "1"]);
    teach(&server, &page);
    server.let_visits_end();
    std::thread::sleep(Duration::from_secs(2));
    server.kill();
    let server = Server::start(&site, &home, &["--snapshot-interval", "1"]);
    assert_eq!(nghttp::get(&server, "/", &[]).pushed(), page.paths());
}

#[test]
fn kills_at_any_time_leave_a_state_that_loads() {
    if !tools::have(&["nghttp", "node"]) {
        return;
    }
    let (site, home) = (Site::small(), Home::new());
    let page = site.page("/");
    let server = Server::start(&site, &home, &[]);
    teach(&server, &page);
    assert!(server.stop().success());
    for n in 0..10_u64 {
        let server = Server::start(&site, &home, &["--snapshot-interval", "1"]);
        assert_eq!(nghttp::get(&server, "/", &[]).pushed(), page.paths(), "start {n}");
        std::thread::sleep(Duration::from_millis(900 + 20 * n));
        server.kill();
    }
}

#[test]
fn a_corrupt_snapshot_is_reported_kept_aside_and_learned_anew() {
    if !tools::have(&["nghttp", "node"]) {
        return;
    }
    let (site, home) = (Site::small(), Home::new());
    let page = site.page("/");
    let server = Server::start(&site, &home, &[]);
    teach(&server, &page);
    assert!(server.stop().success());
    let files = snapshots(&home);
    assert!(!files.is_empty(), "a state was saved");
    for file in &files {
        let mut bytes = fs::read(file).expect("a snapshot");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x55;
        fs::write(file, bytes).expect("a snapshot");
    }

    let server = Server::start(&site, &home, &[]);
    let name = files[0].file_name().expect("a name").to_string_lossy().into_owned();
    server.line("about the damaged state", |line| line.contains(&name));
    let trace = nghttp::get(&server, "/", &[]);
    assert_eq!((trace.status(trace.page()), trace.promised()), (Some(200), set([])));
    let aside = snapshots(&home);
    assert!(aside.iter().any(|file| file.to_string_lossy().contains(".bad")), "{aside:?}");
    teach(&server, &page);
    server.let_visits_end();
    assert_eq!(nghttp::get(&server, "/", &[]).pushed(), page.paths());
    assert!(server.stop().success());
    let server = Server::start(&site, &home, &[]);
    assert_eq!(nghttp::get(&server, "/", &[]).pushed(), page.paths());
}

/// Files of the state directory that hold what was learned, not keys.
fn snapshots(home: &Home) -> Vec<PathBuf> {
    let entries = fs::read_dir(home.state()).expect("the state directory");
    let files = entries.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| path.is_file());
    let learned = files.filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        !name.contains("key") && !name.contains("pem") && !name.contains("lock")
    });
    learned.collect()
}

#[test]
fn a_corrupt_cookie_counts_as_none() {
    if !tools::have(&["curl", "nghttp", "node"]) {
        return;
    }
    let (site, home) = (Site::small(), Home::new());
    let page = site.page("/");
    let mut server = Server::start(&site, &home, &[]);
    teach(&server, &page);
    server.let_visits_end();
    let long = "A".repeat(4000);
    for value in ["", "!", "====", "AAAA", "__________", "a b", "\"", &long] {
        let cookie = format!("cookie: __Host-headstart={value}");
        let trace = nghttp::get(&server, "/", &[&format!("-H{cookie}")]);
        assert_eq!(trace.status(trace.page()), Some(200), "{value}");
        assert_eq!(trace.pushed(), page.paths(), "{value}");
        let (heads, _) = curl::get(&server, "/", &["--http1.1", "-H", &cookie]);
        assert_eq!(heads.last().map(|head| head.status), Some(200), "{value}");
    }
    server.line("about a corrupt cookie", |line| line.contains("cookie was corrupt"));
    assert!(server.is_alive());
}
