//! To which page an asset belongs, and how the page is called.

use std::sync::{Arc, Mutex};

use headstart::ForwardedBy;

use crate::client::{Client, answer, engine, is_hinted};

const NETWORKS: [&str; 4] = ["192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1"];

#[test]
fn the_assets_of_a_posts_result_are_not_those_of_the_form() {
    let headstart = engine(|builder| builder);
    for address in NETWORKS {
        let mut client = Client::new(&headstart, address);
        client.visit("/form", &["/form.css"]);
        client.post("/form");
        client.fetch("/form", "/result.css", answer(200, "text/css"));
    }
    assert!(is_hinted(&headstart, "/form", "/form.css"));
    assert!(!is_hinted(&headstart, "/form", "/result.css"));
}

#[test]
fn what_a_prefetch_loads_is_not_the_present_pages() {
    let headstart = engine(|builder| builder);
    for address in NETWORKS {
        let mut client = Client::new(&headstart, address);
        client.visit("/article", &["/article.css"]);
        client.set("sec-purpose", "prefetch");
        client.navigate("/");
        client.fetch("/", "/home.css", answer(200, "text/css"));
    }
    assert!(is_hinted(&headstart, "/article", "/article.css"));
    assert!(!is_hinted(&headstart, "/article", "/home.css"));
    assert!(!is_hinted(&headstart, "/", "/home.css"), "a prefetch is no view");
}

#[test]
fn what_the_restored_start_page_scrolls_to_is_not_the_present_pages() {
    let headstart = engine(|builder| builder);
    for address in NETWORKS {
        let mut client = Client::new(&headstart, address);
        client.visit("/article", &["/article.css"]);
        // Back to `/` out of the back/forward cache: no navigation reaches the server.
        client.fetch("/", "/below.css", answer(200, "text/css"));
    }
    assert!(!is_hinted(&headstart, "/article", "/below.css"));
}

#[test]
fn without_a_path_in_the_referer_an_asset_belongs_to_the_present_page() {
    let headstart = engine(|builder| builder);
    for address in NETWORKS {
        let mut client = Client::new(&headstart, address);
        client.navigate("/article");
        // `Referrer-Policy: strict-origin`.
        client.fetch("/", "/article.css", answer(200, "text/css"));
    }
    assert!(is_hinted(&headstart, "/article", "/article.css"));
}

#[test]
fn of_two_tabs_without_referers_neither_gets_the_asset() {
    let headstart = engine(|builder| builder.trusted_proxies(["10.0.0.0/8".parse().unwrap()], ForwardedBy::default()));
    for address in NETWORKS {
        // Behind a proxy connections say nothing.
        let mut client = Client::new(&headstart, "10.0.0.1");
        client.set("x-forwarded-for", address);
        client.navigate("/one");
        client.fetch_without_referer("/one.css", answer(200, "text/css"));
        client.navigate("/two");
        client.fetch_without_referer("/either.css", answer(200, "text/css"));
    }
    assert!(is_hinted(&headstart, "/one", "/one.css"), "the only open visit of the client");
    assert!(!is_hinted(&headstart, "/one", "/either.css") && !is_hinted(&headstart, "/two", "/either.css"));
}

#[test]
fn a_query_that_has_not_passed_the_gate_is_not_shown() {
    let names = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&names);
    let headstart =
        engine(move |builder| builder.on_page_view(move |view| seen.lock().unwrap().push(view.to_string())));
    let mut client = Client::new(&headstart, "192.0.2.1");
    client.navigate("/reset");
    client.navigate("/reset?token=secret");
    client.navigate("/reset?token=secret");
    client.navigate("/reset?token=other");
    let lines = names.lock().unwrap();
    assert!(lines.iter().all(|line| !line.contains("secret") && !line.contains("other")), "{lines:?}");
    let name = |at: usize| lines[at].split_whitespace().next().unwrap();
    assert_eq!(name(0), "/reset");
    assert!(name(1).starts_with("/reset?#") && name(1) == name(2) && name(2) != name(3), "{lines:?}");
}
