//! In front of nginx and of an application: clients see what they see in front of files.

use crate::chromium::assert_hinted;
use crate::first_visits::teach;
use crate::rig::chromium::{self, Chromium};
use crate::rig::node::Browser;
use crate::rig::server::{Home, Server};
use crate::rig::site::{Page, Site};
use crate::rig::upstream::Upstream;
use crate::rig::{nghttp, raw, relay, set, tools};
use serde_json::json;
use std::time::Duration;

#[test]
fn pushes_and_hints_are_those_of_files() {
    if !tools::have(&["nghttp", "nginx", "node"]) {
        return;
    }
    let site = Site::example();
    let page = site.page("/");
    let home = Home::new();
    let files = Server::start(&site, &home, &[]);
    let expected = learned(&files, &page);
    assert_eq!(expected, (page.paths(), page.hintable()));
    drop(files);
    for upstream in [Upstream::nginx(site.dir()), Upstream::node(site.dir())] {
        let home = Home::new();
        let server = Server::start_proxy(&upstream.url(), &home, &[]);
        assert_eq!(learned(&server, &page), expected);
        // What is counted are bytes of files.
        let trace = nghttp::get(&server, "/", &["-H", "accept-encoding: identity"]);
        for path in page.paths() {
            let stream = trace.promised_stream(&path).expect("it was promised");
            assert_eq!(trace.received(stream), site.bytes(&path), "{path}");
        }
    }
}

/// The assets pushed to a client that takes pushes, and hinted to one that does not, once a page is known.
fn learned(server: &Server, page: &Page) -> (std::collections::BTreeSet<String>, std::collections::BTreeSet<String>) {
    assert!(Browser::default().visit(server, page).got_no_help(), "nothing is known yet");
    teach(server, page);
    server.let_visits_end();
    let pushed = nghttp::get(server, "/", &[]).pushed();
    let hinted = Browser::default().visit_with(server, page, &json!({"push": false})).hinted();
    (pushed, hinted)
}

#[test]
fn chromium_is_hinted_once_in_front_of_nginx() {
    if !tools::have(&["nginx", "node"]) || !tools::have(chromium::programs()) {
        return;
    }
    let (site, home) = (Site::example(), Home::new());
    let upstream = Upstream::nginx(site.dir());
    let mut server = Server::start_proxy(&upstream.url(), &home, &[]);
    server.port = relay::between(server.port, Duration::from_millis(40));
    let page = site.page("/");
    teach(&server, &page);
    server.let_visits_end();
    let chromium = Chromium::new();
    assert_hinted(&chromium.load(&server, "/"), &page);
    assert_eq!(chromium.load(&server, "/").hinted(), set([]), "all of it is held");
}

#[test]
fn an_application_gets_its_sockets() {
    if !tools::have(&["node"]) {
        return;
    }
    let (site, home) = (Site::small(), Home::new());
    let upstream = Upstream::node(site.dir());
    let server = Server::start_proxy(&upstream.url(), &home, &[]);
    let answer = raw::send(
        &server,
        "http/1.1",
        "GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nthrough and back",
    );
    assert!(answer.starts_with("HTTP/1.1 101 ") && answer.ends_with("THROUGH AND BACK"), "{answer:?}");
}

#[test]
fn an_upstream_that_goes_and_comes_back_is_noticed() {
    if !tools::have(&["nghttp", "node"]) {
        return;
    }
    let (site, home) = (Site::small(), Home::new());
    let upstream = Upstream::node(site.dir());
    let server = Server::start_proxy(&upstream.url(), &home, &[]);
    let status = |server| {
        let trace = nghttp::get(server, "/", &[]);
        trace.status(trace.page())
    };
    assert_eq!(status(&server), Some(200));
    drop(upstream);
    assert_eq!(status(&server), Some(502));
}
