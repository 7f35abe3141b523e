//! Why nothing is learned, as it is counted and said.

use headstart::Unlearned;
use http::header;

use crate::client::{Client, answer, engine};

#[test]
fn each_reason_is_counted_under_its_name() {
    let headstart = engine(|builder| builder);
    let mut client = Client::new(&headstart, "192.0.2.1");
    client.navigate("/");
    for (name, value) in [
        (header::SET_COOKIE, "a=b"),
        (header::CACHE_CONTROL, "private"),
        (header::CACHE_CONTROL, "no-store"),
        (header::VARY, "Cookie"),
        (header::CONTENT_TYPE, "application/json"),
    ] {
        let mut response = answer(200, "text/css");
        response.headers.insert(name, value.parse().unwrap());
        client.fetch("/", "/app.css", response);
    }
    client.fetch_with("/", "/app.css", &[("referer", "https://b.example/")], answer(200, "text/css"));
    let counted: Vec<_> = headstart.unlearned().iter().filter(|(_, count)| *count > 0).collect();
    let expected = [
        Unlearned::MediaType,
        Unlearned::NoStore,
        Unlearned::Private,
        Unlearned::Referer,
        Unlearned::SetCookie,
        Unlearned::Vary,
    ];
    assert_eq!(counted, expected.map(|reason| (reason, 1)));
}

#[test]
fn a_site_behind_a_proxy_is_told_why_nothing_is_learned() {
    let headstart = engine(|builder| builder);
    for n in 0..40 {
        let mut client = Client::new(&headstart, "10.0.0.1");
        client.set("user-agent", &format!("Test/{n}"));
        client.visit("/", &["/app.css"]);
    }
    let line = headstart.diagnose().expect("one network is to be mentioned").to_string();
    assert!(line.starts_with("40 of 40 views came from one network"), "{line}");
    assert!(line.contains("trusted_proxies"), "{line}");
    assert!(headstart.diagnose().is_none(), "nothing has happened since");
}

#[test]
fn an_untrusted_proxy_on_the_same_machine_is_named() {
    let headstart = engine(|builder| builder.min_networks(1));
    let mut client = Client::new(&headstart, "127.0.0.1");
    client.set("x-forwarded-for", "198.51.100.1");
    for _ in 0..20 {
        client.visit("/", &["/app.css"]);
    }
    let line = headstart.diagnose().expect("the proxy is to be mentioned").to_string();
    assert!(line.contains("a proxy that is not trusted") && line.contains("trusted_proxies"), "{line}");
}
