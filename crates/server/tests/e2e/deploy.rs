//! What access logs taught, before and after a deploy.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use http::Method;

use crate::rig::server::{Home, Server};
use crate::rig::set;
use crate::rig::site::{FONT, Site};
use crate::rig::visitor::Visitor;

const DESKTOP: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0";
const PHONE: &str = "Mozilla/5.0 (Android 16; Mobile; rv:153.0) Gecko/153.0 Firefox/153.0";

/// Twelve stylesheets and scripts.
fn names(stem: &str, version: &str) -> Vec<String> {
    let name = |n: usize| format!("/{stem}{n}.{version}.{}", if n.is_multiple_of(2) { "css" } else { "js" });
    (0..12).map(name).collect()
}

/// A page that builds itself by script, so that nothing but its visitors says what it needs.
fn deploy(site: &Site, version: &str, old: &[String], new: &[String]) {
    for path in old {
        fs::remove_file(site.dir().join(path.trim_start_matches('/'))).expect("a file of the site");
    }
    for path in new {
        site.write(path, "/* */\n");
    }
    site.write("/index.html", &format!("<!doctype html><title>{version}</title><p>{version}\n"));
}

/// Minutes between two views of the log.
const PACE: usize = 3;

/// Three days of views from 60 networks, in the Combined Log Format.
fn three_days(authority: &str, needs: &[String]) -> String {
    let mut log = String::new();
    for minute in (0..3 * 24 * 60).step_by(PACE) {
        let client = format!("10.{}.{}.{}", minute / PACE % 60, minute / 180 % 250, minute % 250);
        let time = format!("{:02}/Nov/2026:{:02}:{:02}:00 +0000", 1 + minute / 1440, minute / 60 % 24, minute % 60);
        let mut line = |path: &str, referer: &str| {
            let _ = writeln!(log, r#"{client} - - [{time}] "GET {path} HTTP/2.0" 200 900 "{referer}" "{DESKTOP}""#);
        };
        line("/", "-");
        for path in needs {
            line(path, &format!("https://{authority}/"));
        }
    }
    log
}

/// Runs a command of the program that must succeed, and returns what it printed.
fn headstart(words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_headstart")).args(words).output().expect("the program starts");
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn learn(log: &Path, authority: &str, snapshot: &Path) -> String {
    let text = |path: &Path| path.to_str().expect("a name in Unicode").to_owned();
    headstart(&["learn", &text(log), "--site", authority, "--state", &text(snapshot)])
}

#[test]
fn after_a_deploy_the_new_names_are_hinted_from_the_fifth_visit() {
    for (old, new) in [(names("app", "1a2b3c4d"), names("app", "9f8e7d6c")), (names("old", "min"), names("new", "min"))]
    {
        let (site, home) = (Site::small(), Home::new());
        deploy(&site, "one", &[], &old);
        // The first start is given a port, which is part of the site's name.
        let first = Server::start(&site, &home, &[]);
        let authority = first.origin().replace("https://", "");
        assert!(first.stop().success());
        let snapshot = home.state().join("snapshot");
        fs::remove_file(&snapshot).expect("a stop leaves a snapshot");
        let log = home.state().join("access.log");
        fs::write(&log, three_days(&authority, &old)).expect("a log");
        let said = learn(&log, &authority, &snapshot);
        assert!(said.contains("1,440 page views") && said.contains("12 of them by name"), "{said}");

        let server = Server::start(&site, &home, &["--holdout", "32"]);
        let [old_names, new_names] = [&old, &new].map(|names| set(names.iter().map(String::as_str)));
        let (old_needs, new_needs): (Vec<&str>, Vec<&str>) =
            (old.iter().map(String::as_str).collect(), new.iter().map(String::as_str).collect());
        let mut before = 0;
        for network in 1..=6 {
            let view = Visitor::connect(&server, network, DESKTOP).view("/", &old_needs);
            assert!(view.hinted.is_empty() || view.hinted == old_names, "{:?}", view.hinted);
            before += usize::from(view.hinted == old_names);
        }
        assert!(before >= 3, "what the log taught is sent to the first visitors");

        deploy(&site, "two", &old, &new);
        std::thread::sleep(std::time::Duration::from_millis(150));
        let mut helped = 0;
        for n in 1..=30 {
            let mut visitor = Visitor::connect(&server, 10 + n, DESKTOP);
            let view = visitor.view("/", &new_needs);
            assert!(view.answers.iter().all(|(path, status)| *status == if old.contains(path) { 404 } else { 200 }));
            if n >= 5 {
                // Views that are held out get nothing.
                assert!(view.hinted.is_empty() || view.hinted == new_names, "view {n}: {:?}", view.hinted);
                helped += usize::from(view.hinted == new_names);
            }
            // It goes on to another page, so that what it loaded is known before the next visitor comes.
            visitor.navigate(Method::GET, "/other.html", &[]);
        }
        assert!(server.stop().success());
        assert!(helped >= 15, "{helped} of 26: {:#?}", explained(&format!("https://{authority}/"), &snapshot));
    }
}

/// Each asset that `explain` names, with its decision and how probable it is.
fn explained(url: &str, snapshot: &Path) -> BTreeMap<String, (String, f32)> {
    let text = headstart(&["explain", url, "--state", snapshot.to_str().expect("a name in Unicode")]);
    let rows = text.lines().filter(|line| line.split_whitespace().last().is_some_and(|word| word.starts_with('/')));
    let row = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (asset, probability) = (words.last()?, words.get(3)?.parse().ok()?);
        let decision = if line.contains("nothing") { "nothing" } else { "sent" };
        Some(((*asset).to_owned(), (decision.to_owned(), probability)))
    };
    rows.filter_map(row).collect()
}

#[test]
fn visits_teach_the_same_live_and_from_the_log_of_them() {
    let (site, home) = (Site::small(), Home::new());
    for path in ["/style.css", "/one.js", "/two.js", "/phone.css", "/wide.css", "/menu.svg", "/favicon.ico"] {
        site.write(path, "/* */\n");
    }
    site.write("/index.html", "<!doctype html><title>page</title>\n");
    let log = home.state().join("access.log");
    fs::create_dir_all(home.state()).expect("a directory");
    let options = ["--access-log", log.to_str().expect("a name in Unicode"), "--access-log-format", "combined"];
    let server = Server::start(&site, &home, &options);
    // Nothing is sent early, which no log could tell.
    let saves = [("save-data", "on")];
    for network in 1..=24 {
        let agent = if network % 2 == 0 { PHONE } else { DESKTOP };
        let page = ["/?view=1", "/?view=2", "/"][usize::from(network) % 3];
        let page = if network % 5 == 0 {
            format!("{page}{}utm_source=mail", if page == "/" { "?" } else { "&" })
        } else {
            page.to_owned()
        };
        let mut visitor = Visitor::connect(&server, network, agent);
        assert_eq!(visitor.navigate(Method::GET, &page, &saves).status, 200);
        assert_eq!(visitor.fetch("/style.css", &page, &[]), 200);
        let own = match (network % 3, network % 2) {
            (0, _) => "/one.js",
            (1, _) => "/two.js",
            (_, 0) => "/phone.css",
            (..) => "/wide.css",
        };
        assert_eq!(visitor.fetch(own, &page, &[]), 200);
        // Asked for by browsers on their own account, by the first view of each page, and in vain.
        visitor.fetch("/favicon.ico", &page, &[]);
        if network <= 3 {
            assert_eq!(visitor.fetch("/menu.svg", &page, &[]), 200);
        }
        assert_eq!(visitor.fetch("/nowhere.css", &page, &[]), 404);
        let modified = [("if-modified-since", "Fri, 01 Jan 2100 00:00:00 GMT")];
        if network % 6 == 0 {
            assert_eq!(visitor.fetch(FONT, &page, &modified), 304);
        }
    }
    let authority = server.origin().replace("https://", "");
    assert!(server.stop().success());
    let from_log = home.state().join("from-log");
    let said = learn(&log, &authority, &from_log);
    assert!(said.contains("24 page views"), "{said}");
    let live = home.state().join("snapshot");
    for page in ["/", "/?view=1", "/?view=2", "/?view=3", "/unknown"] {
        let url = format!("https://{authority}{page}");
        let (live, logged) = (explained(&url, &live), explained(&url, &from_log));
        assert_eq!(live.keys().collect::<Vec<_>>(), logged.keys().collect::<Vec<_>>(), "{page}");
        assert!(live.contains_key("/style.css") || page == "/unknown", "{live:?}");
        for (asset, (decision, probability)) in &live {
            let (logged_decision, logged_probability) = &logged[asset];
            assert_eq!(decision, logged_decision, "{page} {asset}: {live:?} {logged:?}");
            // A log knows whole seconds: which of two visits of one second came first may differ.
            assert!((probability - logged_probability).abs() < 0.1, "{page} {asset}: {live:?} {logged:?}");
        }
    }
}
