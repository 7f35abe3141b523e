//! The admin listener of the real program: metrics, health, what is known and why.

use crate::rig::admin::{ADMIN, Admin};
use crate::rig::curl;
use crate::rig::server::{Home, PATIENCE, Server};
use crate::rig::site::{FONT, ONE, SHARED, Site};
use crate::rig::tools;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const NAVIGATION: [&str; 6] =
    ["-H", "sec-fetch-mode: navigate", "-H", "sec-fetch-dest: document", "-A", "Mozilla/5.0 (a test)"];

/// A client at this address loads a page and then these assets, each over a connection of its own.
pub(crate) fn visit(server: &Server, from: &str, page: &str, assets: &[&str]) {
    let options = |more: &[&'static str]| [&["--interface", from][..], &NAVIGATION[4..], more].concat();
    let (heads, _) = curl::get(server, page, &options(&NAVIGATION[..4]));
    assert_eq!(heads.last().map(|head| head.status), Some(200), "{page}");
    let referer = format!("referer: {}", server.url(page));
    for asset in assets {
        let options = [&options(&[])[..], &["-H", &referer]].concat();
        let (heads, _) = curl::get(server, asset, &options);
        assert_eq!(heads.last().map(|head| head.status), Some(200), "{asset}");
    }
}

/// Name and type of each metric.
fn described(text: &str) -> BTreeMap<String, String> {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    types.map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect()
}

/// The same of the table in the documentation.
fn documented() -> BTreeMap<String, String> {
    let rows = include_str!("../../README.md").lines().filter_map(|line| line.strip_prefix("| `"));
    let rows = rows.filter(|row| row.starts_with("headstart_") || row.starts_with("process_"));
    let rows = rows.filter_map(|row| {
        let (name, rest) = row.split_once("` | ")?;
        Some((name.to_owned(), rest.split_once(" | ")?.0.to_owned()))
    });
    rows.collect()
}

#[test]
fn the_documentation_lists_the_metrics_that_there_are() {
    let (site, home) = (Site::small(), Home::new());
    let server = Server::start(&site, &home, &ADMIN);
    let admin = Admin::of(&server);
    let reply = admin.get("/metrics");
    assert!(reply.head.contains("content-type: text/plain; version=0.0.4"), "{}", reply.head);
    assert_eq!(described(&reply.body), documented());
    for line in reply.body.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').expect("a sample");
        assert!(value.parse::<f64>().is_ok_and(f64::is_finite), "{line}");
        let family = name.split('{').next().unwrap_or_default();
        let bare = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| family.strip_suffix(suffix));
        let kinds = described(&reply.body);
        assert!(kinds.contains_key(family) || bare.is_some_and(|bare| kinds.contains_key(bare)), "{line}");
    }
    let open = admin.get_as("/metrics", "application/openmetrics-text; version=1.0.0");
    assert!(open.head.contains("application/openmetrics-text") && open.body.ends_with("# EOF\n"), "{}", open.head);
}

#[test]
fn what_clients_do_is_counted_and_explained() {
    if !tools::have(&["curl"]) {
        return;
    }
    let (site, home) = (Site::small(), Home::new());
    let server = Server::start(&site, &home, &ADMIN);
    let admin = Admin::of(&server);
    for _ in 0..4 {
        visit(&server, "127.0.0.1", "/", &[SHARED, FONT, ONE]);
    }
    server.let_visits_end();
    visit(&server, "127.0.0.1", "/", &[]);
    curl::get(&server, "/none", &["--http1.1"]);

    let state = admin.get("/state").json();
    assert_eq!(state["pages"][0]["path"], "/", "{state:#}");
    assert_eq!(state["pages_hidden"], 0);
    let host = state["pages"][0]["host"].as_str().expect("a host").to_owned();

    let metrics = admin.get("/metrics").body;
    let value = |sample: &str| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
        line.and_then(|value| value.parse::<f64>().ok()).unwrap_or_else(|| panic!("no {sample} in\n{metrics}"))
    };
    assert!((value("headstart_views_total") - 5.0).abs() < 0.1);
    assert!((value("headstart_responses_total{protocol=\"http1\",class=\"4xx\"}") - 1.0).abs() < 0.1);
    assert!((value("headstart_response_head_seconds_count") - 18.0).abs() < 0.1);
    assert!((value("headstart_connections_total") - 18.0).abs() < 0.1);
    // As soon as two visits are known the rest are helped.
    assert!(value("headstart_assets_total{decision=\"hinted\"}") > 2.9);
    assert!(value("headstart_visits_total{outcome=\"learned\"}") > 1.9);

    let explained = admin.get(&format!("/explain?page=/&host={host}")).json();
    let assets = explained["assets"].as_array().expect("assets");
    assert_eq!(assets.len(), 3, "{explained:#}");
    assert!(assets.iter().all(|asset| asset["verdict"] == "planned"), "{explained:#}");
    let text = admin.get_as("/explain?page=/", "text/plain").body;
    assert!(text.contains(SHARED) && text.contains("push or hint"), "{text}");
    assert_eq!(admin.get("/explain").status, 400);
    assert_eq!(admin.get("/nothing").status, 404);
}

#[test]
fn health_turns_when_the_server_is_told_to_stop() {
    if !tools::have(&["curl"]) {
        return;
    }
    let (site, home) = (Site::small(), Home::new());
    site.write("/big.bin", &"x".repeat(4 << 20));
    let server = Server::start(&site, &home, &ADMIN);
    let admin = Admin::of(&server);
    let health = admin.get("/health");
    assert_eq!((health.status, health.json()["status"].as_str()), (200, Some("serving")));

    let (url, cert) = (server.url("/big.bin"), server.cert.clone());
    let slow = std::thread::spawn(move || {
        let mut command = std::process::Command::new("curl");
        command.args(["--silent", "--limit-rate", "1M", "--output", "-", "--cacert"]).arg(cert).arg(url);
        command.output().expect("curl runs").stdout.len()
    });
    std::thread::sleep(Duration::from_millis(700));
    let ending = std::thread::spawn(move || server.stop());
    let deadline = Instant::now() + PATIENCE;
    loop {
        let health = admin.get("/health");
        if health.status == 503 {
            assert_eq!(health.json()["status"], "draining");
            break;
        }
        assert!(Instant::now() < deadline, "never draining: {health:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(slow.join().expect("curl ends"), 4 << 20, "what was under way is finished");
    assert!(ending.join().expect("it ends").success());
}
