//! From nothing known to exactly what a page needs.

use std::collections::BTreeSet;

use crate::rig::chromium::{self, Chromium};
use crate::rig::nghttp::{self, Event, Trace};
use crate::rig::node::Browser;
use crate::rig::server::{Home, Server};
use crate::rig::site::{FONT, ONE, Page, SHARED, Site, TWO};
use crate::rig::{set, tools};
use serde_json::json;

/// Cold visits that are enough to know a page.
const FEW: usize = 4;

/// Cold visits, each by a browser with nothing in its cache that takes no pushes.
pub(crate) fn teach(server: &Server, page: &Page) {
    for _ in 0..FEW {
        let visit = Browser::default().visit_with(server, page, &json!({"push": false}));
        assert_eq!(visit.requested(), page.paths());
    }
}

#[test]
fn a_page_that_browsers_loaded_is_pushed_whole_and_html_first() {
    if !tools::have(&["nghttp", "node"]) {
        return;
    }
    let (site, home) = (Site::example(), Home::new());
    let server = Server::start(&site, &home, &[]);
    let page = site.page("/");

    let first = nghttp::get(&server, "/", &[]);
    assert_eq!(first.promised(), set([]), "nothing is known yet");
    // By now the page may have been read; what it names itself may be pushed, and nothing else.
    let second = Browser::default().visit(&server, &page);
    assert!(second.pushed().is_subset(&page.paths()), "{:?}", second.pushed());
    assert_eq!(&second.pushed() | &second.requested(), page.paths());

    teach(&server, &page);
    server.let_visits_end();
    // With -a it asks for all that the page names and that was not pushed. What is counted are bytes of files.
    let trace = nghttp::get(&server, "/", &["-a", "-H", "accept-encoding: identity"]);
    assert_eq!(trace.pushed(), page.paths());
    assert_eq!(trace.requested(), ["/"]);
    assert_html_first(&trace);
    assert_promised_before_the_page(&trace);
    for path in page.paths() {
        let stream = trace.promised_stream(&path).expect("it was promised");
        assert!(trace.end_of(stream).is_some(), "{path} did not end");
        assert_eq!(trace.received(stream), site.bytes(&path), "{path}");
    }
}

/// Asserts that the assets that the client will look for in the document are promised before it sees the document.
fn assert_promised_before_the_page(trace: &Trace) {
    let last = trace.events.iter().rposition(|event| matches!(event, Event::Promise { .. }));
    assert!(last < trace.start_of(trace.page()), "a promise came after the document began");
}

fn assert_html_first(trace: &Trace) {
    let html = trace.end_of(trace.page()).expect("the document ended");
    for path in trace.pushed() {
        let stream = trace.promised_stream(&path).expect("it was promised");
        let began = trace.start_of(stream).expect("it came");
        assert!(began > html, "{path} began before the document had ended");
    }
}

#[test]
fn each_page_has_its_own_list() {
    if !tools::have(&["nghttp", "node"]) {
        return;
    }
    let (site, home) = (Site::small(), Home::new());
    let server = Server::start(&site, &home, &[]);
    for path in ["/", "/other.html"] {
        teach(&server, &site.page(path));
    }
    server.let_visits_end();
    assert_eq!(nghttp::get(&server, "/", &[]).pushed(), set([SHARED, FONT, ONE]));
    let other = nghttp::get(&server, "/other.html", &[]);
    assert_eq!(other.pushed(), set([SHARED, FONT, TWO]));
}

#[test]
fn a_client_that_names_no_referer_teaches_on_its_connection() {
    if !tools::have(&["nghttp"]) {
        return;
    }
    let (site, home) = (Site::example(), Home::new());
    let server = Server::start(&site, &home, &[]);
    let mut asked = set([]);
    for _ in 0..FEW {
        let trace = nghttp::get(&server, "/", &["-a", "--no-push"]);
        asked = set(trace.requested());
    }
    assert!(asked.remove("/") && asked.len() > 3, "nghttp -a asked for {asked:?}");
    server.let_visits_end();
    assert_eq!(nghttp::get(&server, "/", &[]).pushed(), asked);
}

#[test]
fn a_page_with_no_referrer_policy_is_learned_too() {
    if !tools::have(&["nghttp", "node"]) {
        return;
    }
    let (site, home) = (Site::example(), Home::new());
    let server = Server::start(&site, &home, &[]);
    let page = site.page("/quiet.html");
    for _ in 0..FEW {
        let options = json!({"push": false, "referer": false});
        Browser::default().visit_with(&server, &page, &options);
    }
    server.let_visits_end();
    assert_eq!(nghttp::get(&server, "/quiet.html", &[]).pushed(), page.paths());
}

#[test]
fn chromium_teaches_what_it_loads_and_nothing_else() {
    if !tools::have(&["nghttp"]) || !tools::have(chromium::programs()) {
        return;
    }
    let (site, home) = (Site::example(), Home::new());
    // A browser on a busy machine takes its time.
    let server = Server::start(&site, &home, &["--window", "8"]);
    let page = site.page("/");
    // The icon is fetched after the page has loaded, and sometimes not before the browser is closed.
    let but_for_the_icon = |paths: BTreeSet<String>| &paths & &page.hintable();
    for _ in 0..3 {
        let load = Chromium::new().load(&server, "/");
        let requested = set(load.requested().into_iter().filter(|path| *path != "/"));
        assert!(requested.is_subset(&page.paths()), "{requested:?}");
        assert_eq!(but_for_the_icon(requested), page.hintable());
    }
    server.let_visits_end();
    let pushed = nghttp::get(&server, "/", &[]).pushed();
    assert!(pushed.is_subset(&page.paths()), "{pushed:?}");
    assert_eq!(but_for_the_icon(pushed), page.hintable());
}
