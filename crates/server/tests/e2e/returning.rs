//! A client that comes back is sent what it lacks and nothing else.

use crate::first_visits::teach;
use crate::rig::node::Browser;
use crate::rig::server::{Home, Server};
use crate::rig::site::Site;
use crate::rig::{set, tools};

#[test]
fn only_what_a_returning_client_lacks_is_pushed() {
    if !tools::have(&["node"]) {
        return;
    }
    let (site, home) = (Site::example(), Home::new());
    let server = Server::start(&site, &home, &[]);
    let (first, second) = (site.page("/"), site.page(SECOND));
    teach(&server, &first);
    teach(&server, &second);
    server.let_visits_end();

    let mut browser = Browser::default();
    let visit = browser.visit(&server, &first);
    assert_eq!(visit.pushed(), first.paths());
    assert_eq!(visit.requested(), set([]), "a push spares the request");

    let visit = browser.visit(&server, &first);
    assert_eq!((visit.promised(), visit.requested()), (set([]), set([])), "all of it is held");

    let missing = &second.paths() - &first.paths();
    assert!(!missing.is_empty() && missing.len() < second.assets.len(), "the pages share a part");
    let visit = browser.visit(&server, &second);
    assert_eq!((visit.pushed(), visit.requested()), (missing, set([])));

    let changed = first.first("style");
    site.touch(changed);
    let visit = browser.visit(&server, &first);
    assert_eq!(visit.promised(), set([changed]), "what changed is not held any more");
    let visit = browser.visit(&server, &first);
    assert_eq!(visit.promised(), set([]), "and now it is");
}

/// The page of the example site that shares a part of its assets with the first.
const SECOND: &str = "/workshop.html";

#[test]
fn a_client_without_cookies_is_sent_everything_each_time() {
    if !tools::have(&["node"]) {
        return;
    }
    let (site, home) = (Site::small(), Home::new());
    let server = Server::start(&site, &home, &[]);
    let page = site.page("/");
    teach(&server, &page);
    server.let_visits_end();
    for _ in 0..2 {
        assert_eq!(Browser::default().visit(&server, &page).pushed(), page.paths());
    }
}

#[test]
fn the_cookie_is_small_bound_to_the_host_and_the_same_for_equal_histories() {
    if !tools::have(&["node"]) {
        return;
    }
    let (site, home) = (Site::small(), Home::new());
    let server = Server::start(&site, &home, &[]);
    let page = site.page("/");
    teach(&server, &page);
    server.let_visits_end();
    let cookies = [(), ()].map(|()| {
        let mut browser = Browser::default();
        browser.visit(&server, &page);
        browser.cookies
    });
    assert_eq!(cookies[0].keys().collect::<Vec<_>>(), ["__Host-headstart"]);
    let value = cookies[0]["__Host-headstart"].as_str().expect("text");
    assert!(!value.is_empty() && value.len() <= 1024, "{value}");
    assert_eq!(cookies[0], cookies[1], "nothing in it tells one visitor from another");
}

#[test]
fn the_cookies_of_go_casper_and_h2o_can_be_chosen() {
    if !tools::have(&["node"]) {
        return;
    }
    for (option, name) in [("go-casper", "x-go-casper"), ("h2o", "h2o_casper")] {
        let (site, home) = (Site::small(), Home::new());
        let server = Server::start(&site, &home, &["--cookie", option]);
        let page = site.page("/");
        teach(&server, &page);
        server.let_visits_end();
        let mut browser = Browser::default();
        assert_eq!(browser.visit(&server, &page).pushed(), page.paths(), "{option}");
        assert!(browser.cookies.contains_key(name), "{option}: {:?}", browser.cookies);
        assert_eq!(browser.visit(&server, &page).promised(), set([]), "{option}");
    }
}
