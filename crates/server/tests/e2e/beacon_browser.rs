//! What Chromium reports of page views at a distance: as DevTools see them, under a strict policy, and of tabs that are closed.

use crate::beacon::{OPTIONS, counter, taken};
use crate::rig::admin::Admin;
use crate::rig::server::{Home, Server};
use crate::rig::{chromium, relay, tools};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use testkit::app::{self, Request, Response};
use testkit::browser::{Browser, Engine, Launch};

/// A round trip of 100 ms and 10 Mbit/s.
const ONE_WAY: Duration = Duration::from_millis(50);
const BYTES_PER_SECOND: u32 = 1_250_000;

/// Reports of violated policies.
type Reports = Arc<Mutex<Vec<String>>>;

/// A page under a strict policy, with a stylesheet that blocks it, a picture, and the line that measures it. What is sent is
/// noted for the next page.
fn application(reports: Reports) -> impl Fn(&Request) -> Response + Send + Sync + 'static {
    let nonces = AtomicU64::new(1);
    move |request| {
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let asset = |media: &str, body: &[u8]| Response {
            status: 200,
            fields: vec![field("content-type", media), field("cache-control", "max-age=600"), field("etag", "\"1\"")],
            body: body.to_vec(),
        };
        match request.target.as_str() {
            "/" => {
                let nonce = format!("n{}", nonces.fetch_add(1, Ordering::Relaxed));
                let policy = format!(
                    "default-src 'self'; script-src 'nonce-{nonce}' 'strict-dynamic'; object-src 'none'; base-uri 'none'; \
                     report-uri /report"
                );
                let html = format!(
                    "<!doctype html><title>A page</title><link rel=stylesheet href=/page.css>\
                     <script nonce={nonce}>const send = navigator.sendBeacon.bind(navigator);\
                     navigator.sendBeacon = (url, body) => {{ localStorage.sent = body; return send(url, body); }};</script>\
                     <script src=/.well-known/headstart/beacon.js nonce={nonce} defer></script>\
                     <p>A line of text.</p><img src=/picture.webp width=640 height=480 alt=Sky>\n"
                );
                let fields = vec![
                    field("content-type", "text/html; charset=utf-8"),
                    field("cache-control", "no-cache"),
                    field("content-security-policy", &policy),
                ];
                Response { status: 200, fields, body: html.into_bytes() }
            }
            "/blank" => asset("text/html", b"<!doctype html><title>Blank</title>"),
            "/page.css" => asset("text/css", format!("/*{}*/ p {{ color: #222 }}", "x".repeat(40_000)).as_bytes()),
            "/picture.webp" => {
                let picture = include_bytes!("../../../../examples/site/assets/moon.3220029c.webp");
                asset("image/webp", picture)
            }
            "/report" => {
                reports
                    .lock()
                    .expect("no panic under the lock")
                    .push(String::from_utf8_lossy(&request.body).into_owned());
                Response { status: 204, ..Response::default() }
            }
            _ => Response { status: 404, ..Response::default() },
        }
    }
}

fn browser(profile: &Path, spki: &str) -> Browser {
    let launch = Launch { engine: Engine::Chromium, profile, spki, prefix: &[], flags: &[] };
    Browser::start(&launch).expect("the browser starts")
}

