//! Eight crates, from `cargo new` to the first asset that is sent early, with what the documentation says and nothing else.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use first_hour::{Fresh, Seen, Snippets, visit};

const GUIDE: &str = "crates/headstart/src/guide/first_page.md";

/// Twelve visits are enough, though thin evidence may hold out one of four.
const MOST: usize = 12;

async fn first_hour(page: &str, name: &str, tls: bool, ways: &[Seen]) {
    let fresh = Fresh::new(&Snippets::of(page, name), &[]);
    let _program = fresh.run();
    for way in ways {
        visit(fresh.port, tls, *way, MOST).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_axum_application_is_served_over_tls() {
    first_hour(GUIDE, "served", true, &[Seen::Pushed, Seen::Hinted]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn axum_serve_stays_and_gets_the_layer() {
    first_hour(GUIDE, "layered", false, &[Seen::Linked]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_on_hyper_util_gets_the_layer() {
    first_hour(GUIDE, "hyper", false, &[Seen::Linked]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_names_assets() {
    let fresh = Fresh::new(&Snippets::of(GUIDE, "named"), &[]);
    let _program = fresh.run();
    // One more where the first view is held out.
    assert!(visit(fresh.port, false, Seen::Pushed, MOST).await <= 4, "nobody has to teach it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_sends_its_own_103() {
    let fresh = Fresh::new(&Snippets::of(GUIDE, "hinted"), &[]);
    let _program = fresh.run();
    assert_eq!(visit(fresh.port, false, Seen::Hinted, MOST).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_is_served() {
    let fresh = Fresh::new(&Snippets::of(GUIDE, "directory"), &[]);
    fs::create_dir(fresh.path().join("site")).unwrap();
    fs::write(fresh.path().join("site/index.html"), "<link rel=stylesheet href=/app.css>").unwrap();
    fs::write(fresh.path().join("site/app.css"), "h1 { color: teal }").unwrap();
    let _program = fresh.run();
    visit(fresh.port, false, Seen::Pushed, MOST).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_driver_pushes_what_a_policy_says() {
    first_hour("crates/h2/README.md", "driver", false, &[Seen::Pushed]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_is_proxied() {
    let application = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = application.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for socket in application.incoming() {
            let mut socket = socket.unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && socket.read(&mut byte).is_ok_and(|read| read == 1) {
                head.push(byte[0]);
            }
            let (media, body) = match head.split(|byte| *byte == b' ').nth(1) {
                Some(b"/") => ("text/html", "<link rel=stylesheet href=/app.css>"),
                _ => ("text/css", "h1 { color: teal }"),
            };
            let _ = write!(
                socket,
                "HTTP/1.1 200 OK\r\ncontent-type: {media}\r\ncache-control: max-age=3600\r\ncontent-length: {}\r\n\
                 connection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    let fresh = Fresh::new(&Snippets::of("crates/proxy/README.md", "proxied"), &[("127.0.0.1:3000", port)]);
    let _program = fresh.run();
    visit(fresh.port, false, Seen::Pushed, MOST).await;
}
