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

/// The hints of a page for a client with these fields.
fn hints(headstart: &headstart::Headstart, page: &str, agent: &str) -> Vec<String> {
    headstart.finish();
    let mut client = Client::new(headstart, "100.64.0.1");
    client.set("user-agent", agent);
    client.navigate(page).paths()
}

#[test]
fn each_query_is_a_page_of_its_own() {
    let headstart = engine(|builder| builder.campaign_fields(["ref"]));
    for n in 0..12 {
        let mut client = Client::new(&headstart, &format!("198.{n}.7.1"));
        for view in ["cart", "list", "map"] {
            let page = format!("/router?view={view}&utm_source={n}&ref=x{n}");
            client.navigate(&page);
            for asset in ["/app.css".to_owned(), format!("/{view}.css")] {
                client.fetch(&page, &asset, answer(200, "text/css"));
            }
        }
    }
    for view in ["cart", "list", "map"] {
        let mut found = hints(&headstart, &format!("/router?view={view}&gclid=1"), "Test/1.0");
        found.sort();
        assert_eq!(found, ["/app.css".to_owned(), format!("/{view}.css")], "{view}");
    }
}

#[test]
fn phones_get_what_phones_need() {
    const PHONE: &str = "Mozilla/5.0 (Linux; Android 10; K) Chrome/130.0 Mobile Safari/537.36";
    const DESKTOP: &str = "Mozilla/5.0 (X11; Linux x86_64) Chrome/130.0 Safari/537.36";
    let headstart = engine(|builder| builder);
    for n in 0..40 {
        let mut client = Client::new(&headstart, &format!("198.{n}.7.1"));
        let (agent, asset) = if n % 2 == 0 { (PHONE, "/phone.css") } else { (DESKTOP, "/desktop.css") };
        client.set("user-agent", agent);
        client.visit("/", &["/app.css", asset]);
    }
    for (agent, asset) in [(PHONE, "/phone.css"), (DESKTOP, "/desktop.css")] {
        let mut found = hints(&headstart, "/", agent);
        found.sort();
        let mut expected = ["/app.css", asset];
        expected.sort_unstable();
        assert_eq!(found, expected, "{agent}");
    }
}

#[test]
fn hints_follow_the_urgency_that_browsers_give() {
    let headstart = engine(|builder| builder);
    for n in 0..8 {
        let mut client = Client::new(&headstart, &format!("198.{n}.7.1"));
        client.navigate("/");
        for (asset, priority) in [("/tracking.js", "u=4"), ("/blocking.js", "u=1"), ("/app.css", "u=0")] {
            let media = if asset == "/app.css" { "text/css" } else { "text/javascript" };
            client.fetch_with("/", asset, &[("priority", priority)], answer(200, media));
        }
    }
    let found = hints(&headstart, "/", "Test/1.0");
    assert_eq!(found.len(), 3);
    assert_eq!(found.last().map(String::as_str), Some("/tracking.js"), "{found:?}");
}

#[test]
fn a_line_says_how_much_is_known() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&lines);
    let headstart =
        engine(move |builder| builder.on_page_view(move |view| seen.lock().unwrap().push(view.to_string())));
    let view = |address: &str, page: &str| {
        Client::new(&headstart, address).visit(page, &["/app.css"]);
        lines.lock().unwrap().pop().unwrap()
    };
    assert!(view("192.0.2.1", "/").contains("nothing known of this page yet"));
    assert!(view("198.51.100.1", "/").contains("still open"), "the first visit is not learned yet");
    headstart.finish();
    let line = view("198.51.100.1", "/");
    assert!(line.contains("below the gate of 3 networks") || line.contains("too few visits"), "{line}");
    view("203.0.113.1", "/");
    headstart.finish();
    let line = view("198.18.0.1", "/");
    assert!(line.contains("hinted 1"), "{line}");
}

#[test]
fn one_visit_is_enough_where_one_network_is() {
    let headstart = engine(|builder| builder.min_networks(1));
    Client::new(&headstart, "127.0.0.1").visit("/", &["/app.css"]);
    assert!(is_hinted(&headstart, "/", "/app.css"));
}

#[test]
fn what_browsers_fetch_twice_when_it_is_hinted_is_hinted_no_more() {
    let headstart = engine(|builder| builder.holdout(0));
    let addresses = ["192.0.2.1", "198.51.100.1", "203.0.113.1"];
    for address in addresses {
        Client::new(&headstart, address).visit("/", &["/app.css", "/module.js"]);
    }
    headstart.finish();
    // What a 103 of this visit named is asked for once more by the page's own element.
    let twice = |address: &str, fields: &[(&'static str, &str)]| {
        let mut client = Client::new(&headstart, address);
        let hinted = client.navigate("/").hints("/module.js");
        client.fetch("/", "/app.css", answer(200, "text/css"));
        for fields in [&[], fields] {
            client.fetch_with("/", "/module.js", fields, answer(200, "text/css"));
        }
        hinted
    };
    for _ in 0..10 {
        assert!(twice(addresses[0], &[]) && twice(addresses[1], &[]), "two networks decide nothing");
        assert!(twice(addresses[2], &[("cache-control", "no-cache")]), "with its cache off a browser says nothing");
    }
    assert!(twice(addresses[2], &[]));
    let shown = Client::new(&headstart, "100.64.0.1").navigate("/");
    assert_eq!(shown.paths(), ["/app.css"]);
    assert_eq!(Client::new(&headstart, "100.64.0.1").navigate("/other").paths(), [""; 0], "the test's own premise");
}

#[test]
fn an_asset_that_failed_may_be_asked_for_again() {
    let headstart = engine(|builder| builder.holdout(0).min_networks(1));
    Client::new(&headstart, "192.0.2.1").visit("/", &["/app.css"]);
    headstart.finish();
    for _ in 0..3 {
        let mut client = Client::new(&headstart, "192.0.2.1");
        assert!(client.navigate("/").hints("/app.css"));
        client.fetch("/", "/app.css", answer(503, "text/plain"));
        client.fetch("/", "/app.css", answer(200, "text/css"));
    }
}