/// Waits until so many beacons were taken.
fn wait_for_beacons(admin: Admin, count: u64) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while taken(admin) < count {
        let metrics = admin.get("/metrics").body;
        let beacons: Vec<_> = metrics.lines().filter(|line| line.starts_with("headstart_beacon")).collect();
        assert!(Instant::now() < deadline, "not {count} beacons: {beacons:#?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The largest contentful paint, as the script reports it and as DevTools see it, with help and without; and no report of a
/// violated policy.
#[test]
fn a_beacon_says_what_devtools_say_under_a_strict_policy() {
    if !tools::have(chromium::programs()) {
        return;
    }
    for (holdout, helped) in [("0", true), ("1", false)] {
        let reports = Reports::default();
        let upstream = app::serve(application(Arc::clone(&reports)));
        let home = Home::new();
        let options = [&OPTIONS[..], &["--holdout", holdout]].concat();
        let mut server = Server::start_proxy(&format!("http://{upstream}"), &home, &options);
        let admin = Admin::of(&server);
        server.port = relay::link(server.port, ONE_WAY, BYTES_PER_SECOND);
        for _ in 0..3 {
            let profile = tempfile::tempdir().expect("a temporary directory");
            let mut browser = browser(profile.path(), &server.spki);
            browser.open(&server.url("/")).expect("the page loads");
            browser.close().expect("it ends");
            server.let_visits_end();
        }
        let profile = tempfile::tempdir().expect("a temporary directory");
        let mut browser = browser(profile.path(), &server.spki);
        let before = taken(admin);
        browser.open(&server.url("/")).expect("the page loads");
        std::thread::sleep(Duration::from_millis(500));
        let seen = browser.largest_contentful_paint().expect("DevTools tell it");
        assert_eq!(browser.console().expect("a console"), Vec::<String>::new(), "nothing is complained of");
        // Leaving the page hides it.
        browser.open(&server.url("/blank")).expect("the page loads");
        wait_for_beacons(admin, before + 1);
        let sent = browser.run("return localStorage.sent;").expect("it was noted");
        let sent = sent.as_str().expect("a text").to_owned();
        let value = |name: &str| -> f64 {
            let field = sent.split('&').find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
            field.unwrap_or_else(|| panic!("{name} in {sent}")).parse().expect("a number")
        };
        let reported = value("lcp");
        println!("helped: {helped}, lcp: {reported} ms reported, {seen:.1} ms seen; {sent}");
        assert!((reported - seen).abs() <= 0.05 * seen, "{reported} and {seen}");
        assert!(value("ttfb") >= 90.0 && value("fcp") >= value("ttfb") && reported >= value("fcp"), "{sent}");
        assert_eq!(value("early") > 0.0, helped, "only who is helped gets a 103: {sent}");
        let used = sent.split('&').find_map(|field| field.strip_prefix("used=")).expect("what was used");
        assert_eq!(!used.is_empty() && used.bytes().all(|digit| digit == b'1'), helped, "{sent}");
        assert_eq!(*reports.lock().expect("no panic under the lock"), Vec::<String>::new());
        let rows = admin.get("/gain.jsonl").body;
        assert!(rows.contains("\"metric\":\"lcp\"") && admin.get("/").body.contains("What people see"));
        browser.close().expect("it ends");
    }
}

#[test]
fn beacons_of_closed_tabs_arrive() {
    const TABS: u64 = 40;
    if !tools::have(chromium::programs()) {
        return;
    }
    let upstream = app::serve(application(Reports::default()));
    let home = Home::new();
    let mut server = Server::start_proxy(&format!("http://{upstream}"), &home, &OPTIONS);
    let admin = Admin::of(&server);
    server.port = relay::link(server.port, ONE_WAY, BYTES_PER_SECOND);
    let profile = tempfile::tempdir().expect("a temporary directory");
    let mut browser = browser(profile.path(), &server.spki);
    browser.open(&server.url("/")).expect("the page loads");
    browser.open(&server.url("/blank")).expect("the page loads");
    server.let_visits_end();
    let before = (counter(admin, "headstart_beacon_tokens_total"), taken(admin));
    for _ in 0..TABS {
        browser.new_tab().expect("a tab opens");
        browser.open(&server.url("/")).expect("the page loads");
        browser.close_tab().expect("it closes");
    }
    std::thread::sleep(Duration::from_secs(1));
    let (issued, arrived) = (counter(admin, "headstart_beacon_tokens_total") - before.0, taken(admin) - before.1);
    println!("{issued} of {TABS} tabs had a token, {arrived} beacons arrived");
    assert!(issued >= TABS * 95 / 100, "{issued} of {TABS} pages had a token");
    assert!(arrived * 100 >= issued * 95, "{arrived} of {issued}");
    browser.close().expect("it ends");
}
