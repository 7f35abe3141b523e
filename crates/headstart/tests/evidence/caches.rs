//! Knowledge of clients' caches, and what follows from it.

use headstart::Unlearned;

use crate::client::{Client, answer, engine, is_hinted};

const NETWORKS: [&str; 4] = ["192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1"];

#[test]
fn a_304_says_that_the_page_needs_the_asset() {
    let headstart = engine(|builder| builder);
    for address in NETWORKS {
        Client::new(&headstart, address).visit("/", &["/app.css", "/second.css"]);
    }
    // On another page the clients hold one of them, and ask whether it has changed.
    for (n, address) in NETWORKS.into_iter().enumerate() {
        let mut client = Client::new(&headstart, address);
        client.set("user-agent", &format!("Other/{n}"));
        client.navigate("/other");
        client.fetch_with("/other", "/app.css", &[("if-none-match", "\"1\"")], answer(304, "text/css"));
        client.fetch("/other", "/second.css", answer(200, "text/css"));
    }
    assert!(is_hinted(&headstart, "/other", "/second.css"));
    assert!(is_hinted(&headstart, "/other", "/app.css"));
    assert_eq!(headstart.unlearned().get(Unlearned::MediaType), 0);
}

#[test]
fn returning_visitors_with_a_cookie_do_not_unteach_what_they_hold() {
    let headstart = engine(|builder| builder);
    let addresses: Vec<String> = (0..60).map(|n| format!("198.{n}.7.1")).collect();
    for address in &addresses {
        // A new client loads all; it returns twice and loads nothing, as its cookie says that it holds all.
        let mut client = Client::new(&headstart, address);
        client.visit("/", &["/app.css", "/second.css"]);
        for page in ["/", "/", "/"] {
            client.navigate(page);
        }
        assert!(client.cookie.is_some());
        headstart.finish();
    }
    assert!(is_hinted(&headstart, "/", "/app.css") && is_hinted(&headstart, "/", "/second.css"));
}

#[test]
fn where_no_cookie_can_be_written_a_second_view_is_no_evidence_against() {
    let headstart = engine(|builder| builder.cookie(headstart::CookieFormat::Off));
    let addresses: Vec<String> = (0..40).map(|n| format!("198.{n}.7.1")).collect();
    for address in &addresses {
        Client::new(&headstart, address).visit("/", &["/app.css"]);
        // New connections, as after a pause: nothing tells that the client holds the asset.
        for _ in 0..4 {
            Client::new(&headstart, address).navigate("/");
            headstart.finish();
        }
    }
    assert!(is_hinted(&headstart, "/", "/app.css"));
}

#[test]
fn one_stranger_who_meets_a_404_erases_nothing() {
    let headstart = engine(|builder| builder);
    for address in NETWORKS {
        Client::new(&headstart, address).visit("/", &["/app.css"]);
    }
    headstart.finish();
    let not_found = |address: &str| Client::new(&headstart, address).fetch("/", "/app.css", answer(404, "text/html"));
    (0..5).for_each(|_| not_found("192.0.2.1"));
    assert!(is_hinted(&headstart, "/", "/app.css"), "one network");
    not_found("198.51.100.1");
    assert!(!is_hinted(&headstart, "/", "/app.css"), "two networks");
}
