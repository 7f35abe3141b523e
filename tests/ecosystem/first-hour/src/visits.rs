//! Visits of clients that each come for the first time.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use http::Method;
use testkit::http1;
use testkit::http2::{Client, NAVIGATION, targets};
use tokio::net::TcpStream;

/// How an asset came to be sent early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    Pushed,
    Hinted,
    Linked,
}

const CSS: &str = "/app.css";

/// Visits of so many new clients at most, each loading the page and its stylesheet, until the stylesheet is sent early in
/// this way; the number of the visit. A view may be held out, and the first ones teach.
///
/// # Panics
///
/// If it never is.
pub async fn visit(port: u16, tls: bool, way: Seen, most: usize) -> usize {
    wait_for(port).await;
    for number in 1..=most {
        let agent = format!("Browser/{number}.0");
        let seen = match way {
            Seen::Linked => tokio::task::spawn_blocking(move || linked(port, &agent)).await.expect("a visit"),
            Seen::Pushed | Seen::Hinted => over_http2(port, tls, way, &agent).await,
        };
        if seen {
            return number;
        }
    }
    panic!("not {way:?} within {most} visits");
}

async fn wait_for(port: u16) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        assert!(Instant::now() < deadline, "nobody listens on port {port}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Over HTTP/1.1.
fn linked(port: u16, agent: &str) -> bool {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let host = address.to_string();
    let page = http1::get(address, &host, "/", &[("user-agent", agent)]);
    let referer = format!("http://{host}/");
    http1::get(address, &host, CSS, &[("user-agent", agent), ("referer", &referer)]);
    // A visit is learned when its client goes on; a server that is not ours does not say when a connection ends.
    http1::get(address, &host, "/", &[("user-agent", agent)]);
    page.field("link").is_some_and(|link| link.contains(CSS))
}

async fn over_http2(port: u16, tls: bool, way: Seen, agent: &str) -> bool {
    let socket = TcpStream::connect(("127.0.0.1", port)).await.expect("a connection");
    let origin = format!("{}://localhost:{port}", if tls { "https" } else { "http" });
    let settings = h2::client::Builder::new().enable_push(way == Seen::Pushed).clone();
    let mut client = if tls {
        let io = testkit::tls::connect(&testkit::tls::believing(&["h2"]), "localhost", socket).await.expect("TLS");
        Client::handshake(io, &*origin, &settings).await.expect("HTTP/2")
    } else {
        Client::handshake(socket, &*origin, &settings).await.expect("HTTP/2")
    };
    let agent = [("user-agent", agent)];
    let page = client.send(Method::GET, "/", &[&NAVIGATION[..], &agent[..]].concat()).await;
    assert_eq!(page.status, 200);
    let referer = [("referer", &*format!("{origin}/"))];
    client.send(Method::GET, CSS, &[&agent[..], &referer[..]].concat()).await;
    match way {
        Seen::Pushed => page.pushed.iter().any(|path| path == CSS),
        _ => page.hints.iter().any(|links| targets(links).contains(&CSS)),
    }
}
