//! Why what a page pulls in is not learned, said of that page.

use std::process::Command;

use http::Method;

use crate::rig::admin::Admin;
use crate::rig::server::{Home, Server};
use crate::rig::site::{SHARED, Site};
use crate::rig::visitor::Visitor;

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0";

#[test]
fn a_page_says_why_its_views_and_assets_taught_nothing() {
    let (site, home) = (Site::small(), Home::new());
    site.write("/data.txt", "text\n");
    let server = Server::start(&site, &home, &["--admin", "127.0.0.1:0"]);
    for network in 1..=3 {
        let mut visitor = Visitor::connect(&server, network, FIREFOX);
        assert_eq!(visitor.navigate(Method::GET, "/", &[]).status, 200);
        assert_eq!(visitor.fetch(SHARED, "/", &[]), 200);
        // Text is no asset, and it is asked for twice.
        visitor.fetch("/data.txt", "/", &[]);
        visitor.fetch("/data.txt", "/", &[]);
    }
    // One that loads nothing, and one that has no view of the page open.
    Visitor::connect(&server, 4, FIREFOX).navigate(Method::GET, "/", &[]);
    Visitor::connect(&server, 5, FIREFOX).fetch(SHARED, "/", &[]);
    server.let_visits_end();

    let admin = Admin::of(&server);
    let host = server.origin().replace("https://", "");
    let explained = admin.get(&format!("/explain?host={host}&page=/")).json();
    let expected = serde_json::json!({"media_type": 6, "silent": 1, "no_visit": 1});
    assert_eq!(explained["unlearned"], expected, "{explained:#}");
    let other = admin.get(&format!("/explain?host={host}&page=/other.html")).json();
    assert_eq!(other["unlearned"], serde_json::json!({}), "{other:#}");
    let detail = admin.get_as(&format!("/page?host={host}&page=/"), "text/html").body;
    assert!(detail.contains("What taught nothing") && detail.contains("its media type is none"), "{detail}");

    // The snapshot says it too.
    assert!(server.stop().success());
    let snapshot = home.state().join("snapshot");
    let output = Command::new(env!("CARGO_BIN_EXE_headstart"))
        .args(["explain", &format!("https://{host}/"), "--state"])
        .arg(&snapshot)
        .output()
        .expect("the program starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for line in [
        "what taught nothing:",
        "6 assets: its media type is none of an asset",
        "1 views: no asset was loaded on them",
        "1 assets: asked for when no view of the page was open",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
}
