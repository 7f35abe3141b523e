//! A small share of the navigations gets nothing, on purpose, and the log says so.

use crate::first_visits::teach;
use crate::rig::node::Browser;
use crate::rig::server::{Home, PATIENCE, Server};
use crate::rig::site::Site;
use crate::rig::tools;
use serde_json::json;
use std::time::{Duration, Instant};

/// Navigations, each by a client of its own. A page is held out once in 64 views when its evidence is settled and more often
/// before, a site once in 16 views: so 8 of these at least, and 120 at most.
const VISITS: usize = 960;

#[test]
fn a_small_share_of_the_clients_is_held_out_and_marked() {
    if !tools::have(&["node"]) {
        return;
    }
    let (site, home) = (Site::small(), Home::new());
    let server = Server::start(&site, &home, &["--holdout", "32"]);
    let page = site.page("/");
    teach(&server, &page);
    server.let_visits_end();
    let marked = |server: &Server| server.printed().iter().filter(|line| line.contains(MARK)).count();
    let before = marked(&server);

    let visits = Browser::default().visits(&server, &page, &json!({"visits": VISITS}));
    let without = visits.iter().filter(|visit| visit.got_no_help()).count();
    assert!((8..=120).contains(&without), "{without} of {VISITS} were held out");
    assert!(
        visits.iter().all(|visit| visit.got_no_help() || visit.pushed() == page.paths()),
        "a navigation gets all or nothing"
    );
    let deadline = Instant::now() + PATIENCE;
    while marked(&server) - before < without && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(marked(&server) - before, without, "the log marks them, and no others");
}

/// How the log marks a page view that was held out.
const MARK: &str = "held out";
