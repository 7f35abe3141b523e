//! Below the network gate nothing shows: not on the dashboard, not in metrics, not by asking for it by name.

use crate::admin::visit;
use crate::rig::admin::Admin;
use crate::rig::server::{Home, Server};
use crate::rig::site::{FONT, ONE, SHARED, Site};
use crate::rig::{curl, tools};
use std::time::Duration;

/// A page with a token in its path, and an asset of it, which only one network has ever loaded.
const PAGE: &str = "/reset-3f9d27e1/";
const ASSET: &str = "/private-88c1.9b2d4c6e.css";

/// A name that would break out of an attribute, if it were written as it is.
const HOSTILE: &str = "/x\"onmouseover='alert(1)'&quot;&/";

#[test]
fn what_one_network_loaded_is_not_shown() {
    if !tools::have(&["curl"]) {
        return;
    }
    let (site, home) = (Site::small(), Home::new());
    std::fs::create_dir(site.dir().join("reset-3f9d27e1")).expect("a directory");
    site.write("/reset-3f9d27e1/index.html", "<!doctype html><title>reset</title>");
    site.write(ASSET, "p { color: red }");
    let options = ["--admin", "127.0.0.1:0", "--min-networks", "3"];
    let server = Server::start(&site, &home, &options);
    let admin = Admin::of(&server);
    for network in ["127.1.1.1", "127.2.1.1", "127.3.1.1"] {
        visit(&server, network, "/", &[SHARED, FONT, ONE]);
    }
    for _ in 0..5 {
        visit(&server, "127.1.1.1", PAGE, &[ASSET, SHARED]);
    }
    server.let_visits_end();

    let state = admin.get("/state");
    assert_eq!(state.json()["pages"].as_array().map(Vec::len), Some(1), "{}", state.body);
    assert_eq!(state.json()["pages_hidden"], 1, "it is counted");
    let host = state.json()["pages"][0]["host"].as_str().expect("a host").to_owned();
    let shown = admin.get(&format!("/page?host={host}&page=/"));
    assert!(shown.body.contains(SHARED), "what passed is shown: {}", shown.body);

    let named = [format!("/page?host={host}&page={PAGE}"), format!("/explain?host={host}&page={PAGE}")];
    let plain = ["/", "/?sort=views", "/?q=reset", "/metrics", "/state", "/explain?page=/", "/health"];
    for path in plain.iter().copied().chain(named.iter().map(String::as_str)) {
        for accept in ["text/html", "application/json"] {
            let reply = admin.get_as(path, accept);
            assert!(!reply.body.contains("private-88c1"), "{path}: {}", reply.body);
            // What the reader wrote is all that may come back of it.
            let echo = path.contains("explain") || path.contains("q=");
            assert!(echo || !reply.body.contains("reset"), "{path}: {}", reply.body);
        }
    }
    let events = admin.listen("/events?view=overview&sort=views", Duration::from_millis(600));
    assert!(events.contains("event: stats") && events.contains("event: pages"), "{events}");
    assert!(!events.contains("reset") && !events.contains("private-88c1"), "{events}");
    let snapshot = std::fs::read(home.state().join("snapshot")).unwrap_or_default();
    assert!(!String::from_utf8_lossy(&snapshot).contains("private-88c1"));

    // Whoever guesses its name learns nothing by asking.
    for of in ["/page", "/explain"] {
        let ask = |page: &str| {
            let reply = admin.get(&format!("{of}?host={host}&page={page}"));
            (reply.status, reply.body.replace(page, "PAGE"))
        };
        assert_eq!(ask(PAGE), ask("/never-was-here/"), "{of}");
    }
}

#[test]
fn names_are_written_as_text() {
    if !tools::have(&["curl"]) {
        return;
    }
    let (site, home) = (Site::small(), Home::new());
    std::fs::create_dir(site.dir().join(HOSTILE.trim_matches('/'))).expect("a directory");
    site.write(&format!("{HOSTILE}index.html"), "<!doctype html><title>hostile</title>");
    let server = Server::start(&site, &home, &["--admin", "127.0.0.1:0"]);
    let admin = Admin::of(&server);
    for _ in 0..3 {
        let options =
            ["--http1.1", "-A", "Mozilla/5.0", "-H", "sec-fetch-mode: navigate", "-H", "sec-fetch-dest: document"];
        let (heads, _) = curl::get(&server, HOSTILE, &options);
        assert_eq!(heads.last().map(|head| head.status), Some(200));
        visit(&server, "127.0.0.1", HOSTILE, &[SHARED]);
    }
    server.let_visits_end();
    let state = admin.get("/state").json();
    assert_eq!(state["pages"][0]["path"], HOSTILE, "{state:#}");
    let host = state["pages"][0]["host"].as_str().expect("a host").to_owned();
    let detail = format!("/page?host={host}&page=/x%22onmouseover='alert(1)'%26quot;%26/");
    let events = admin.listen("/events?view=overview", Duration::from_millis(400));
    for text in [admin.get("/?q=%22onmouseover").body, admin.get(&detail).body, events] {
        assert!(text.contains("x&quot;onmouseover="), "it is shown: {text}");
        assert!(!text.contains("\"onmouseover"), "as what it is not: {text}");
        assert!(!text.contains("'&quot;&/"), "an ampersand of the name is no markup: {text}");
    }
}
