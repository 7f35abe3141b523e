//! One line for each page view says what was done and why.

use crate::first_visits::teach;
use crate::rig::node::Browser;
use crate::rig::server::{Home, Server};
use crate::rig::site::{ONE, SHARED, Site, TWO};
use crate::rig::{curl, nghttp, tools};

#[test]
fn a_page_view_is_one_line_that_says_what_and_why() {
    if !tools::have(&["curl", "nghttp", "node"]) {
        return;
    }
    let (site, home) = (Site::small(), Home::new());
    let server = Server::start(&site, &home, &[]);
    nghttp::get(&server, "/", &[]);
    server.line("for a page not known yet", |line| line.contains("nothing known"));
    for path in ["/", "/other.html"] {
        teach(&server, &site.page(path));
    }
    server.let_visits_end();

    let mut browser = Browser::default();
    browser.visit(&server, &site.page("/"));
    let line = server.line("for the pushes", |line| line.contains("pushed 3"));
    assert!(line.contains(SHARED) && line.contains(ONE), "{line}");

    browser.visit(&server, &site.page("/other.html"));
    let line = server.line("for what was held", |line| line.contains("held 2"));
    assert!(line.contains("/other.html") && line.contains("pushed 1") && line.contains(TWO), "{line}");

    curl::get(&server, "/", &["--http2", "-H", "sec-fetch-mode: navigate", "-H", "sec-fetch-dest: document"]);
    server.line("for the hints", |line| line.contains("hinted 3"));
    curl::get(&server, "/", &["--http1.1"]);
    server.line("for the links", |line| line.contains("linked 3"));
}

#[test]
fn the_start_says_where_to_point_a_browser_and_how_strict_the_gate_is() {
    let (site, home) = (Site::small(), Home::new());
    let server = Server::start(&site, &home, &[]);
    server.line("with the address", |line| line.contains(&format!("{}/", server.origin())));
    server.line("about the gate", |line| line.contains("network") && line.contains('1'));
}
