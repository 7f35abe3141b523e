//! A browser gets one early hint of what it lacks, and uses it.

use crate::first_visits::teach;
use crate::rig::chromium::{self, Chromium, Load};
use crate::rig::netlog::Frame;
use crate::rig::server::{Home, Server};
use crate::rig::site::{Page, Site};
use crate::rig::{curl, relay, set, tools};
use std::collections::BTreeMap;
use std::time::Duration;

/// One way between browser and server, so that what it asks for at once is told from what it asks
/// for after an answer.
const ONE_WAY: Duration = Duration::from_millis(40);

#[test]
fn a_cold_load_is_hinted_once_and_a_warm_one_not_at_all() {
    if !tools::have(&["node"]) || !tools::have(chromium::programs()) {
        return;
    }
    let (site, home) = (Site::example(), Home::new());
    let mut server = Server::start(&site, &home, &[]);
    // A site is an authority with its port: all clients go the same way.
    server.port = relay::between(server.port, ONE_WAY);
    let page = site.page("/");
    teach(&server, &page);
    server.let_visits_end();

    let chromium = Chromium::new();
    let cold = chromium.load(&server, "/");
    assert_hinted(&cold, &page);
    let warm = chromium.load(&server, "/");
    assert_eq!(warm.hinted(), set([]), "all of it is held");
    let asked = warm.requested().into_iter().filter(|path| !path.contains("/icon."));
    assert_eq!(set(asked), set(["/"]), "the test's own premise: all of it is held");
    assert!(!cold.was_pushed_to() && !warm.was_pushed_to(), "its settings refuse pushes");
}

pub(crate) fn assert_hinted(load: &Load, page: &Page) {
    assert_eq!(load.interim_responses(), 1);
    assert!(!load.frames.contains(&Frame::Goaway));
    let hinted = load.hinted();
    assert_eq!(hinted, page.hintable());

    let mut times = BTreeMap::<&str, u32>::new();
    // The icon is fetched for the browser's own use, or not.
    for path in load.requested().into_iter().filter(|path| !path.contains("/icon.")) {
        *times.entry(path).or_default() += 1;
    }
    let mut once: BTreeMap<&str, u32> = hinted.iter().map(|path| (path.as_str(), 1)).collect();
    once.insert("/", 1);
    assert_eq!(times, once, "each hint is fetched once and nothing is left to fetch");

    let unused: Vec<_> = hinted.difference(&load.used).collect();
    assert!(unused.is_empty(), "hinted and not used: {unused:?}");

    // A stylesheet's font is named by nothing but the hint until the stylesheet has come.
    let mut deep = page.assets.iter().filter(|asset| asset.parent != page.path).peekable();
    assert!(deep.peek().is_some(), "the page has such assets");
    for asset in deep {
        let (request, answer) = (load.request(&asset.path), load.answer(&asset.parent));
        assert!(request.is_some() && answer.is_some() && request < answer, "{} was not asked for early", asset.path);
    }
}

#[test]
fn the_hint_comes_before_the_page() {
    if !tools::have(&["node"]) || !tools::have(chromium::programs()) {
        return;
    }
    let (site, home) = (Site::small(), Home::new());
    let server = Server::start(&site, &home, &[]);
    teach(&server, &site.page("/"));
    server.let_visits_end();
    let load = Chromium::new().load(&server, "/");
    let hint = load.frames.iter().position(|frame| matches!(frame, Frame::Response { status: 103, .. }));
    assert!(hint.is_some() && hint < load.answer("/"), "{:?}", load.frames);
}

/// The program reads the page while it is sent to a visitor who fetches nothing else.
#[test]
fn the_second_visitor_is_hinted_a_stylesheet_that_nobody_has_fetched() {
    if !tools::have(&["curl"]) || !tools::have(chromium::programs()) {
        return;
    }
    let (site, home) = (Site::example(), Home::new());
    let server = Server::start(&site, &home, &[]);
    let (heads, _) = curl::get(&server, "/", &["-H", "accept: text/html"]);
    assert!(heads.iter().all(|head| head.status == 200), "nothing is known yet");
    // Reading follows the last byte of the page.
    std::thread::sleep(Duration::from_secs(1));

    let load = Chromium::new().load(&server, "/");
    let page = site.page("/");
    let is_css = |path: &str| path.rsplit('.').next() == Some("css");
    let stylesheets = || page.assets.iter().filter(|asset| asset.parent == "/" && is_css(&asset.path));
    assert!(stylesheets().next().is_some(), "the page has one");
    for stylesheet in stylesheets() {
        assert!(load.hinted().contains(&stylesheet.path), "{} is not among {:?}", stylesheet.path, load.hinted());
        let times = load.requested().iter().filter(|path| **path == stylesheet.path).count();
        assert_eq!(times, 1, "{} is fetched once", stylesheet.path);
    }
    let unused: Vec<_> = load.hinted().difference(&load.used).cloned().collect();
    assert!(unused.is_empty(), "hinted and not used: {unused:?}");
}
