//! Clients that take no pushes, and requests that get none and teach none.

use crate::first_visits::teach;
use crate::rig::node::Browser;
use crate::rig::server::{Home, Server};
use crate::rig::site::{ONE, Page, Site};
use crate::rig::{curl, nghttp, set, tools};
use serde_json::{Value, json};

#[test]
fn a_client_that_refuses_pushes_is_hinted_instead() {
    if !tools::have(&["nghttp", "node"]) {
        return;
    }
    let (site, home, page) = known();
    let server = Server::start(&site, &home, &[]);
    teach(&server, &page);
    server.let_visits_end();
    let trace = nghttp::get(&server, "/", &["--no-push"]);
    assert_eq!(trace.promised(), set([]));
    let visit = Browser::default().visit_with(&server, &page, &json!({"push": false}));
    assert_eq!((visit.promised(), visit.hinted()), (set([]), page.paths()));
    // The same client with pushes on, so that the test above can fail.
    assert_eq!(nghttp::get(&server, "/", &[]).promised(), page.paths());
}

#[test]
fn http_1_works_and_gets_links() {
    if !tools::have(&["curl", "node"]) {
        return;
    }
    let (site, home, page) = known();
    let server = Server::start(&site, &home, &[]);
    teach(&server, &page);
    server.let_visits_end();
    let (heads, body) = curl::get(&server, "/", &["--http1.1", "-H", "sec-fetch-dest: document"]);
    let [head] = heads.as_slice() else { panic!("one response: {heads:?}") };
    assert_eq!((head.version.as_str(), head.status), ("HTTP/1.1", 200));
    assert_eq!(set(head.preloads().iter().map(String::as_str)), page.paths());
    assert_eq!(body.len(), site.bytes("/"));
    let fields: Vec<_> = head.fields.iter().filter(|(name, _)| name == "link").collect();
    assert!(fields.iter().all(|(_, value)| value.contains("as=") || value.contains("modulepreload")));
}

#[test]
fn only_a_plain_get_that_succeeds_is_helped() {
    if !tools::have(&["curl", "nghttp", "node"]) {
        return;
    }
    let (site, home, page) = known();
    let server = Server::start(&site, &home, &[]);
    teach(&server, &page);
    server.let_visits_end();
    let (heads, _) = curl::get(&server, "/", &["--http2"]);
    let tag = heads.last().and_then(|head| head.field("etag")).expect("an ETag").to_owned();
    let condition = format!("-Hif-none-match: {tag}");
    let body = site.dir().join("index.html").display().to_string();

    let cases: [(&str, &[&str], u16); 6] = [
        ("/", &["-H:method: HEAD"], 200),
        ("/", &["-d", &body], 405),
        ("/", &["-Hrange: bytes=0-9"], 206),
        ("/", &[&condition], 304),
        ("/missing.html", &[], 404),
        (ONE, &[], 200),
    ];
    for (path, options, status) in cases {
        let trace = nghttp::get(&server, path, options);
        assert_eq!(trace.status(trace.page()), Some(status), "{path} {options:?}");
        assert_eq!(trace.promised(), set([]), "{path} {options:?}");
        assert!(!trace.has_early_hints(), "{path} {options:?}");
        let trace = nghttp::get(&server, path, &[options, &["--no-push"]].concat());
        assert!(!trace.has_early_hints(), "{path} {options:?}");
    }
    assert_eq!(nghttp::get(&server, "/", &[]).promised(), page.paths());
}

#[test]
fn what_is_not_a_plain_page_view_teaches_nothing() {
    if !tools::have(&["curl", "nghttp", "node"]) {
        return;
    }
    let (site, home, page) = known();
    // What the page says itself is known from its first view; this is about what visits teach.
    let server = Server::start(&site, &home, &["--set", "markup.cold_start=false"]);
    let cases = [
        (json!({"method": "HEAD"}), 200),
        (json!({"method": "POST"}), 405),
        (json!({"headers": {"range": "bytes=0-9"}}), 206),
        (json!({"headers": {"sec-fetch-dest": "empty", "sec-fetch-mode": "cors"}}), 200),
        (json!({"assetHeaders": {"range": "bytes=0-9"}}), 200),
    ];
    for (options, status) in &cases {
        visits(&server, &page, options, *status);
        server.let_visits_end();
        assert_eq!(nghttp::get(&server, "/", &[]).promised(), set([]), "{options}");
    }
    // An error page teaches nothing about itself, even when its visitors load assets.
    let mut missing = page.clone();
    "/missing.html".clone_into(&mut missing.path);
    for asset in missing.assets.iter_mut().filter(|asset| asset.parent == "/") {
        "/missing.html".clone_into(&mut asset.parent);
    }
    visits(&server, &missing, &json!({}), 404);
    server.let_visits_end();
    assert_eq!(nghttp::get(&server, "/missing.html", &[]).promised(), set([]));
    // And the page was not spoiled: it can still be learned.
    teach(&server, &page);
    server.let_visits_end();
    assert_eq!(nghttp::get(&server, "/", &[]).promised(), page.paths());
}

fn visits(server: &Server, page: &Page, options: &Value, status: u64) {
    for _ in 0..4 {
        let visit = Browser::default().visit_with(server, page, options);
        assert_eq!(visit.status(), status, "{options}");
        assert!(visit.got_no_help(), "{options}");
    }
}

fn known() -> (Site, Home, Page) {
    let (site, home) = (Site::small(), Home::new());
    let page = site.page("/");
    (site, home, page)
}
