//! What one client makes known to others.

use testkit::app::{self, Request};
use testkit::http1;

use super::rig::{Server, answer};

const TRUSTING: &str = "[limits]\ntrusted_proxies = [\"127.0.0.0/8\"]\n[learn]\nwindow = \"500ms\"\nholdout = 0";

fn serve() -> Server {
    let application = app::serve(|request: &Request| match &*request.target {
        "/" => answer(&[("content-type", "text/html"), ("cache-control", "no-cache")], "<!doctype html>"),
        _ => answer(&[("content-type", "text/css"), ("cache-control", "public, max-age=600")], "p{}"),
    });
    // What the page says itself is another matter.
    Server::before(&format!("http://{application}"), &format!("{TRUSTING}\n[markup]\nread = false"), "cache = \"off\"")
}

/// A client is told by its address and this.
const AGENT: (&str, &str) =
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36");

/// A view of the page from this address, as a balancer on this machine passes it on; the head of its response.
fn visit(server: &Server, from: &str, assets: &[String]) -> String {
    let navigation = [
        ("x-forwarded-for", from),
        ("accept", "text/html"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
        AGENT,
    ];
    let get = |path: &str, fields: &[(&str, &str)]| http1::get(("127.0.0.1", server.port), "a.example", path, fields);
    let head = get("/", &navigation).head;
    for asset in assets {
        let fields = [("x-forwarded-for", from), ("referer", "http://a.example/"), ("sec-fetch-dest", "style"), AGENT];
        assert_eq!(get(asset, &fields).status, 200);
    }
    head
}

/// All that the page's response names once the visits are over, to somebody new.
fn named(server: &Server, from: &str) -> String {
    std::thread::sleep(std::time::Duration::from_secs(6));
    visit(server, "192.0.2.250", &[]);
    let head = visit(server, from, &[]);
    head.lines().filter(|line| line.starts_with("link:")).collect()
}

#[test]
fn behind_a_balancer_on_this_machine_one_client_makes_nothing_known() {
    let server = serve();
    let alice = "/u/alice@example.org/theme.css?token=3f9d27e1".to_owned();
    for _ in 0..3 {
        visit(&server, "192.0.2.1", std::slice::from_ref(&alice));
    }
    for network in ["198.51.100.1", "203.0.113.1", "100.64.1.1", "192.0.2.1"] {
        visit(&server, network, &["/site.css".to_owned()]);
    }
    let links = named(&server, "198.18.7.1");
    assert!(links.contains("/site.css"), "what several networks loaded is known: {links}");
    assert!(!links.contains("alice"), "{links}");
}

/// 15 customers' networks (/56) of one block (/48), and 12 honest visitors from as many providers.
#[test]
fn one_block_of_ipv6_plants_nothing_on_a_page_that_others_taught() {
    let server = serve();
    for honest in 0..12 {
        visit(&server, &format!("2001:db8:{honest:x}::1"), &["/site.css".to_owned()]);
    }
    let planted: Vec<String> = (0..3).map(|number| format!("/planted-{number}.css")).collect();
    for network in 0..15 {
        visit(&server, &format!("2a00:1234:5678:{:x}::1", network << 8), &planted);
    }
    let links = named(&server, "198.18.7.1");
    assert!(links.contains("/site.css"), "{links}");
    assert!(!links.contains("planted"), "{links}");
}
